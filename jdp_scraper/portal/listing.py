"""List the whole inventory, by the portal's export or by a walk of its grid; tried again where the portal stumbles."""

from __future__ import annotations

import asyncio

from jdp_scraper.errors import PageLost, PortalAnswered, SessionExpired, StepTimeout, VehicleError
from jdp_scraper.events import Bus
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.grid import GridPage, grid_lock
from jdp_scraper.portal.inventory import Listing, fetch_export, read_listing
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.profile import Export
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.visit import Visit
from jdp_scraper.portal.walk import walk_whole_grid

EXPORT_S = 120.0
TRIES = 6
FIRST_PAUSE_S = 0.5  # it doubles


async def list_inventory(
    visit: Visit, site: Site, account: AccountSession, links: LinkBook, *, bus: Bus, seconds: float
) -> Listing:
    """Return the inventory in the portal's order; rows of the grid that are seen on the way go into ``links``.

    They are early ones there where the walk is still to come. Raises ``InventoryError`` kinds, ``PortalDown``,
    ``PortalChanged``, what ``AccountSession.mend`` raises, and the last try's ``VehicleError``.
    """
    rule = site.profile.inventory
    grid = GridPage(visit.page, site, seconds)
    if rule.export is not None:
        return await _by_export(rule.export, grid, visit, account, links, site=site, bus=bus)
    lock, new_page = grid_lock(rule.grid), visit.browser.new_page
    vehicles = await walk_whole_grid(grid, links, lock, account, bus=bus, new_page=new_page)
    if links.blank:
        bus.notice("warning", f"{links.blank} rows have no reference and are left out")
    return Listing(vehicles)


async def _by_export(
    export: Export,
    grid: GridPage,
    visit: Visit,
    account: AccountSession,
    links: LinkBook,
    *,
    site: Site,
    bus: Bus,
) -> Listing:
    """Export until the file holds what the grid counts, or the same for the second time."""
    short: Listing | None = None
    failure: VehicleError = PortalAnswered("inventory export: no answer")
    for tried in range(TRIES):
        generation = account.generation
        try:
            listing, counted = await _export_once(export, grid, site, account, links)
            if counted is None or listing.lines >= counted:
                return listing
            failure = PortalAnswered(f"the grid counts {counted} vehicles, the export holds {listing.lines} of them")
            if short is not None and short.lines == listing.lines:
                bus.notice("warning", f"{failure}: what the export leaves out is not fetched")
                return listing
            short = listing
        except SessionExpired as error:
            failure = error
            await account.mend(generation)
        except PageLost as error:
            failure = error
            grid.move_to(await visit.browser.new_page())
        except (PortalAnswered, StepTimeout) as error:
            failure = error
        bus.notice("warning", f"{failure}; once more")
        await asyncio.sleep(FIRST_PAUSE_S * 2**tried)
    raise failure


async def _export_once(
    export: Export, grid: GridPage, site: Site, account: AccountSession, links: LinkBook
) -> tuple[Listing, int | None]:
    """Return what the export holds, and how many vehicles the grid counts."""
    await grid.open()
    await account.learn_sign_out(grid.page)
    view = await grid.clear()  # a filter that is on would hold for the export, too
    listing = read_listing(await fetch_export(grid.page, site, export, EXPORT_S), export.columns)
    await links.add_early(view)  # work can begin with these while the walk opens the grid anew
    return listing, None if view.filtered else view.pager.items
