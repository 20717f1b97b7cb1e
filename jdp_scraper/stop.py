"""A person's or the system's wish to stop: the first signal asks for an orderly end, the second for a quick one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from jdp_scraper.errors import Interrupted

T = TypeVar("T")

SETTLE_S = 0.3
SAME_WISH_S = 0.5  # `timeout` and some terminals signal the process and then its whole group


class StopRequest:
    """Set by signals. ``requested`` after the first, ``hurried`` after the second."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.hurried = asyncio.Event()
        self._signal = 0
        self._first_at = 0.0

    def receive(self, signal_number: int) -> None:
        """Take note of a signal."""
        now = time.monotonic()
        if self.requested.is_set():
            if now - self._first_at >= SAME_WISH_S:
                self.hurried.set()
            return
        self._first_at = now
        self._signal = signal_number
        self.requested.set()

    def error(self) -> Interrupted:
        """Return the error that ends the run."""
        return Interrupted(self._signal)

    async def came_with(self) -> bool:
        """Tell whether a signal explains a loss just seen: one to the whole process group kills the browser as well."""
        try:
            async with asyncio.timeout(SETTLE_S):
                await self.requested.wait()
        except TimeoutError:
            return False
        return True

    async def guard(self, call: Coroutine[Any, Any, T]) -> T:
        """Run ``call``, but cut it off at a signal; raises ``Interrupted`` then."""
        task = asyncio.ensure_future(call)
        stop = asyncio.ensure_future(self.requested.wait())
        try:
            await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not (task.exception() and await self.came_with()):
                return task.result()
            raise self.error()
        finally:
            stop.cancel()
            task.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)
