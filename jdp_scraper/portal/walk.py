"""The one walk of the grid: every row's reference and link, held against the pager's count."""

from __future__ import annotations

from collections.abc import Callable

from jdp_scraper.errors import PortalAnswered, SessionExpired, StepTimeout
from jdp_scraper.events import Bus
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.grid import GridLock, GridPage
from jdp_scraper.portal.links import LinkBook

TRIES = 3


async def walk_grid(
    grid: GridPage,
    book: LinkBook,
    lock: GridLock,
    account: AccountSession,
    *,
    bus: Bus,
    still_needed: Callable[[], bool] = lambda: True,
) -> None:
    """Fill ``book`` from the grid; rows that are missing at the end are told, and tried by the filter later.

    Where the session's grid is shared, the lock is held for the whole walk. Raises ``PageLost`` and what stops a run.
    """
    try:
        for left in reversed(range(TRIES)):
            generation = account.generation
            try:
                async with lock:
                    complete = await _walk_once(grid, book, bus, still_needed)
                if complete or not left:
                    return
            except SessionExpired:
                await account.mend(generation)
            except (PortalAnswered, StepTimeout) as error:
                bus.notice("warning", f"the walk of the grid failed: {error}" + ("; once more" if left else ""))
    finally:
        await book.end()


async def _walk_once(grid: GridPage, book: LinkBook, bus: Bus, still_needed: Callable[[], bool]) -> bool:
    """Walk from the first page of rows to the last; tells whether nothing seems to be missing."""
    items: int | None = None
    await grid.open()
    await grid.clear()
    async for view in grid.walk():
        items = view.pager.items if view.pager.items is not None else items
        await book.add(view)
        if not still_needed():
            return True
    if items is not None and book.rows_seen < items:
        bus.notice("warning", f"the grid tells of {items} rows, {book.rows_seen} were seen")
        return False
    return True
