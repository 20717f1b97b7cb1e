"""The watchdog judges by silence: who beats is left alone, who does not is ended, who cannot be ended ends the run."""

from __future__ import annotations

import asyncio

import pytest

from jdp_scraper.errors import StuckRun
from jdp_scraper.work.queue import AsyncTaskQueue
from jdp_scraper.work.task import Lease
from jdp_scraper.work.watchdog import GRACE_S, Patience, Watchdog

from ..virtual_time import in_virtual_time
from .conftest import queue_of

PATIENCE = Patience(silence_s=10, hard_cap_s=50)


class Watch:
    """A watchdog at work over the tasks of one queue, in virtual time."""

    def __init__(self, *keys: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.queue: AsyncTaskQueue = queue_of(*keys, clock=self.loop.time)
        self.dog = Watchdog(self.queue, PATIENCE)
        self.running = asyncio.ensure_future(self.dog.run())

    async def take(self) -> Lease:
        lease = await self.queue.take()
        assert lease is not None
        return lease

    async def until_ended(self, lease: Lease, beat_every_s: float | None) -> float:
        """Work on a lease until its limit fires; returns how long that took."""
        began = self.loop.time()
        with pytest.raises(TimeoutError):
            async with self.dog.guard(lease):
                while True:
                    await asyncio.sleep(beat_every_s or 1e6)
                    self.queue.beat(lease)
        return self.loop.time() - began

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


def test_a_silent_attempt_is_ended_soon_after_its_time() -> None:
    async def main() -> None:
        watch = Watch("a")
        seconds = await watch.until_ended(await watch.take(), beat_every_s=None)
        assert 10 < seconds <= 12
        assert watch.dog.fired == 1
        await watch.close()

    in_virtual_time(main())


def test_an_attempt_that_beats_may_take_longer_but_not_for_ever() -> None:
    async def main() -> None:
        watch = Watch("a")
        seconds = await watch.until_ended(await watch.take(), beat_every_s=9.5)
        assert 50 < seconds <= 52
        await watch.close()

    in_virtual_time(main())


def test_an_attempt_that_ends_in_time_is_not_touched() -> None:
    async def main() -> None:
        watch = Watch("a")
        lease = await watch.take()
        for _ in range(2):  # each half of an attempt has its own guard
            async with watch.dog.guard(lease):
                await asyncio.sleep(9)
        watch.queue.done(lease)
        await asyncio.sleep(1000)
        assert watch.dog.fired == 0
        assert not watch.running.done()
        await watch.close()

    in_virtual_time(main())


def test_only_the_silent_one_of_two_is_ended() -> None:
    async def main() -> None:
        watch = Watch("silent", "busy")
        silent, busy = await watch.take(), await watch.take()
        limited = asyncio.ensure_future(watch.until_ended(silent, None))
        async with watch.dog.guard(busy):
            for _ in range(9):
                await asyncio.sleep(5)
                watch.queue.beat(busy)
                if limited.done():
                    watch.queue.give_back(silent) if watch.queue.holds(silent) else None
        assert await limited <= 12
        assert watch.dog.fired == 1
        await watch.close()

    in_virtual_time(main())


def test_a_limit_fires_once() -> None:
    async def main() -> None:
        watch = Watch("a")
        lease = await watch.take()
        with pytest.raises(TimeoutError):
            async with watch.dog.guard(lease):
                try:
                    await asyncio.sleep(1e6)
                finally:
                    await asyncio.sleep(GRACE_S / 2)  # putting things in order takes its time
        assert watch.dog.fired == 1
        assert not watch.running.done()
        await watch.close()

    in_virtual_time(main())


def test_waiting_between_the_guarded_parts_is_no_silence() -> None:
    async def main() -> None:
        watch = Watch("a")
        lease = await watch.take()
        await asyncio.sleep(45)  # for a lock, say
        assert watch.dog.fired == 0
        assert await watch.until_ended(lease, beat_every_s=None) <= 12
        await watch.close()

    in_virtual_time(main())


def test_an_attempt_that_does_not_end_although_its_limit_fired_ends_the_run() -> None:
    async def main() -> None:
        watch = Watch("165530")
        lease = await watch.take()
        watch.queue.beat(lease, "download")

        async def work() -> None:
            async with watch.dog.guard(lease):
                while True:
                    try:
                        await asyncio.sleep(1e6)
                    except asyncio.CancelledError:
                        if watch.running.done():
                            raise

        working = asyncio.ensure_future(work())
        with pytest.raises(StuckRun, match=r"'165530'.*download"):
            await watch.running
        assert 10 + GRACE_S < watch.loop.time() <= 13 + GRACE_S
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    in_virtual_time(main())


@pytest.mark.parametrize(
    ("silent_s", "age_s", "over"),
    [(10, 10, False), (10.1, 10.1, True), (0, 50, False), (0, 50.1, True), (10, 50, False)],
)
def test_patience_is_judged_by_silence_and_by_age(silent_s: float, age_s: float, over: bool) -> None:
    async def main() -> None:
        queue = queue_of("a", clock=lambda: 0.0)
        lease = await queue.take()
        assert lease is not None
        lease.taken_at, lease.last_sign = 1000 - age_s, 1000 - silent_s
        assert PATIENCE.is_over(lease, 1000) is over

    asyncio.run(main())
