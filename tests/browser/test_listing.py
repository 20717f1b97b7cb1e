"""The inventory from the portal's export, and what is learned of the grid on the way to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.events import Notice
from jdp_scraper.portal.grid import GridPage, GridView
from jdp_scraper.portal.inventory import Listing
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.listing import list_inventory
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.vehicle_page import VehicleOpener
from jdp_scraper.portal.visit import Visit
from jdp_scraper.vehicle import Vehicle

from ..unit.portal.profiles import profile_of
from .conftest import STEP_S, Ear, StartPortal
from .test_account import Account


async def test_the_rows_seen_before_the_export_can_be_worked_on_at_once(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=50)
    account = Account(browser, Site(profile_of(), portal.url), tmp_path, ear)
    session, links = account.session(), LinkBook()
    visit = Visit(browser, await browser.new_page())
    await session.open(visit)
    listing = await list_inventory(visit, account.site, session, links, bus=ear.bus, seconds=STEP_S)
    await session.close()
    assert len(listing.vehicles) == 50
    assert not links.ended and links.rows() == [], "the walk is still to come"
    for vehicle in listing.vehicles[:20]:
        (row,) = await links.rows_of(vehicle)
        assert row.link and row.early


@pytest.mark.parametrize("pager", ["always", "several"])
async def test_a_filter_that_was_left_on_and_shows_nothing_hides_neither_the_inventory_nor_a_vehicle(
    pager: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=50, pager=pager, export_filtered=True)
    account = Account(browser, Site(profile_of(), portal.url), tmp_path, ear)
    session, links = account.session(), LinkBook()
    visit = Visit(browser, await browser.new_page())
    await session.open(visit)
    grid = GridPage(visit.page, account.site, STEP_S)

    async def leave_on() -> None:
        await grid.open()
        assert (await grid.filter("no such reference")).is_empty

    await leave_on()
    listing = await list_inventory(visit, account.site, session, links, bus=ear.bus, seconds=STEP_S)
    assert len(listing.vehicles) == 50
    await leave_on()
    opener = VehicleOpener(
        Site(profile_of(vehicle__open="click"), portal.url), links, None, seconds=STEP_S, bus=ear.bus
    )
    one = (await portal.inventory())[30]
    page = await browser.new_page()
    await opener.open(page, Vehicle(one["reference"], one["vin"]), lambda: None)
    assert page.url.endswith(one["key"])
    await session.close()


@pytest.mark.parametrize("at", ["grid_page", "grid"])
async def test_a_license_that_is_asked_for_at_the_grid_is_accepted_before_the_listing(
    at: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=50)
    account = Account(browser, Site(profile_of(), portal.url), tmp_path, ear)
    session = account.session()
    visit = Visit(browser, await browser.new_page())
    await session.open(visit)
    await portal.fault("license", at=at)
    async with asyncio.timeout(STEP_S / 2):
        listing = await list_inventory(visit, account.site, session, LinkBook(), bus=ear.bus, seconds=STEP_S)
    assert len(listing.vehicles) == 50
    assert (await portal.ledger())["license_accepted"] == 2
    await session.close()


@asynccontextmanager
async def listing_by_the_grid(
    browser: BrowserSession, portal: DemoPortal, folder: Path, ear: Ear
) -> AsyncIterator[tuple[LinkBook, Callable[[], Awaitable[Listing]]]]:
    """The site without an export: the book that its walk fills, and the listing."""
    account = Account(browser, Site(profile_of("plain"), portal.url), folder, ear)
    session, links = account.session(), LinkBook()
    visit = Visit(browser, await browser.new_page())
    await session.open(visit)
    yield links, lambda: list_inventory(visit, account.site, session, links, bus=ear.bus, seconds=STEP_S)
    await session.close()


def warnings(ear: Ear) -> list[str]:
    return [one.text for one in ear.events if isinstance(one, Notice) and one.level == "warning"]


@pytest.mark.parametrize("times", [1, 100])
async def test_an_inventory_that_shrinks_while_it_is_walked_loses_no_vehicle(
    times: int,
    browser: BrowserSession,
    start_portal: StartPortal,
    tmp_path: Path,
    ear: Ear,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    portal = await start_portal(site="plain", vehicles=25, page_size=5)
    gone: list[str] = []

    async with listing_by_the_grid(browser, portal, tmp_path, ear) as (links, list_it):
        add = links.add

        async def add_and_sell(view: GridView) -> None:
            await add(view)
            if view.pager.page == 1 and len(gone) < times:
                gone.append(view.rows[2].vehicle.reference)
                await portal.change_lot(remove=gone[-1:])

        monkeypatch.setattr(links, "add", add_and_sell)
        listing = await list_it()
    listed = {vehicle.reference for vehicle in listing.vehicles}
    left = {one["reference"] for one in await portal.inventory()}
    told = [
        f"the walk of the grid: the pager told of {25 - sold} rows, then of {24 - sold}" for sold in range(len(gone))
    ]
    if times == 1:
        assert listed == left
        assert warnings(ear) == [f"{told[0]}; once more"]
    else:
        assert len(gone) == 3
        assert listed == left | set(gone), "what slipped past one walk was seen by another"
        assert warnings(ear) == [
            f"{told[0]}; once more",
            f"{told[1]}; once more",
            f"{told[2]}; going on with what was seen",
        ]


async def test_pages_of_rows_without_a_reference_do_not_end_the_walk(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(site="plain", vehicles=25, page_size=5, blank_references=12)
    await portal.change_lot(add=1)
    async with listing_by_the_grid(browser, portal, tmp_path, ear) as (_, list_it):
        listing = await list_it()
    named = [one["reference"] for one in await portal.inventory() if one["reference"]]
    assert [vehicle.reference for vehicle in listing.vehicles] == named
    assert warnings(ear) == ["12 rows have no reference and are left out"]
