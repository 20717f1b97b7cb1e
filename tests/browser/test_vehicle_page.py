"""A vehicle opened by a row that may have moved since it was seen, before the walk or in an earlier session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.errors import NotShown, PortalAnswered, StepTimeout
from jdp_scraper.events import Notice
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.grid import GridRow, GridView, Pager
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.vehicle_page import VehicleOpener
from jdp_scraper.portal.visit import Visit
from jdp_scraper.vehicle import Vehicle

from ..support.program import until_portal
from ..unit.portal.profiles import profile_of
from .conftest import STEP_S, Ear, StartPortal
from .test_account import Account

NOWHERE = "nowhere"


@dataclass
class Scene:
    """A page that is signed in, and what opens one of the portal's vehicles on it; ``keys`` are its and another's."""

    portal: DemoPortal
    page: Page
    ear: Ear
    links: LinkBook
    opener: VehicleOpener
    vehicle: Vehicle
    keys: tuple[str, str]
    account: AccountSession
    waits: list[None] = field(default_factory=list)

    def address(self, key: str) -> str:
        return f"{self.portal.url}/ValuesOnline/vehicle/Bookout/{key}"

    def view(self, key: str) -> GridView:
        """A page of rows on which the vehicle's link holds this key."""
        return GridView((GridRow(self.vehicle, self.address(key)),), Pager(), has_next=False, filtered=False)

    async def open(self) -> None:
        await self.opener.open(self.page, self.vehicle, lambda: self.waits.append(None))

    async def begun(self) -> asyncio.Future[None]:
        """Return the opening, once a vehicle's page has been asked for."""
        opening = asyncio.ensure_future(self.open())
        await until_portal(self.portal, lambda ledger: ledger["points"].get("vehicle") or opening.done())
        return opening

    def ways(self) -> list[str]:
        """By what vehicles are opened, each time that it was decided."""
        texts = [event.text for event in self.ear.events if isinstance(event, Notice)]
        return [text.split()[4].rstrip(":") for text in texts if text.startswith("vehicles are opened by")]


@asynccontextmanager
async def signed_in(
    browser: BrowserSession,
    start_portal: StartPortal,
    folder: Path,
    ear: Ear,
    way: str = "auto",
    *,
    seconds: float = STEP_S,
    **options: Any,
) -> AsyncIterator[Scene]:
    portal = await start_portal(**{"vehicles": 3} | options)
    site = Site(profile_of(vehicle__open=way), portal.url)
    session = Account(browser, site, folder, ear).session()
    links = LinkBook(lambda: session.generation)
    await session.open(Visit(browser, await browser.new_page()))
    one, other, _ = await portal.inventory()
    vehicle = Vehicle(one["reference"], one["vin"])
    opener = VehicleOpener(site, links, None, seconds=seconds, bus=ear.bus)
    page = await browser.new_page()
    try:
        yield Scene(portal, page, ear, links, opener, vehicle, (one["key"], other["key"]), session)
    finally:
        await session.close()


@pytest.mark.parametrize("way", ["auto", "address"])
@pytest.mark.parametrize("stale", ["another's", NOWHERE])
async def test_an_early_row_that_has_moved_gives_way_to_the_walk_s_within_the_same_try(
    way: str, stale: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear, way) as scene:
        own, other = scene.keys
        await scene.links.add_early(scene.view(NOWHERE if stale == NOWHERE else other))
        opening = await scene.begun()
        assert not opening.done()
        await scene.links.add(scene.view(own))
        await opening
        assert scene.page.url == scene.address(own)
        assert scene.waits, "whoever watches was told nothing"
        assert scene.ways() == ["address"] * (way == "auto")


async def test_an_early_row_that_is_right_opens_its_vehicle_before_the_walk(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear) as scene:
        await scene.links.add_early(scene.view(scene.keys[0]))
        await scene.open()
        assert scene.page.url == scene.address(scene.keys[0])
        assert scene.ways() == ["address"]


async def test_a_vehicle_whose_early_row_has_moved_is_looked_for_by_the_filter_where_the_walk_does_not_show_it(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear) as scene:
        await scene.links.add_early(scene.view(scene.keys[1]))
        opening = await scene.begun()
        await scene.links.end()
        await opening
        assert scene.page.url == scene.address(scene.keys[0])
        assert scene.ways() == [], "nothing was learned of how vehicles are opened"


