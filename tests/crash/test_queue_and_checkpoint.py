"""Queue, watchdog and checkpoint against a model, in any order of events, over crashes and new starts.

Nothing is lost, nothing is held twice at once, and a vehicle is done only with its proven file in place.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jdp_scraper.checkpoint.records import TaskRecord, TaskState
from jdp_scraper.errors import PageLost, ReportMismatch, SessionExpired, StepTimeout, StorageError
from jdp_scraper.work.queue import AsyncTaskQueue, StaleLease
from jdp_scraper.work.retry import GiveUp
from jdp_scraper.work.task import Lease, State
from jdp_scraper.work.watchdog import Patience, Watchdog
from tests.support.disks import ModelDisk, PowerCut
from tests.support.small_run import KEYS, STARTED, Opened, SmallRun, report
from tests.support.thorough import machine_tests
from tests.unit.work.conftest import Clock, queue_of

PATIENCE = Patience(silence_s=10, hard_cap_s=50)
LONG_AGO = -1e9  # on the loop's clock: a limit that the watchdog fires is over at once
EIO = OSError(errno.EIO, "Input/output error")
STEPS = 12  # more operations than placing or recording has


@dataclass(eq=False)
class Attempt:
    """A worker's hold on a task, under the watchdog like the real one."""

    lease: Lease
    taken_at: float
    beaten_at: float
    over: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[bool] | None = None

    async def stays_in_time(self, dog: Watchdog) -> bool:
        try:
            async with dog.guard(self.lease):
                await self.over.wait()
        except TimeoutError:
            return False
        return True


