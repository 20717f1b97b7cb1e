"""Ends attempts that give no sign of progress.

Judged by silence, not by age, so that slow work is never done twice. The attempt is ended from within, by firing its
own time limit, so that its page and its file are let go before another worker can take the task.
"""

from __future__ import annotations

import asyncio
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

    def is_over(self, lease: Lease, now: float, grace_s: float = 0.0) -> bool:
        """Tell whether a lease has used it up."""
        return now - lease.last_sign > self.silence_s + grace_s or now - lease.taken_at > self.hard_cap_s + grace_s


class Watchdog:
    """Looks at all leases at regular intervals; ``limits`` are the running time limits of their attempts."""

    def __init__(self, queue: AsyncTaskQueue, patience: Patience) -> None:
        self._queue = queue
        self._patience = patience
        self._limits: dict[Lease, asyncio.Timeout] = {}
        self.fired = 0

    def guard(self, lease: Lease) -> asyncio.Timeout:
        """Return the time limit that a part of an attempt runs under: ``async with watchdog.guard(lease)``."""
        self._limits[lease] = limit = asyncio.timeout(None)
        return limit

    def release(self, lease: Lease) -> None:
        """Forget a lease that has ended."""
        self._limits.pop(lease, None)

    async def run(self) -> None:
        """Watch until cancelled; raises ``StuckRun`` where an attempt does not end although its limit has fired."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self._patience.silence_s / 4))
            for lease in self._queue.leases():
                self._look(lease, loop.time())

    def _look(self, lease: Lease, now: float) -> None:
        limit = self._limits.get(lease)
        if self._patience.is_over(lease, now, GRACE_S):
            raise StuckRun(f"the work on {lease.key!r} does not end ({lease.step}); the run stops, start it again")
        if limit is not None and limit.when() is None and self._patience.is_over(lease, now):
            self.fired += 1
            limit.reschedule(now)
