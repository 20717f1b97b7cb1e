"""What a grid tells in text: its pager, and whose a row is."""

from __future__ import annotations

import asyncio

import pytest

from jdp_scraper.portal.grid import GridRow, Pager, grid_lock, is_row_of, read_pager
from jdp_scraper.vehicle import Vehicle

from .profiles import profile_of

JDPOWER = profile_of("jdpower").inventory.grid.pager
PLAIN = profile_of("plain").inventory.grid.pager


@pytest.mark.parametrize(
    ("pattern", "text", "pager"),
    [
        (JDPOWER, "Prev\nPage 1 of 98 (1950 items)\nNext", Pager(1, 98, 1950)),
        (JDPOWER, "page 7 OF 98 (1950 Items)", Pager(7, 98, 1950)),
        (JDPOWER, "No pager here", Pager()),
        (JDPOWER, "", Pager()),
        (None, "Page 1 of 98 (1950 items)", Pager()),
        (PLAIN, "Back 2 / 6 \u00b7 60 vehicles More", Pager(2, 6, 60)),
        (r"(?P<items>\d+) cars", "60 cars", Pager(items=60)),
        (r"(?P<items>[\d,. ]+) cars", "all of 1,950 cars", Pager(items=1950)),
    ],
)
def test_a_pager_tells_its_numbers_as_far_as_its_pattern_finds_them(
    pattern: str | None, text: str, pager: Pager
) -> None:
    assert read_pager(pattern, text) == pager


@pytest.mark.parametrize(
    ("pattern", "text", "pager"),
    [
        (r"Page (?P<page>\d+)( of (?P<pages>\d+))?", "Page 3", Pager(page=3)),
        (r"Page (?P<page>\d+), (?P<items>[\d,]*) ?items", "Page 3, items", Pager(page=3)),
        (r"(?P<page>\d+) (?P<note>\w*)", "3 x", Pager(page=3)),
    ],
)
def test_a_part_that_a_pager_may_leave_out_is_not_told(pattern: str, text: str, pager: Pager) -> None:
    assert read_pager(pattern, text) == pager


@pytest.mark.parametrize(
    ("row", "vehicle", "same"),
    [
        (Vehicle("7", "V"), Vehicle("7", "V"), True),
        (Vehicle("7"), Vehicle("7", "V"), True),
        (Vehicle("7", "V"), Vehicle("7"), True),
        (Vehicle("7", "V"), Vehicle("7", "W"), False),
        (Vehicle("7A"), Vehicle("7"), False),
        (Vehicle("7A", "V"), Vehicle("7", "V"), False),
        (Vehicle("7", "V", year=2020), Vehicle("7", "V", year=2021), True),
    ],
)
def test_a_row_is_a_vehicle_s_by_its_whole_reference_and_its_vin(row: Vehicle, vehicle: Vehicle, same: bool) -> None:
    assert is_row_of(GridRow(row, None), vehicle) is same


def test_a_grid_that_is_the_session_s_is_held_by_one_page_at_a_time() -> None:
    assert isinstance(grid_lock(profile_of(inventory__grid__state="session").inventory.grid), asyncio.Lock)
    assert grid_lock(profile_of(inventory__grid__state="page").inventory.grid) is None