class RunMachine(RuleBasedStateMachine):
    """One run over many processes; ``hands`` are the attempts of the process that lives."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="run-"))
        self.disk = ModelDisk(self.folder)
        self.run = SmallRun(self.folder / "downloads", self.disk)
        self.loop = asyncio.Runner()
        self.clock = Clock(LONG_AGO)
        self.opened: Opened | None = None
        self.hands: dict[str, Attempt] = {}
        self.queue: AsyncTaskQueue
        self.dog: Watchdog

    # -- processes -------------------------------------------------------------------------------------------------

    @initialize()
    def first_start(self) -> None:
        self.start()

    @precondition(lambda self: self.opened is None)
    @rule()
    def start(self) -> None:
        """The run is begun or gone on with; what was in hand when the last process died is work again."""
        self.opened = self.loop.run(self.run.open())
        earlier = {key: record.attempts for key, record in self.opened.job.checkpoint.records.items()}
        todo = self.opened.todo
        assert set(todo) == {key for key in KEYS if not self.is_done(key)}
        assert self.run.witness.placed.isdisjoint(todo)
        self.queue = queue_of(*todo, clock=self.clock, retries=2, earlier=earlier)
        self.dog = Watchdog(self.queue, PATIENCE)

    @precondition(lambda self: self.opened is not None)
    @rule(power=st.booleans(), data=st.data())
    def crash(self, power: bool, data: st.DataObject) -> None:
        """The process dies, with its leases; perhaps the machine does, too."""
        self.loop.run(self._vanish())
        self.opened = None
        if power:
            self.disk.power_cut(lambda choices: data.draw(st.integers(0, choices - 1)))

    async def _vanish(self) -> None:
        tasks = [attempt.task for attempt in self.hands.values() if attempt.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.hands.clear()

    # -- workers ---------------------------------------------------------------------------------------------------

    def can_take(self) -> bool:
        return self.opened is not None and self.queue.statistics().ready + self.queue.statistics().waiting > 0

    @precondition(can_take)
    @rule()
    def take(self) -> None:
        if not self.queue.statistics().ready:
            self.clock.now += 60  # past the longest back-off
        self.loop.run(self._take())

    async def _take(self) -> None:
        lease = await asyncio.wait_for(self.queue.take(), 60)
        assert lease is not None
        assert lease.key not in self.hands, "held twice"
        assert not self.is_done(lease.key), "done twice"
        attempt = self.hands[lease.key] = Attempt(lease, self.clock.now, self.clock.now)
        attempt.task = asyncio.create_task(attempt.stays_in_time(self.dog))
        await asyncio.sleep(0)

    def in_hand(self) -> bool:
        return self.opened is not None and bool(self.hands)

    def pick(self, data: st.DataObject) -> Attempt:
        return self.hands[data.draw(st.sampled_from(sorted(self.hands)), label="vehicle")]

    @precondition(in_hand)
    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        attempt = self.pick(data)
        self.queue.beat(attempt.lease)
        attempt.beaten_at = self.clock.now

    @precondition(in_hand)
    @rule(data=st.data(), fails_at=st.integers(0, 2 * STEPS), stops=st.booleans())
    def done(self, data: st.DataObject, fails_at: int, stops: bool) -> None:
        """A report is streamed, proven, placed and written down, unless the disk fails on the way."""
        attempt = self.pick(data)
        self.disk.arm(fails_at, PowerCut() if stops else EIO, once=not stops)
        try:
            self.loop.run(self._done(attempt))
        except StorageError:
            self.loop.run(self._release(attempt))
            self.queue.give_back(attempt.lease)
        except PowerCut:
            self.disk.disarm()
            self.crash(power=True, data=data)
        finally:
            self.disk.disarm()

    async def _done(self, attempt: Attempt) -> None:
        assert self.opened is not None
        job, key = self.opened.job, attempt.lease.key
        placed = await self.run.place(job, key, attempt.lease.vehicle)
        await self.run.record(job, key, placed)
        await self._release(attempt)
        self.queue.done(attempt.lease)

    async def _release(self, attempt: Attempt) -> None:
        attempt.over.set()
        assert attempt.task is not None
        assert await attempt.task
        del self.hands[attempt.lease.key]
        with pytest.raises(StaleLease):  # nobody else can report on it
            self.queue.done(Lease(attempt.lease.task, 1, 0, 0))

    @precondition(in_hand)
    @rule(data=st.data(), error=st.sampled_from([PageLost(), SessionExpired(), ReportMismatch()]))
    def fail(self, data: st.DataObject, error: Exception) -> None:
        attempt = self.pick(data)
        self.loop.run(self._release(attempt))
        self.loop.run(self._failed(attempt, error))

    async def _failed(self, attempt: Attempt, error: Exception) -> None:
        assert self.opened is not None
        if isinstance(self.queue.fail(attempt.lease, error), GiveUp):
            record = TaskRecord(TaskState.FAILED, attempt.lease.attempt, error="PageLost", finished_at=STARTED)
            await self.run.write_down(self.opened.job, attempt.lease.key, record)

    @precondition(in_hand)
    @rule(data=st.data(), behind=st.booleans())
    def give_back(self, data: st.DataObject, behind: bool) -> None:
        attempt = self.pick(data)
        self.loop.run(self._release(attempt))
        self.queue.give_back(attempt.lease, behind=behind)

    @precondition(in_hand)
    @rule(seconds=st.sampled_from([1.0, 6.0, 11.0, 51.0]))
    def expire(self, seconds: float) -> None:
        """Time passes; attempts that were silent for too long are ended from within, and no others."""
        self.clock.now += seconds
        now = self.clock.now
        silent = {key for key, one in self.hands.items() if now - one.beaten_at > 10 or now - one.taken_at > 50}
        self.loop.run(self._expire(silent))
        assert silent.isdisjoint(self.hands)

    async def _expire(self, silent: set[str]) -> None:
        self.dog.look(self.clock.now)
        for key in sorted(silent):
            attempt = self.hands.pop(key)
            assert attempt.task is not None
            assert not await asyncio.wait_for(attempt.task, 60), "not ended"
            await self._failed(attempt, StepTimeout())
        assert not any(attempt.task is None or attempt.task.done() for attempt in self.hands.values())

    # -- what holds at any time ------------------------------------------------------------------------------------

    def is_done(self, key: str) -> bool:
        return self.opened is not None and self.opened.job.is_done(key)

    @invariant()
    def every_vehicle_is_in_one_place(self) -> None:
        if self.opened is None:
            return
        queued = [key for state in State for key in self.queue.keys(state)]
        assert sorted(queued) == sorted(self.opened.todo)
        assert {lease.key for lease in self.queue.leases()} == set(self.queue.keys(State.LEASED)) == set(self.hands)
        for key in KEYS:
            if key not in self.hands:
                ended = set(self.queue.keys(State.DONE)) | (set(KEYS) - set(queued))
                assert self.is_done(key) == (key in ended), key

    @invariant()
    def what_is_done_has_its_proven_file(self) -> None:
        if self.opened is None:
            return
        job = self.opened.job
        for key in filter(self.is_done, KEYS):
            assert (job.folder.pdfs / job.names[key]).read_bytes() == report(job.keyed[key])

    def teardown(self) -> None:
        """Whatever has happened, the next processes bring the run to its end."""
        try:
            self.loop.run(self._vanish())
            self.loop.run(self._finish())
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    async def _finish(self) -> None:
        for _ in range(3):
            await self.run.start()
        assert self.run.witness.finished


TestRun1, TestRun2, TestRun3, TestRun4 = machine_tests(RunMachine, quick=60, steps=30)