async def test_a_portal_that_fails_at_an_early_row_is_told_and_the_row_not_taken_again(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear) as scene:
        own, other = scene.keys
        await scene.links.add_early(scene.view(other))
        await scene.portal.fault("error_503", at="vehicle")
        with pytest.raises(PortalAnswered, match="status 503"):
            await scene.open()
        await scene.links.end()  # so that the filter has to find it
        await scene.open()
        assert scene.page.url == scene.address(own)
        assert (await scene.portal.ledger())["vehicle_opens"] == {scene.vehicle.reference: 1}


@pytest.mark.parametrize("way", ["auto", "address"])
async def test_a_walk_s_row_that_leads_astray_gives_way_to_a_click_within_the_same_try(
    way: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear, way) as scene:
        await scene.links.add(scene.view(NOWHERE))
        await scene.links.end()
        await scene.open()
        assert scene.page.url == scene.address(scene.keys[0])
        assert scene.ways() == ["click"] * (way == "auto")


async def test_where_no_click_opens_the_vehicle_either_its_address_is_told_of_and_not_blamed(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear) as scene:
        await scene.portal.change_lot(remove=[scene.vehicle.reference])
        await scene.links.add(scene.view(scene.keys[0]))
        await scene.links.end()
        for _ in range(2):
            with pytest.raises(PortalAnswered, match="status 404"):
                await scene.open()
        assert scene.ways() == []


async def test_pages_that_show_nothing_after_a_click_either_are_not_clicked_for_again(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear, "address", seconds=1.0) as scene:
        await scene.portal.fault("gone_softly", at="vehicle", times=-1)
        await scene.links.add(scene.view(scene.keys[0]))
        await scene.links.end()
        callbacks = []
        for _ in range(3):
            with pytest.raises(NotShown):
                await scene.open()
            callbacks.append((await scene.portal.ledger())["grid_callbacks"])
        assert callbacks[0] == callbacks[1] == callbacks[2]


async def test_a_portal_that_does_not_answer_says_nothing_of_addresses(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear, seconds=3.0, hang_s=600) as scene:
        await scene.portal.fault("hang", at="vehicle", times=3)
        await scene.links.add(scene.view(scene.keys[0]))
        for _ in range(3):
            page = await browser.new_page()
            with pytest.raises(StepTimeout):
                await scene.opener.open(page, scene.vehicle, lambda: None)
            await page.goto("about:blank")  # the next page that opens the same address would wait for this one's answer
        await scene.open()
        assert scene.ways() == ["address"]


@pytest.mark.parametrize("way", ["auto", "address"])
async def test_an_address_that_ended_with_its_session_gives_way_to_another_walk_s_within_the_same_try(
    way: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear, way) as scene:
        await scene.links.add(scene.view(NOWHERE))
        await scene.links.end()
        await scene.portal.expire()
        await scene.account.mend(scene.account.generation)
        opening = await scene.begun()
        await scene.links.until_incomplete()
        assert not opening.done()
        scene.links.begin_again()
        await scene.links.add(scene.view(scene.keys[0]))
        await opening
        assert scene.page.url == scene.address(scene.keys[0])
        assert scene.ways() == ["address"] * (way == "auto")


@pytest.mark.parametrize("way", ["auto", "address"])
async def test_a_row_of_another_vehicle_with_the_same_reference_is_no_fault_of_its_address(
    way: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    async with signed_in(browser, start_portal, tmp_path, ear, way) as scene:
        scene.links.expect({scene.vehicle.reference: 2})
        nameless = Vehicle(scene.vehicle.reference)  # the grid tells no VIN
        own, other = (
            GridView((GridRow(nameless, scene.address(key)),), Pager(), has_next=False, filtered=False)
            for key in scene.keys
        )
        await scene.links.add(other)
        opening = await scene.begun()
        assert not opening.done()
        await scene.links.add(own)
        await opening
        assert scene.page.url == scene.address(scene.keys[0])
        assert scene.ways() == ["address"] * (way == "auto")
        assert len(await scene.links.rows_of(nameless)) == 2
        assert all(row.link for row in scene.links.rows()), "the other vehicle's address is forgotten"
