"""What a walk has seen, held against the pager: rows that are missed, rows that move, rows that stand twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from jdp_scraper.portal.grid import GridRow, GridView, Pager
from jdp_scraper.portal.walk import Tally
from jdp_scraper.vehicle import Vehicle


def tally_of(*pages: tuple[Sequence[str], int | None], whole: bool = True) -> Tally:
    """A walk of pages of rows, each with the number of items that its pager tells; dots are a blank reference."""
    tally = Tally(whole=whole)
    for number, (references, items) in enumerate(pages, start=1):
        rows = [GridRow(Vehicle(one.strip("."), f"VIN {one}"), f"/{one}") for one in references]
        named, unnamed = (
            [row for row in rows if row.vehicle.reference],
            [row for row in rows if not row.vehicle.reference],
        )
        tally.add(GridView(tuple(named), Pager(number, len(pages), items), False, False, tuple(unnamed)))
    return tally


@pytest.mark.parametrize(
    "pages",
    [
        [(["1", "2"], 3), (["3"], 3)],
        [(["1", "2"], None), (["3"], None)],
        [(["1", "2"], 3), (["3"], None)],
        [(["1", ".", ".."], 4), (["2"], 4)],
        [(["1", "2"], 1)],
    ],
    ids=["all", "no pager", "a pager on one page alone", "without a reference", "more than told"],
)
def test_a_walk_that_has_seen_as_many_rows_as_are_told_is_in_order(pages: list[tuple[list[str], int | None]]) -> None:
    tally = tally_of(*pages)
    assert (tally.missing(), tally.moved(None)) == (None, None)


def test_fewer_rows_than_are_told_are_missed() -> None:
    tally = tally_of((["1", "2"], 4), (["3"], 4))
    assert str(tally.missing()) == "the pager tells of 4 rows, 3 were seen"
    assert tally_of((["1", "2"], 4), whole=False).missing() is None, "the walk has gone no further on purpose"


@pytest.mark.parametrize("then", [3, 5])
def test_a_count_that_changes_is_told_even_where_the_rows_add_up(then: int) -> None:
    tally = tally_of((["1", "2"], 4), (["4"], then))
    assert tally.missing() is None
    assert tally.moved(None) == f"the pager told of 4 rows, then of {then}"
    assert tally.moved(tally) is not None, "a count that changes each time says nothing"


def test_a_row_that_is_seen_twice_counts_once_unless_it_stands_there_twice() -> None:
    pages = (["1", "2"], 4), (["2", "3"], 4)
    tally = tally_of(*pages)
    assert tally.missing() is None
    assert tally.moved(None) == "the pager tells of 4 rows, 3 were seen, some of them twice"
    assert tally.moved(tally_of((["1", "2"], 4), (["3", "4"], 4))) is not None
    assert tally.moved(tally_of(*pages)) is None, "the walk before has seen the very same"
