"""The one walk of the grid: every row's reference and link, held against the pager's count."""

from __future__ import annotations

from collections.abc import Callable

from jdp_scraper.errors import PortalAnswered, PortalChanged, PortalDown, ScraperError, SessionExpired, StepTimeout
from jdp_scraper.events import Bus
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.grid import GridLock, GridPage
from jdp_scraper.portal.links import LinkBook

TRIES = 3


async def walk_whole_grid(grid: GridPage, book: LinkBook, lock: GridLock, account: AccountSession, *, bus: Bus) -> None:
    """Fill ``book`` with the whole inventory; raises ``PortalDown`` or ``PortalChanged`` where a part stays unseen."""
    failure = await walk_grid(grid, book, lock, account, bus=bus)
    if isinstance(failure, PortalAnswered | SessionExpired):
        raise PortalDown(f"the inventory could not be read to its end: {failure}; try again later") from failure
    if failure is not None:
        raise PortalChanged(f"the inventory could not be read to its end: {failure}") from failure


async def walk_grid(
    grid: GridPage,
    book: LinkBook,
    lock: GridLock,
    account: AccountSession,
    *,
    bus: Bus,
    still_needed: Callable[[], bool] = lambda: True,
) -> ScraperError | None:
    """Fill ``book`` from the grid and return why a part of it stayed unseen, if any did.

    Where the session's grid is shared, the lock is held for the whole walk. Raises ``PageLost`` and what stops a run.
    """
    failure: ScraperError | None = None
    try:
        for left in reversed(range(TRIES)):
            generation = account.generation
            try:
                async with lock:
                    failure = await _walk_once(grid, book, account, still_needed)
                if failure is None:
                    return None
            except SessionExpired as error:
                failure = error
                await account.mend(generation)
            except (PortalAnswered, StepTimeout) as error:
                failure = error
            bus.notice("warning", f"the walk of the grid: {failure}" + ("; once more" if left else ""))
        return failure
    finally:
        await book.end()


async def _walk_once(
    grid: GridPage, book: LinkBook, account: AccountSession, still_needed: Callable[[], bool]
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
        if not still_needed():
            return None
    book.blank = blank
    if items is not None and seen < items:
        return PortalChanged(f"the pager tells of {items} rows, {seen} were seen")
    return None
