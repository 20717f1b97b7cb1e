"""The inventory from the portal's export, and what is learned of the grid on the way to it."""

from __future__ import annotations

from pathlib import Path

from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.listing import list_inventory
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.visit import Visit

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
