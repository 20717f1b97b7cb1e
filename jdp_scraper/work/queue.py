"""The queue of tasks: each is held by at most one worker at a time, and none is ever lost."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from jdp_scraper.vehicle import Vehicle
from jdp_scraper.work.retry import Decision, GiveUp, Retry, RetryPolicy
from jdp_scraper.work.task import ACTIVE, Lease, State, Task


class StaleLease(RuntimeError):
    """A worker reported on a task that is no longer its own; the report changes nothing."""


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """Tasks by state, tries used up in all, and leases taken in all."""

    ready: int
    leased: int
    waiting: int
    done: int
    failed: int
    attempts: int
    leases: int

    @property
    def total(self) -> int:
        """All tasks."""
        return self.ready + self.leased + self.waiting + self.done + self.failed

    @property
    def left(self) -> int:
        """Tasks that are neither done nor failed."""
        return self.ready + self.leased + self.waiting


class AsyncTaskQueue:
    """Tasks in inventory order; failed ones come back after their back-off.

    All calls but ``take`` are immediate. ``clock`` gives seconds that only grow.
    """

    def __init__(
        self,
        vehicles: Mapping[str, Vehicle],
        policy: RetryPolicy,
        clock: Callable[[], float],
        attempts: Mapping[str, int] | None = None,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._tasks = {key: Task(key, vehicle) for key, vehicle in vehicles.items()}
        self._ready: deque[Task] = deque(self._tasks.values())
        self._waiting: list[tuple[float, int, Task]] = []
        self._counts: Counter[State] = Counter({State.READY: len(self._tasks)})
        self._earlier = dict(attempts or {})
        self._turn = itertools.count()
        self._attempts = 0
        self._leases = 0
        self._stopped = False
        self._changed = asyncio.Event()

    # -- for workers ---------------------------------------------------------------------------------------------

    async def take(self) -> Lease | None:
        """Return a lease on the next task, waiting for one; ``None`` once there will be none any more."""
        while True:
            self._wake()
            if self._stopped or not any(self._counts[state] for state in ACTIVE):
                return None
            if self._ready:
                return self._lease(self._ready.popleft())
            self._changed.clear()
            pause = max(0.0, self._waiting[0][0] - self._clock()) if self._waiting else None
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def holds(self, lease: Lease) -> bool:
        """Tell whether the lease still holds its task."""
        return lease.task.lease is lease

    def beat(self, lease: Lease, step: str | None = None) -> None:
        """Take note of a sign of progress: a step begun or done, bytes received."""
        lease.last_sign = self._clock()
        lease.step = step or lease.step

    def waited(self, lease: Lease, since: float) -> None:
        """Take note that the lease has waited for its turn from ``since`` until now, which is no part of the work."""
        lease.last_sign = self._clock()
        lease.taken_at += lease.last_sign - since

    def done(self, lease: Lease) -> None:
        """Take note that the task's proven file is in place and written down; raises ``StaleLease``."""
        task = self._end(lease)
        task.attempts += 1
        self._attempts += 1
        self._move(task, State.DONE)

    def fail(self, lease: Lease, error: BaseException, *, free: bool = False) -> Decision:
        """Take note that the attempt failed, and return what becomes of the task; raises ``StaleLease``.

        ``free``: the failure has another cause than the vehicle, and uses up no try.
        """
        decision = Retry(0.0, counts=False) if free else self.decide(lease, error)
        task = self._end(lease)
        if isinstance(decision, Retry):
            self._wait(task, decision)
        elif isinstance(decision, GiveUp):
            task.attempts += 1
            self._attempts += 1
            self._move(task, State.FAILED)
        else:
            self._return(task)
        return decision

    def decide(self, lease: Lease, error: BaseException) -> Decision:
        """Return what ``fail`` would decide, without doing it."""
        return self._policy.decide(error, lease.task.attempts + 1)

    def give_back(self, lease: Lease, *, behind: bool = False) -> None:
        """Put the task back as if it had not been taken, ``behind`` all others or before them.

        Raises ``StaleLease``.
        """
        self._return(self._end(lease), behind=behind)

    # -- for whoever watches ---------------------------------------------------------------------------------------

    def leases(self) -> list[Lease]:
        """Return the leases that are out."""
        return [task.lease for task in self._tasks.values() if task.lease is not None]

    def stop(self) -> None:
        """Hand out nothing more; what is out may still be reported."""
        self._stopped = True
        self._changed.set()

    def statistics(self) -> QueueStatistics:
        """Return the numbers that progress and metrics show."""
        count = self._counts
        return QueueStatistics(
            ready=count[State.READY],
            leased=count[State.LEASED],
            waiting=count[State.WAITING],
            done=count[State.DONE],
            failed=count[State.FAILED],
            attempts=self._attempts,
            leases=self._leases,
        )

    def keys(self, state: State) -> Iterable[str]:
        """Return the keys of the tasks in a state, in inventory order."""
        return [key for key, task in self._tasks.items() if task.state is state]

    def attempts(self, key: str) -> int:
        """Return the tries used up for a task, those of earlier starts of the run included."""
        return self._earlier.get(key, 0) + self._tasks[key].attempts

    # -- within --------------------------------------------------------------------------------------------------

    def _lease(self, task: Task) -> Lease:
        now = self._clock()
        task.lease = Lease(task, self.attempts(task.key) + 1, now, now)
        self._leases += 1
        self._move(task, State.LEASED)
        return task.lease

    def _end(self, lease: Lease) -> Task:
        if not self.holds(lease):
            raise StaleLease(lease.key)
        lease.task.lease = None
        return lease.task

    def _wait(self, task: Task, decision: Retry) -> None:
        if decision.counts:
            task.attempts += 1
            self._attempts += 1
        task.ready_at = self._clock() + decision.after_s
        heapq.heappush(self._waiting, (task.ready_at, next(self._turn), task))
        self._move(task, State.WAITING)

    def _return(self, task: Task, *, behind: bool = False) -> None:
        if behind:
            self._ready.append(task)
        else:
            self._ready.appendleft(task)
        self._move(task, State.READY)

    def _wake(self) -> None:
        now = self._clock()
        while self._waiting and self._waiting[0][0] <= now:
            task = heapq.heappop(self._waiting)[2]
            self._ready.append(task)
            self._move(task, State.READY)

    def _move(self, task: Task, state: State) -> None:
        self._counts[task.state] -= 1
        self._counts[state] += 1
        task.state = state
        self._changed.set()
