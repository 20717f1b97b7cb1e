"""The one walk of the grid: every row's reference and link, held against the pager's count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from playwright.async_api import Page

from jdp_scraper.errors import (
    PageLost,
    PortalAnswered,
    PortalChanged,
    PortalDown,
    ScraperError,
    SessionExpired,
    StepTimeout,
)
from jdp_scraper.events import Bus
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.grid import GridPage
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.search import Search
from jdp_scraper.waiting import held

TRIES = 3
NewPage: TypeAlias = Callable[[], Awaitable[Page]]


async def walk_whole_grid(
    grid: GridPage,
    book: LinkBook,
    lock: asyncio.Lock | None,
    account: AccountSession,
    *,
    bus: Bus,
    new_page: NewPage,
) -> None:
    """Fill ``book`` with the whole inventory; raises ``PortalDown`` or ``PortalChanged`` where a part stays unseen."""
    failure = await walk_grid(grid, book, lock, account, bus=bus, new_page=new_page)
    if isinstance(failure, PortalAnswered | SessionExpired | PageLost):
        raise PortalDown(f"the inventory could not be read to its end: {failure}; try again later") from failure
    if failure is not None:
        raise PortalChanged(f"the inventory could not be read to its end: {failure}") from failure


async def walk_grid(
    grid: GridPage,
    book: LinkBook,
    lock: asyncio.Lock | None,
    account: AccountSession,
    *,
    bus: Bus,
    new_page: NewPage,
    search: Search | None = None,
) -> ScraperError | None:
    """Fill ``book`` from the grid and return why a part of it stayed unseen, if any did.

    The whole grid is walked, or as much of it as ``search`` asks for; what that is still missing then is looked for by
    the filter, one after the other on the same page. Where the session's grid is shared, the lock is held for the whole
    walk, and for each filtering. A lost page is replaced by ``new_page``. Raises what stops a run.
    """
    failure: ScraperError | None = None
    tries = TRIES
    while tries:
        generation = account.generation
        taken = search.taken if search is not None else 0
        try:
            failure = await _look_once(grid, book, lock, account, bus=bus, search=search)
            if failure is None:
                break
        except SessionExpired as error:
            failure = error
            await account.mend(generation)
        except PageLost as error:
            failure = error
            grid.move_to(await new_page())
        except (PortalAnswered, StepTimeout) as error:
            failure = error
        got_on = search is not None and search.taken > taken + 1  # what the filter has shown is not looked for again
        tries = TRIES if got_on else tries - 1
        bus.notice("warning", f"the walk of the grid: {failure}" + ("; once more" if tries else ""))
    await book.end()  # not where the browser was lost or the walk cut off: it is begun again then
    return failure


async def _look_once(
    grid: GridPage,
    book: LinkBook,
    lock: asyncio.Lock | None,
    account: AccountSession,
    *,
    bus: Bus,
    search: Search | None,
) -> ScraperError | None:
    """Walk, then filter for what is still missing; returns what seems to be missing in a whole walk."""
    async with held(lock, lambda: None):
        whole, failure = await _walk_once(grid, book, account, bus, search)
    if search is not None and not whole:
        await _filter_for_missing(grid, book, lock, bus, search)
    return failure


async def _walk_once(
    grid: GridPage, book: LinkBook, account: AccountSession, bus: Bus, search: Search | None
) -> tuple[bool, ScraperError | None]:
    """Walk from the first page of rows on; returns whether it came to the last, and what seems to be missing then."""
    items: int | None = None
    seen = blank = 0
    await grid.open()
    await account.learn_sign_out(grid.page)
    await grid.clear()
    async for view in grid.walk():
        items = view.pager.items if view.pager.items is not None else items
        seen, blank = seen + len(view.rows) + view.blank, blank + view.blank
        await book.add(view)
        if search is not None and not search.walk_on(view):
            return False, None
    book.blank = blank
    if grid.has_pager and items is None:
        bus.notice("warning", "inventory.grid.pager tells no count of items here: a row that is missed goes unnoticed")
    if items is not None and seen < items:
        return True, PortalChanged(f"the pager tells of {items} rows, {seen} were seen")
    return True, None


async def _filter_for_missing(
    grid: GridPage, book: LinkBook, lock: asyncio.Lock | None, bus: Bus, search: Search
) -> None:
    """Look for each missing row by the filter, in the order in which the workers want them.

    It costs one callback a reference, where a worker on its own would open the grid, filter and click. A reference that
    is not found, or at which the grid fails, is left to its worker.
    """
    if missing := search.missing:
        bus.notice("debug", f"the walk of the grid goes no further: {len(missing)} rows are looked for by the filter")
    await book.narrow(missing)
    while (wanted := search.take()) is not None:
        reference, rows = wanted
        async with held(lock, lambda: None):
            async for view in grid.filtered(reference):
                await book.add(view)
                search.note(view)  # it may show others that are wanted
                if book.count(reference) >= rows:
                    break
        await book.leave(reference)
