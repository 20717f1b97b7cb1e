"""How far the walk goes, and what is left to the filter: callbacks are what both cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from jdp_scraper.portal.grid import GridRow, GridView, Pager
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.search import Search
from jdp_scraper.vehicle import Vehicle

SIZE = 20
LOT = [f"R{number}" for number in range(2000)]


@dataclass
class Looking:
    """A search on a grid of ``rows``, for ``wanted`` ones of the export ``inventory``."""

    wanted: Iterable[str]
    rows: Sequence[str] = field(default_factory=lambda: LOT)
    inventory: Sequence[str] = field(default_factory=lambda: LOT)
    has_filter: bool = True
    pager: bool = True
    needed: bool = True

    def __post_init__(self) -> None:
        self.links = LinkBook()
        wanted = {one: self.inventory.count(one) for one in self.wanted}
        self.search = Search(self.links, wanted, self.inventory, has_filter=self.has_filter, needed=lambda: self.needed)

    def view(self, number: int) -> GridView:
        rows = self.rows[(number - 1) * SIZE : number * SIZE]
        pages = -(-len(self.rows) // SIZE)
        pager = Pager(number, pages, len(self.rows)) if self.pager else Pager()
        found = tuple(GridRow(Vehicle(one), f"/{one}/{number}/{at}") for at, one in enumerate(rows))
        return GridView(found, pager, has_next=number < pages, filtered=False)

    async def walk(self) -> int:
        """Walk for as long as it is told to, and return the number of pages that were seen."""
        for number in range(1, -(-len(self.rows) // SIZE) + 1):
            view = self.view(number)
            await self.links.add(view)
            if not self.search.walk_on(view):
                return number
        return number

    def filtered(self) -> list[str]:
        found = []
        while (taken := self.search.take()) is not None:
            found.append(taken[0])
        return found


async def test_the_first_rows_are_walked_to_and_no_further() -> None:
    looking = Looking(LOT[:100])
    assert (await looking.walk(), looking.filtered()) == (5, [])


async def test_rows_far_apart_are_left_to_the_filter_in_the_order_of_the_inventory() -> None:
    looking = Looking(LOT[::100])
    assert (await looking.walk(), looking.filtered()) == (1, LOT[100::100])


async def test_many_rows_further_on_are_worth_the_pages_before_them() -> None:
    looking = Looking([*LOT[200:240], LOT[1900]])
    assert (await looking.walk(), looking.filtered()) == (12, [LOT[1900]])


async def test_few_rows_further_on_are_not() -> None:
    looking = Looking(LOT[200:208])
    assert (await looking.walk(), looking.filtered()) == (1, LOT[200:208])


async def test_a_whole_inventory_is_walked_to_its_end() -> None:
    looking = Looking(LOT[:-1])
    assert (await looking.walk(), looking.filtered()) == (100, [])


@pytest.mark.parametrize(("wanted", "pages", "left"), [(20, 1, 19), (150, 100, 0)])
async def test_in_another_order_than_the_export_s_the_fewer_of_pages_and_rows_decides(
    wanted: int, pages: int, left: int
) -> None:
    scattered = [LOT[number * 777 % len(LOT)] for number in range(len(LOT))]
    looking = Looking(LOT[:: len(LOT) // wanted][:wanted], rows=scattered)
    seen = await looking.walk()
    assert (seen, len(looking.filtered())) == (pages, left)


async def test_rows_that_do_not_come_where_they_should_are_decided_on_anew() -> None:
    # The first two pages follow the export, then comes what stands at its end: the wanted ones are far away after all.
    looking = Looking(LOT[:100], rows=[*LOT[:40], *LOT[1000:], *LOT[40:1000]])
    assert (await looking.walk(), looking.filtered()) == (3, LOT[40:100])


async def test_a_row_that_stands_elsewhere_does_not_make_it_another_order() -> None:
    rows = [*LOT[:7], LOT[1999], *LOT[8:19], LOT[1500], *LOT[19:]]
    looking = Looking([*LOT[:7], *LOT[30:100]], rows=rows)
    assert (await looking.walk(), looking.filtered()) == (6, [])


async def test_rows_that_the_export_does_not_know_tell_nothing() -> None:
    looking = Looking(LOT[:100], rows=[f"new {number}" for number in range(SIZE)] + LOT[:1980])
    assert await looking.walk() == 6


async def test_a_row_that_the_walk_has_missed_is_left_to_the_filter() -> None:
    looking = Looking(LOT[:30], rows=[*LOT[:5], *LOT[6:]])
    assert (await looking.walk(), looking.filtered()) == (2, [LOT[5]])


async def test_without_a_filter_all_is_walked_up_to_the_last_one() -> None:
    looking = Looking(LOT[::400], has_filter=False)
    assert await looking.walk() == 81


async def test_without_a_pager_and_an_order_all_is_walked() -> None:
    scattered = [LOT[number * 777 % len(LOT)] for number in range(len(LOT))]
    looking = Looking([LOT[5], scattered[-1]], rows=scattered, pager=False)
    assert await looking.walk() == 100


async def test_a_reference_that_stands_twice_is_missing_until_both_rows_are_seen() -> None:
    lot = [*LOT[:60], LOT[0]]
    looking = Looking([LOT[0]], rows=lot, inventory=lot)
    await looking.links.add(looking.view(1))
    assert not looking.search.walk_on(looking.view(1))
    assert looking.search.missing == (LOT[0],)
    await looking.links.add(looking.view(4))
    looking.search.note(looking.view(4))
    assert not looking.search.missing


async def test_links_that_are_of_no_use_are_not_looked_for() -> None:
    looking = Looking(LOT[::100])
    looking.needed = False
    assert (await looking.walk(), looking.search.missing, looking.filtered()) == (1, (), [])


async def test_what_was_taken_is_not_taken_again() -> None:
    looking = Looking(LOT[::500])
    await looking.walk()
    assert looking.search.take() == (LOT[500], 1)
    assert (looking.search.missing, looking.search.taken) == ((LOT[1000], LOT[1500]), 1)
