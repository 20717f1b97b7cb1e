"""The one walk of the grid: every row's reference and link, held against the pager's count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
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
from jdp_scraper.portal.grid import GridPage, GridRow, GridView
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.search import Search
from jdp_scraper.vehicle import Vehicle
from jdp_scraper.waiting import held

TRIES = 3
NewPage: TypeAlias = Callable[[], Awaitable[Page]]


@dataclass
class Tally:
    """What a walk has seen so far, page after page of rows; ``whole`` once the last one was seen."""

    rows: list[GridRow] = field(default_factory=list)
    blank: int = 0
    items: int | None = None
    changed: tuple[int, int] | None = None
    whole: bool = False

    def add(self, view: GridView) -> None:
        """Take in a page of rows."""
        items = view.pager.items
        if items is not None:
            if self.items is not None and self.items != items:
                self.changed = self.items, items
            self.items = items
        self.rows += (*view.rows, *view.unnamed)
        self.blank += view.blank

    def missing(self) -> PortalChanged | None:
        """Return what is wrong with a walk to the last page that has seen fewer rows than an unchanging pager told."""
        if not self.whole or self.items is None or self.changed or len(self.rows) >= self.items:
            return None
        return PortalChanged(f"the pager tells of {self.items} rows, {len(self.rows)} were seen")

    def moved(self, before: Tally | None) -> str | None:
        """Return what tells that rows have moved from page to page, so that one may have slipped past the walk.

        A row that is seen twice stands there twice where the walk ``before`` has seen the very same.
        """
        if self.changed:
            return "the pager told of {} rows, then of {}".format(*self.changed)
        distinct = len(set(self.rows))
        if self.items is None or distinct >= self.items or (before is not None and before.rows == self.rows):
            return None
        return f"the pager tells of {self.items} rows, {distinct} were seen, some of them twice"


async def walk_whole_grid(
    grid: GridPage,
    book: LinkBook,
    lock: asyncio.Lock | None,
    account: AccountSession,
    *,
    bus: Bus,
    new_page: NewPage,
) -> tuple[Vehicle, ...]:
    """Fill ``book`` with the whole inventory and return its vehicles.

    Raises ``PortalDown`` or ``PortalChanged`` where a part stays unseen.
    """
    walks: list[Tally] = []
    failure = await walk_grid(grid, book, lock, account, bus=bus, new_page=new_page, walks=walks)
    if isinstance(failure, PortalAnswered | SessionExpired | PageLost):
        raise PortalDown(f"the inventory could not be read to its end: {failure}; try again later") from failure
    if failure is not None:
        raise PortalChanged(f"the inventory could not be read to its end: {failure}") from failure
    *before, last = walks
    sure = last.moved(before[-1] if before else None) is None
    rows = dict.fromkeys(row for walk in ((last,) if sure else (last, *before)) for row in walk.rows)
    return tuple(row.vehicle for row in rows if row.vehicle.reference)


async def walk_grid(
    grid: GridPage,
    book: LinkBook,
    lock: asyncio.Lock | None,
    account: AccountSession,
    *,
    bus: Bus,
    new_page: NewPage,
    search: Search | None = None,
    walks: list[Tally] | None = None,
) -> ScraperError | None:
    """Fill ``book`` from the grid and return why a part of it stayed unseen, if any did.

    The whole grid is walked, or as much of it as ``search`` asks for; what that is still missing then is looked for by
    the filter, one after the other on the same page. Where the session's grid is shared, the lock is held for the whole
    walk, and for each filtering. A lost page is replaced by ``new_page``. Raises what stops a run.

    Rows that move from page to page while they are walked are walked again, unless a filter looks for what is missing;
    after the last try that is told, and is no failure. ``walks`` takes what was seen by the walks to the last page.
    """
    failure: ScraperError | None = None
    moved: str | None = None
    walks = [] if walks is None else walks
    tries = TRIES
    while tries:
        generation = account.generation
        taken = search.taken if search is not None else 0
        try:
            tally = await _look_once(grid, book, lock, account, bus=bus, search=search)
            failure, moved = tally.missing(), None
            if tally.whole and (search is None or not grid.has_filter):
                moved = tally.moved(walks[-1] if walks else None)
                walks.append(tally)
            if failure is None and moved is None:
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
        then = "; once more" if tries else "" if failure else "; going on with what was seen"
        bus.notice("warning", f"the walk of the grid: {failure or moved}{then}")
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
) -> Tally:
    """Walk, then filter for what is still missing; returns what the walk has seen."""
    async with held(lock, lambda: None):
        tally = await _walk_once(grid, book, account, bus, search)
    if search is not None and not tally.whole:
        await _filter_for_missing(grid, book, lock, bus, search)
    return tally


async def _walk_once(grid: GridPage, book: LinkBook, account: AccountSession, bus: Bus, search: Search | None) -> Tally:
    """Walk from the first page of rows on, as far as ``search`` wants it; returns what was seen."""
    tally = Tally()
    await grid.open()
    await account.learn_sign_out(grid.page)
    await grid.clear()
    async for view in grid.walk():
        tally.add(view)
        await book.add(view)
        if search is not None and not search.walk_on(view):
            return tally
    tally.whole = True
    book.blank = tally.blank
    if grid.has_pager and tally.items is None:
        bus.notice("warning", "inventory.grid.pager tells no count of items here: a row that is missed goes unnoticed")
    return tally


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
