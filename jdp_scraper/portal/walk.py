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
from jdp_scraper.portal.grid import GridPage, GridView
from jdp_scraper.portal.links import LinkBook
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
    go_on: Callable[[GridView], bool] = lambda _: True,
) -> ScraperError | None:
    """Fill ``book`` from the grid and return why a part of it stayed unseen, if any did.

    ``go_on`` is asked after each page of rows.
    Where the session's grid is shared, the lock is held for the whole walk. A lost page is replaced by ``new_page``.
    Raises what stops a run.
    """
    failure: ScraperError | None = None
    for left in reversed(range(TRIES)):
        generation = account.generation
        try:
            async with held(lock, lambda: None):
                failure = await _walk_once(grid, book, account, bus, go_on)
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
        bus.notice("warning", f"the walk of the grid: {failure}" + ("; once more" if left else ""))
    await book.end()  # not where the browser was lost or the walk cut off: it is begun again then
    return failure


async def _walk_once(
    grid: GridPage, book: LinkBook, account: AccountSession, bus: Bus, go_on: Callable[[GridView], bool]
) -> ScraperError | None:
    """Walk from the first page of rows to the last; returns what seems to be missing."""
    items: int | None = None
    seen = blank = 0
    await grid.open()
    await account.learn_sign_out(grid.page)
    await grid.clear()
    async for view in grid.walk():
        items = view.pager.items if view.pager.items is not None else items
        seen, blank = seen + len(view.rows) + view.blank, blank + view.blank
        await book.add(view)
        if not go_on(view):
            return None
    book.blank = blank
    if grid.has_pager and items is None:
        bus.notice("warning", "inventory.grid.pager tells no count of items here: a row that is missed goes unnoticed")
    if items is not None and seen < items:
        return PortalChanged(f"the pager tells of {items} rows, {seen} were seen")
    return None
