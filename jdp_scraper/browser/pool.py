"""A fixed number of pages in the one context, lent and taken back: slots out equal slots in under any failure."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.browser.catcher import RequestCatcher
from jdp_scraper.browser.console import open_console
from jdp_scraper.browser.session import BrowserSession, close_page, first_line
from jdp_scraper.browser.upkeep import Upkeep
from jdp_scraper.browser.vitals import Vitals
from jdp_scraper.errors import PageLost, ScraperError, StepTimeout

OPEN_S = 20.0
CLOSE_S = 5.0
GATHER_S = 3.0
LONGEST_GATHER_S = 30.0
FILLED = 4
TOGETHER_S = 1.0


class PooledPage:
    """A page with its catcher and its vitals; once ``spoiled`` it is never lent again.

    ``crashed_at`` is the time on the loop's clock at which its process ended. ``stuck``: its last step came to no end.
    ``lent`` stays true of a page that came back spoiled: it is known to whoever borrowed it before its end is told.
    """

    def __init__(self, page: Page, catcher: RequestCatcher) -> None:
        self.page = page
        self.catcher = catcher
        self.vitals = Vitals()
        self.spoiled = False
        self.stuck = False
        self.lent = False
        self.crashed_at: float | None = None
        page.on("close", lambda _: self._spoil())

    def _spoil(self) -> None:
        self.spoiled = True


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """Pages lent now, slots in all, pages replaced so far; collections of garbage, and renewals of all pages."""

    lent: int
    size: int
    replaced: int
    collections: int = 0
    renewals: int = 0


@dataclass(slots=True, eq=False)
class _Slot:
    page: PooledPage | None = None
    opening: asyncio.Task[PooledPage] | None = None
    held_from: float | None = None


class PagePool:
    """Lends at most ``size`` pages at once; a page that crashed, or on which anything failed, is replaced.

    A page is made when it is first needed, or before that by ``warm_up``. Whoever borrows one gives it back by leaving
    the ``async with``. A page that an error or a cancellation leaves behind may hang or have strayed; a new one costs
    less than finding that out. As pages come back, ``Upkeep`` looks at the memory that they hold: garbage is collected
    where it has grown, and where that no longer helps all pages are opened anew, for which lending pauses for a moment.
    """

    def __init__(self, session: BrowserSession, size: int, new_catcher: Callable[[], RequestCatcher]) -> None:
        self._session = session
        self._new_catcher = new_catcher
        self._size = size
        self._free: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue()
        self._lent = 0
        self._replaced = 0
        self._renewals = 0
        self._lent_since = 0  # the pages were opened
        self._crashes: deque[float] = deque(maxlen=2 * size)  # times at which pages crashed while they were lent
        self._holds: deque[float] = deque(maxlen=4 * size)  # for how long pages were lent lately, in seconds
        self._lending = asyncio.Event()
        self._lending.set()
        self._upkeep = Upkeep(session.memory, self._well, self._renew)
        self._closers: set[asyncio.Task[None]] = set()
        self._slots = [_Slot() for _ in range(size)]
        for slot in self._slots:
            self._free.put_nowait(slot)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._upkeep.stop()
        while not self._free.empty():
            slot = self._free.get_nowait()
            self._discard(slot)
            if slot.opening is not None:
                self._in_background(_close_opened(slot.opening))
        if self._closers:
            await asyncio.wait(self._closers, timeout=CLOSE_S)

    def warm_up(self, pages: int) -> None:
        """Begin to open the pages that are lent next, in the background; one that fails is opened when borrowed."""
        for slot in reversed(self._slots[-pages:]):  # the last one is lent first
            if slot.page is None and slot.opening is None:
                slot.opening = self._begin_to_open()

    def statistics(self) -> PoolStatistics:
        """Return the numbers that progress and metrics show."""
        return PoolStatistics(self._lent, self._size, self._replaced, self._upkeep.collections, self._renewals)

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[PooledPage]:
        """Borrow a page; raises ``PageLost`` where none can be opened."""
        slot = await self._take()
        clock = asyncio.get_running_loop().time
        began = slot.held_from = clock()
        self._lent += 1
        self._lent_since += 1
        try:
            if slot.page is None or slot.page.spoiled:
                self._discard(slot)
                slot.page = await self._open(slot)
            slot.page.lent = True
            yield slot.page
        except BaseException as error:
            if slot.page is not None:
                slot.page.spoiled = True
                slot.page.stuck = isinstance(error, StepTimeout | TimeoutError | asyncio.CancelledError)
            raise
        finally:
            if slot.page is not None:
                if slot.page.spoiled:
                    self._discard(slot)
                else:
                    slot.page.lent = False
            self._lent -= 1
            self._holds.append(clock() - began)
            slot.held_from = None
            self._free.put_nowait(slot)
            self._upkeep.look_after(filling=self._lent_since < FILLED * self._size)

    async def _take(self) -> _Slot:
        """Return a free slot; one that is got while lending is paused goes back to whoever gathers them."""
        while True:
            await self._lending.wait()
            slot = await self._free.get()
            if self._lending.is_set():
                return slot
            self._free.put_nowait(slot)

    def crashed_with_others(self, pooled: PooledPage) -> bool:
        """Tell whether the page crashed together with others that were lent: one of them took along all the rest."""
        at = pooled.crashed_at
        return at is not None and sum(abs(at - other) <= TOGETHER_S for other in self._crashes) > 1

    def _begin_to_open(self) -> asyncio.Task[PooledPage]:
        return asyncio.get_running_loop().create_task(self._make(), name="open page")

    async def _open(self, slot: _Slot) -> PooledPage:
        begun, slot.opening = slot.opening, None
        if begun is not None:
            with contextlib.suppress(PageLost):  # what failed or died unused is no fault of whoever borrows now
                slot.page = await self._opened(begun)
                if not slot.page.spoiled:
                    return slot.page
                self._discard(slot)
        return await self._opened(self._begin_to_open())

    async def _opened(self, opening: asyncio.Task[PooledPage]) -> PooledPage:
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The browser opens the page all the same, and nobody but this knows of it.
            self._in_background(_close_opened(opening))
            raise

    async def _make(self) -> PooledPage:
        page: Page | None = None
        catcher = self._new_catcher()
        try:
            async with asyncio.timeout(OPEN_S):
                page = await self._session.new_page()
                pooled = PooledPage(page, catcher)
                page.on("crash", lambda _: self._note_crash(pooled))
                await asyncio.gather(catcher.attach(page), pooled.vitals.attach(page), open_console(page))
                if self._session.headless:
                    await pooled.vitals.draw_a_corner()
                return pooled
        except (TimeoutError, PlaywrightError) as error:
            if page is not None:
                self._close_later(page)
            raise PageLost(f"no page could be opened: {first_line(error)}") from error

    def _note_crash(self, pooled: PooledPage) -> None:
        pooled.spoiled, pooled.crashed_at = True, asyncio.get_running_loop().time()
        if pooled.lent:
            self._crashes.append(pooled.crashed_at)

    def _discard(self, slot: _Slot) -> None:
        page, slot.page = slot.page, None
        if page is None:
            return
        if page.spoiled:
            self._replaced += 1
            self._in_background(_close_spoiled(page))
        else:
            self._close_later(page.page)

    def _well(self) -> list[Vitals]:
        return [slot.page.vitals for slot in self._slots if slot.page is not None and not slot.page.spoiled]

    async def _renew(self) -> bool:
        """Open all pages anew, once none is lent: a process gives all back when the last page in it is closed.

        Tells whether it came to that: where one page is held for long, as while its worker waits for a vehicle, the
        others must not wait for it. Long is more than twice as long as any was held lately.
        """
        wait_s = min(max(GATHER_S, 2 * max(self._holds, default=0.0)), LONGEST_GATHER_S)
        now = asyncio.get_running_loop().time()
        if any(slot.held_from is not None and now - slot.held_from > wait_s for slot in self._slots):
            return False
        self._lending.clear()
        gathered: list[_Slot] = []
        try:
            async with asyncio.timeout(wait_s):
                while len(gathered) < self._size:
                    gathered.append(await self._free.get())
            closing = [self._close_later(slot.page.page) for slot in gathered if slot.page is not None]
            for slot in gathered:
                slot.page = None
            if closing:
                await asyncio.wait(closing)
        except TimeoutError:
            return False
        finally:
            for slot in gathered:
                self._free.put_nowait(slot)
            self._lending.set()
        self._lent_since = 0
        self._renewals += 1
        self.warm_up(self._size)
        return True

    def _close_later(self, page: Page) -> asyncio.Task[None]:
        """Close in the background and bounded: a page busy in a script may never close by itself."""
        return self._in_background(close_page(page))

    def _in_background(self, closing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(closing, name="close page")
        self._closers.add(task)
        task.add_done_callback(self._closers.discard)
        return task


async def _close_spoiled(pooled: PooledPage) -> None:
    if pooled.stuck:
        await pooled.vitals.unblock()
    await close_page(pooled.page)


async def _close_opened(opening: asyncio.Task[PooledPage]) -> None:
    with contextlib.suppress(ScraperError, TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            pooled = await opening
        await close_page(pooled.page)
