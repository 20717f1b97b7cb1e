"""Playwright's driver: a process of its own, whose start takes as long as a run's imports and goes on beside them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import weakref
from importlib.util import cache_from_source
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from playwright.async_api import Playwright, async_playwright

from jdp_scraper.browser.options import DRIVER_OPTIONS
from jdp_scraper.environment import set_meanwhile

STOP_S = 10.0
KILLED_S = 2.0
_SIGN = "run-driver"  # in the driver's command line

# The environment is shared, and a new child can be told from another's only while nothing else is started.
_starting: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()


class Driver:
    """Begun by ``async with`` and ready when ``playwright`` returns; whoever uses it may close it before the end."""

    def __init__(self) -> None:
        self._before: set[psutil.Process] = set()
        self._process: psutil.Process | None = None
        self._start: asyncio.Task[Playwright] | None = None
        self._hangs = False

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if self._hangs:  # it would outlive this program, where no browser has looked after its processes
            for process in await asyncio.to_thread(self.processes):
                with contextlib.suppress(psutil.Error):
                    process.kill()
            await asyncio.sleep(KILLED_S)  # the loop learns of their end before it is closed, and says nothing of it

    async def playwright(self) -> Playwright:
        """Return what drives browsers; raises whatever its start has raised."""
        return await asyncio.shield(self._begin())

    def processes(self) -> list[psutil.Process]:
        """Return the driver's process, if there is one, with all that it has started; blocks for a moment."""
        self._process = self._process or self._find()
        if self._process is None:
            return []
        with contextlib.suppress(psutil.Error):
            return [self._process, *self._process.children(recursive=True)]
        return [self._process]

    async def close(self) -> None:
        """Stop it, bounded, also while it starts; a process that stays is left to whoever counts processes."""
        start, self._start = self._start, None
        if start is None:
            return
        try:
            async with asyncio.timeout(STOP_S):
                playwright = await start
                await playwright.stop()
        except TimeoutError:
            self._hangs = True
        except Exception:  # noqa: S110 - it was told to whoever wanted the driver; nobody did otherwise
            pass

    def _begin(self) -> asyncio.Task[Playwright]:
        if self._start is None:
            self._start = asyncio.get_running_loop().create_task(self._started(), name="start driver")
        return self._start

    async def _started(self) -> Playwright:
        async with _starting.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            self._before = set(psutil.Process().children())
            with set_meanwhile(_options()):
                playwright = await async_playwright().start()
            self._process = await asyncio.to_thread(self._find)
            return playwright

    def _find(self) -> psutil.Process | None:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if child not in self._before and any(_SIGN in part for part in child.cmdline()):
                    return child
        return None


def _options() -> dict[str, str]:
    """Return what lets the driver collect its garbage early and keep its compiled form, as variables."""
    given = {"NODE_OPTIONS": " ".join(filter(None, (os.environ.get("NODE_OPTIONS"), *DRIVER_OPTIONS)))}
    if not sys.dont_write_bytecode:
        # A quarter of its start goes into compiling itself. What lies beside our own compiled modules is as safe as
        # they are; where it cannot be written, the driver does without.
        given["NODE_COMPILE_CACHE"] = os.environ.get("NODE_COMPILE_CACHE") or str(_compiled())
    return given


def _compiled() -> Path:
    return Path(cache_from_source(__file__)).with_name("driver")
