"""A fixed number of pages in the one context, lent and taken back: slots out equal slots in under any failure."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.browser.catcher import RequestCatcher
from jdp_scraper.browser.session import BrowserSession, close_page, first_line
from jdp_scraper.errors import PageLost, ScraperError

OPEN_S = 20.0
CLOSE_S = 5.0


class PooledPage:
    """A page with its catcher; once ``spoiled`` it is never lent again."""

    def __init__(self, page: Page, catcher: RequestCatcher) -> None:
        self.page = page
        self.catcher = catcher
        self.spoiled = False
        page.on("crash", lambda _: self._spoil())
        page.on("close", lambda _: self._spoil())

    def _spoil(self) -> None:
        self.spoiled = True


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """Pages lent now, slots in all, pages replaced so far."""

    lent: int
    size: int
    replaced: int


@dataclass(slots=True, eq=False)
class _Slot:
    page: PooledPage | None = None
    opening: asyncio.Task[PooledPage] | None = None


class PagePool:
    """Lends at most ``size`` pages at once; a page that crashed, or on which anything failed, is replaced.

    A page is made when it is first needed, or before that by ``warm_up``. Whoever borrows one gives it back by leaving
    the ``async with``. A page that an error or a cancellation leaves behind may hang or have strayed; a new one costs
    less than finding that out.
    """

    def __init__(self, session: BrowserSession, size: int, new_catcher: Callable[[], RequestCatcher]) -> None:
        self._session = session
        self._new_catcher = new_catcher
        self._size = size
        self._free: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue()
        self._lent = 0
        self._replaced = 0
        self._closers: set[asyncio.Task[None]] = set()
        self._slots = [_Slot() for _ in range(size)]
        for slot in self._slots:
            self._free.put_nowait(slot)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._free.empty():
            slot = self._free.get_nowait()
            self._discard(slot)
            if slot.opening is not None:
                self._in_background(_close_opened(slot.opening))
        if self._closers:
            await asyncio.wait(self._closers, timeout=CLOSE_S)

    def warm_up(self) -> None:
        """Begin to open all pages in the background; what fails there is told to whoever borrows the page."""
        for slot in self._slots:
            if slot.page is None and slot.opening is None:
                slot.opening = self._begin_to_open()

    def statistics(self) -> PoolStatistics:
        """Return the numbers that progress and metrics show."""
        return PoolStatistics(self._lent, self._size, self._replaced)

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[PooledPage]:
        """Borrow a page; raises ``PageLost`` where none can be opened."""
        slot = await self._free.get()
        self._lent += 1
        try:
            if slot.page is None or slot.page.spoiled:
                self._discard(slot)
                slot.page = await self._open(slot)
            yield slot.page
        except BaseException:
            if slot.page is not None:
                slot.page.spoiled = True
            raise
        finally:
            if slot.page is not None and slot.page.spoiled:
                self._discard(slot)
            self._lent -= 1
            self._free.put_nowait(slot)

    def _begin_to_open(self) -> asyncio.Task[PooledPage]:
        return asyncio.get_running_loop().create_task(self._make(), name="open page")

    async def _open(self, slot: _Slot) -> PooledPage:
        opening, slot.opening = slot.opening or self._begin_to_open(), None
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
                await catcher.attach(page)
                return pooled
        except (TimeoutError, PlaywrightError) as error:
            if page is not None:
                self._close_later(page)
            raise PageLost(f"no page could be opened: {first_line(error)}") from error

    def _discard(self, slot: _Slot) -> None:
        page, slot.page = slot.page, None
        if page is None:
            return
        if page.spoiled:
            self._replaced += 1
        self._close_later(page.page)

    def _close_later(self, page: Page) -> None:
        """Close in the background and bounded: a page busy in a script may never close by itself."""
        self._in_background(close_page(page))

    def _in_background(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(closing, name="close page")
        self._closers.add(task)
        task.add_done_callback(self._closers.discard)


async def _close_opened(opening: asyncio.Task[PooledPage]) -> None:
    with contextlib.suppress(ScraperError, TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            pooled = await opening
        await close_page(pooled.page)
