"""The harvest: workers, the walk that finds their links, and the loops that watch over them, as one group of tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from jdp_scraper.browser.pool import PagePool
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.errors import BrowserLost
from jdp_scraper.events import Bus, Progress
from jdp_scraper.stop import StopRequest
from jdp_scraper.work.queue import AsyncTaskQueue
from jdp_scraper.work.watchdog import Watchdog
from jdp_scraper.work.worker import Worker

PROGRESS_EVERY_S = 1.0
TRACKING_EVERY_S = 30.0
LEASE_EVERY_S = 1.0
WORKERS_A_PAGE = 2  # one opens the next vehicle while the other's report still streams


@dataclass(frozen=True, slots=True)
class Score:
    """What the progress counts from: vehicles done by earlier starts, and the loop's time when this one began."""

    done_before: int
    began: float


@dataclass(frozen=True, slots=True)
class Harvest:
    """Runs until every task of the queue is done or has finally failed, a stop is requested, or the browser is lost."""

    queue: AsyncTaskQueue
    pool: PagePool
    watchdog: Watchdog
    worker: Worker
    bus: Bus
    score: Score
    walk: Callable[[], Awaitable[None]]
    watch_traffic: Callable[[], Coroutine[Any, Any, None]]
    browser: BrowserSession
    save_tracking: Callable[[], Awaitable[None]]
    refresh_lease: Callable[[], Awaitable[None]]
    stop: StopRequest
    stop_wait_s: float

    async def run(self) -> None:
        """Work; raises ``Interrupted`` after a stop, an ``ExceptionGroup`` of what else ended it.

        Every lease is given back by then.
        """
        pages = self.pool.statistics().size
        async with asyncio.TaskGroup() as group:
            workers = [
                group.create_task(self.worker.run(), name=f"worker {number}")
                for number in range(pages * WORKERS_A_PAGE)
            ]
            side = [
                group.create_task(_await(self.walk), name="walk"),
                group.create_task(self._watch_browser(), name="browser watch"),
                group.create_task(self.watchdog.run(), name="watchdog"),
                group.create_task(self.watch_traffic(), name="traffic"),
                group.create_task(self._progress(), name="progress"),
                group.create_task(self._every(TRACKING_EVERY_S, self.save_tracking), name="tracking"),
                group.create_task(self._every(LEASE_EVERY_S, self.refresh_lease), name="lease"),
                group.create_task(self._stop(workers), name="stop"),
            ]
            await asyncio.wait(workers)
            for task in side:
                task.cancel()
        self._publish()
        if self.stop.requested.is_set():
            raise self.stop.error()

    async def _stop(self, workers: list[asyncio.Task[None]]) -> None:
        """On request hand out nothing more, let what is in hand finish for a while, then cut it off."""
        await self.stop.requested.wait()
        self.queue.stop()
        self.bus.notice(
            "info", f"stopping: vehicles in hand have {self.stop_wait_s:.0f} s, then the sign-out; once more hurries it"
        )
        hurry = asyncio.ensure_future(self.stop.hurried.wait())
        try:
            finished = asyncio.ensure_future(asyncio.wait(workers))
            await asyncio.wait([finished, hurry], timeout=self.stop_wait_s, return_when=asyncio.FIRST_COMPLETED)
            finished.cancel()
        finally:
            hurry.cancel()
        for task in workers:
            task.cancel()

    async def _watch_browser(self) -> None:
        await self.browser.lost.wait()
        if await self.stop.came_with():
            raise self.stop.error()
        raise BrowserLost("the browser ended by itself")

    async def _progress(self) -> None:
        while True:
            self._publish()
            await asyncio.sleep(PROGRESS_EVERY_S)

    def _publish(self) -> None:
        tasks, pages = self.queue.statistics(), self.pool.statistics()
        rate = tasks.done / max(asyncio.get_running_loop().time() - self.score.began, 0.001)
        self.bus.publish(
            Progress(
                done=self.score.done_before + tasks.done,
                failed=tasks.failed,
                total=self.score.done_before + tasks.total,
                waiting=tasks.waiting,
                pages_at_work=min(tasks.leased, pages.lent),
                pages=pages.size,
                per_hour=rate * 3600,
                seconds_left=tasks.left / rate if tasks.done else None,
            )
        )

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await act()


async def _await(act: Callable[[], Awaitable[None]]) -> None:
    await act()
