"""Playwright's trace of the one context, kept where a vehicle finally fails and dropped where none does.

A trace holds what all pages did since it began. It is begun after the sign-in, and dropped before a password is filled
in again. While it is recorded it holds the session's cookies, so it lies in a private folder, which is emptied at the
end and by the next start; what is kept is cleaned before it gets its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from jdp_scraper.browser.trace_scrub import learn_cookies, scrub
from jdp_scraper.disk import PRIVATE, Disk
from jdp_scraper.errors import BrowserLost
from jdp_scraper.events import Bus

CALL_S = 30.0
DROP_AFTER_S = 300.0
DROP_AFTER_VEHICLES = 100


class Tracer:
    """Records while a context was given by ``begin`` and no sign-in is under way; without ``on`` it does nothing.

    As an async context manager it removes what a start that was killed left in ``folder``, and leaves nothing there.
    """

    def __init__(self, on: bool, folder: Path, disk: Disk, bus: Bus) -> None:
        self._on = on
        self._folder = folder
        self._disk = disk
        self._bus = bus
        self._context: BrowserContext | None = None
        self._recording = False
        self._signing_in = False
        self._lock = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._began = 0.0
        self._vehicles = 0
        self._last: tuple[float, Path] | None = None

    @property
    def folder(self) -> Path | None:
        """Where Playwright is to keep a trace while it is recorded."""
        return self._folder if self._on else None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._disk.remove_tree, self._folder)
        if self._on:
            await asyncio.to_thread(self._disk.make_private_folder, self._folder)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._disk.remove_tree, self._folder)

    def forget(self) -> None:
        """Give up the context, as its browser has ended; what it recorded is removed with the folder."""
        self._context, self._recording = None, False

    async def begin(self, context: BrowserContext) -> None:
        """Record from now on what ``context`` does; it is signed in. Of an earlier one nothing is kept."""
        async with self._lock:
            self._context, self._recording, self._signing_in = context, False, False
            await self._start()

    @contextlib.asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Drop what is recorded, and record again after the block; not where it raises: a form may still be filled in.

        Raises ``BrowserLost`` where the recording cannot be ended.
        """
        self._signing_in = True
        async with self._lock:
            if self._recording and not await self._stop():
                raise BrowserLost("the browser does not end its trace, and no password is sent while it records")
        yield
        self._signing_in = False
        async with self._lock:
            await self._start()

    async def turn(self) -> None:
        """Drop what is recorded now and then, so that a run in which nothing fails needs no more and more room."""
        if not self._recording:
            return
        self._vehicles += 1
        if self._vehicles >= DROP_AFTER_VEHICLES or self._now() - self._began >= DROP_AFTER_S:
            async with self._lock:
                if self._recording and await self._stop():
                    await self._start()

    async def keep(self, path: Path, since: float) -> str:
        """Save what was recorded as ``path`` and begin anew; returns what there is, in words.

        ``since``, on the loop's clock, is the begin of what it is kept for. Raises ``StorageError``.
        """
        if not self._on:
            return "none: TRACE is off"
        raw = self._folder / f"{next(self._numbers)}.zip"
        async with self._lock:
            began, before = self._began, self._last
            if not self._recording or not await self._stop(raw):
                return "none: nothing was recorded, as at a sign-in or without a browser"
            self._last = (self._now(), path)
            await self._start()
            with contextlib.suppress(OSError, zipfile.BadZipFile):  # told below
                await self._learn(raw)  # still in turn: the next one may show what only this one tells
        try:
            await asyncio.to_thread(self._clean, raw, path)
        except (OSError, zipfile.BadZipFile) as error:
            return f"none: it cannot be read: {type(error).__name__}"
        finally:
            await asyncio.to_thread(self._disk.remove, raw)
        if since >= began:
            return path.name
        was = "was dropped" if before is None or before[0] <= since else f"is in {before[1].parent.name}"
        return f"{path.name}; what came before {was}"

    async def _learn(self, raw: Path) -> None:
        """Learn the cookies that pages of this trace may show, also one whose answer has come since its end."""
        if self._context is not None:
            with contextlib.suppress(TimeoutError, PlaywrightError):
                async with asyncio.timeout(CALL_S):
                    self._bus.secrets.add_cookies(await self._context.cookies())
        await asyncio.to_thread(learn_cookies, raw, self._bus.secrets)

    def _clean(self, raw: Path, path: Path) -> None:
        self._disk.make_folder(path.parent)
        self._disk.write_with(path, lambda file: scrub(raw, file, self._bus.secrets), PRIVATE)

    async def _start(self) -> None:
        if not self._on or self._context is None or self._signing_in or self._recording:
            return
        self._recording = True  # also where no answer comes: what may record is ended before a password is filled in
        try:
            async with asyncio.timeout(CALL_S):
                # No pictures: what they show cannot be searched for secrets.
                await self._context.tracing.start(snapshots=True, screenshots=False, sources=False)
        except (TimeoutError, PlaywrightError) as error:
            self._recording = isinstance(error, TimeoutError)
            self._bus.notice("debug", "the browser begins no trace")
        self._began, self._vehicles = self._now(), 0

    async def _stop(self, path: Path | None = None) -> bool:
        """End the recording, dropped without a ``path``, and tell whether that worked."""
        if self._context is None:
            return False
        try:
            async with asyncio.timeout(CALL_S):
                await (self._context.tracing.stop() if path is None else self._context.tracing.stop(path=path))
        except (TimeoutError, PlaywrightError):
            return False
        self._recording = False
        await asyncio.to_thread(self._tidy)
        return True

    def _tidy(self) -> None:
        """Remove what was recorded: Playwright leaves it in a folder that it was given."""
        for path in self._folder.iterdir():
            if path.is_dir():
                self._disk.remove_tree(path)
            elif path.suffix != ".zip":  # those are being cleaned
                self._disk.remove(path)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
