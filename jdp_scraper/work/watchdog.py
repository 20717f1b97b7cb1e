"""Ends attempts that give no sign of progress.

Judged by silence, not by age, so that slow work is never done twice. The attempt is ended from within, by firing its
own time limit, so that its page and its file are let go before another worker can take the task.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from jdp_scraper.errors import StuckRun
from jdp_scraper.work.queue import AsyncTaskQueue
from jdp_scraper.work.task import Lease

GRACE_S = 20.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an attempt may be silent, and how long it may take in all, in seconds."""

    silence_s: float
    hard_cap_s: float

    def is_over(self, lease: Lease, now: float) -> bool:
        """Tell whether a lease has used it up."""
        return now - lease.last_sign > self.silence_s or now - lease.taken_at > self.hard_cap_s


@dataclass(slots=True)
class _Guard:
    limit: asyncio.Timeout
    fired_at: float | None = None


class Watchdog:
    """Looks at regular intervals at the parts of attempts that run under ``guard``; waiting for a turn is no part."""

    def __init__(self, queue: AsyncTaskQueue, patience: Patience) -> None:
        self._queue = queue
        self._patience = patience
        self._guards: dict[Lease, _Guard] = {}
        self.fired = 0

    @asynccontextmanager
    async def guard(self, lease: Lease) -> AsyncIterator[None]:
        """Run a part of an attempt; raises ``TimeoutError`` where it was silent for too long."""
        self._queue.beat(lease)
        async with asyncio.timeout(None) as limit:
            self._guards[lease] = _Guard(limit)
            try:
                yield
            finally:
                del self._guards[lease]

    async def run(self) -> None:
        """Watch until cancelled; raises ``StuckRun`` where an attempt does not end although its limit has fired."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self._patience.silence_s / 4))
            self.look(loop.time())

    def look(self, now: float) -> None:
        """Judge all guarded leases at one moment of the loop's clock; raises ``StuckRun``."""
        for lease, guard in list(self._guards.items()):
            if guard.fired_at is None and self._patience.is_over(lease, now):
                self.fired += 1
                guard.fired_at = now
                guard.limit.reschedule(now)
            elif guard.fired_at is not None and now - guard.fired_at > GRACE_S:
                raise StuckRun(f"the work on {lease.key!r} does not end ({lease.step}); the run stops, start it again")
