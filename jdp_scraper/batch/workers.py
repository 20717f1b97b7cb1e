"""Worker processes that run functions by name, each job within limits, so that a job can cost nothing but itself."""

from __future__ import annotations

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import astuple, dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self

from jdp_scraper.batch.child import LIFETIME_CPU_S, Request
from jdp_scraper.batch.idle import Idle
from jdp_scraper.batch.process import ChildEnded, WorkerProcess, python_module
from jdp_scraper.batch.statistics import Statistics
from jdp_scraper.errors import JobBroke, JobFailed

_LONGEST_SERVICE_S = LIFETIME_CPU_S / 2  # a process that has worked for longer is replaced before its next job


@dataclass(frozen=True, slots=True)
class Limits:
    """Of each job: memory of its process in bytes, with what earlier jobs have left; processor and wall time in s.

    Processor time is counted by the system in whole seconds, so that a job may get up to one more.
    """

    memory_bytes: int = 1 << 30
    cpu_s: float = 60
    wall_s: float = 120

    def and_higher(self, other: Limits) -> Limits:
        """Return the higher one of each limit."""
        return Limits(*map(max, astuple(self), astuple(other)))


class WorkerProcesses:
    """Lends ``size`` processes to jobs, started when they are first needed; an async context manager.

    A process has no secrets in its environment and never outlives this one. One that a job has ended, or that had to be
    ended, is replaced for the next job. ``limits`` are the highest of any job; ``modules`` are imported by each process
    before its first job.
    """

    def __init__(self, size: int, limits: Limits | None = None, modules: Sequence[str] = ()) -> None:
        self.size = size
        self.limits = limits or Limits()
        command = python_module("jdp_scraper.batch.child", str(self.limits.memory_bytes), *modules)
        self._processes = [WorkerProcess(command, "a worker process") for _ in range(size)]
        self._served_s = dict.fromkeys(self._processes, 0.0)
        self._idle = Idle(self._processes)
        self._next: dict[WorkerProcess, asyncio.Future[None]] = {}  # the turns of those who hold a process next
        self._closed = False
        self._own = Lent(self, self.limits)
        self.statistics = self._own.statistics

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all processes, in order where they do nothing; no job can be run any more."""
        self._closed = True
        await self._each(WorkerProcess.close)

    async def reap(self) -> None:
        """Return once no process is left that was killed in the middle of a job: it may have been writing a file."""
        await self._each(WorkerProcess.reap)

    async def launch(self, count: int | None = None) -> None:
        """Launch all processes, or some, without waiting until they are ready; raises ``UnusableError``."""
        for process in self._processes[:count]:
            await process.launch()

    @property
    def there(self) -> int:
        """How many processes need not be started any more."""
        return sum(process.is_there for process in self._processes)

    def lend(self, limits: Limits, size: int | None = None, *, ahead: bool = False) -> Lent:
        """Return these processes for jobs with other limits, none of them higher than ``self.limits``.

        ``size`` is how many of them will be at work at once, by default all. ``ahead``: a process at work is given its
        next job before it has ended the one before, where nobody else waits for a process; for short jobs, of which one
        that has to wait for a slow one does no harm, and which leave nothing behind when they are run and not wanted.
        """
        return Lent(self, limits, size, ahead=ahead)

    async def run(self, function: str, /, *arguments: Any) -> Any:
        """Run a job with ``self.limits``; see ``Lent``."""
        return await self._own.run(function, *arguments)

    async def take(self) -> WorkerProcess:
        """Wait for a process that is free, and hold it until ``give_back``; raises ``UnusableError``."""
        if self._closed:
            raise RuntimeError("the worker processes are closed")
        process = await self._idle.take()
        try:
            if self._served_s[process] > _LONGEST_SERVICE_S:
                process.kill()
                self._served_s[process] = 0.0
            await process.start()
        except BaseException:
            self._idle.give_back(process)
            raise
        return process

    async def follow(self, held: Collection[WorkerProcess], request: Request) -> Sent | None:
        """Send a request to one of these processes, which are held, and hold that one next; see ``lend``.

        Returns ``None`` at once where none of them can be had so.
        """
        if self._idle.is_asked_for or not self._idle.is_empty:
            return None
        for process in held:
            if process in self._next or self._served_s[process] > _LONGEST_SERVICE_S:
                continue
            if (child := process.send_ahead(request)) is not None:
                turn = self._next[process] = asyncio.get_running_loop().create_future()
                try:
                    await turn
                except asyncio.CancelledError:
                    if not turn.cancelled():  # it was just our turn
                        process.kill()
                        self.give_back(process, 0.0)
                    raise
                return Sent(process, child)
        return None

    def give_back(self, process: WorkerProcess, seconds: float) -> None:
        """Let go of a process that was held for so long."""
        self._served_s[process] += seconds
        turn = self._next.pop(process, None)
        if turn is not None and not turn.cancelled():
            turn.set_result(None)
            return
        if turn is not None:  # it is at work on what nobody wants any more
            process.kill()
        self._idle.give_back(process)

    async def _each(self, act: Callable[[WorkerProcess], Coroutine[Any, Any, None]]) -> None:
        acting = asyncio.ensure_future(asyncio.gather(*(act(process) for process in self._processes)))
        try:
            await asyncio.shield(acting)
        except asyncio.CancelledError:
            await acting  # four seconds at most, and no process is left behind
            raise


class Sent(NamedTuple):
    """A process that is held, and its child that has the request already."""

    process: WorkerProcess
    child: Process | None = None


class Lent:
    """Worker processes as one kind of work sees them: its jobs' limits, and ``statistics`` of its own.

    They count the jobs and the time for which these held a process.
    """

    def __init__(
        self, processes: WorkerProcesses, limits: Limits, size: int | None = None, *, ahead: bool = False
    ) -> None:
        self._processes = processes
        self._limits = limits
        self._ahead = ahead
        self._held: dict[WorkerProcess, None] = {}  # the one that has been at work for longest first
        self.statistics = Statistics(size or processes.size)

    async def run(self, function: str, /, *arguments: Any) -> Any:
        """Return what ``module:name`` returns for these arguments; all are values of JSON. Waits for a free process.

        Raises ``JobFailed`` where the function raised, ``JobBroke`` where it broke its limits or ended its process, and
        ``UnusableError`` where no process can be started.
        """
        request: Request = {
            "function": function,
            "arguments": arguments,
            "seconds": self._limits.cpu_s,
            "memory": self._limits.memory_bytes,
        }
        sent = await self._processes.follow(self._held, request) if self._ahead else None
        if sent is None:
            sent = Sent(await self._processes.take())
        process, child = sent
        self._held[process] = None
        began = time.perf_counter()
        try:
            answer = await self._ask(process, request, child)
        finally:
            took = time.perf_counter() - began
            self.statistics.took(took)
            del self._held[process]
            self._processes.give_back(process, took)
        if "fault" in answer:
            raise (JobBroke if answer.get("limit") else JobFailed)(str(answer["fault"]))
        return answer["result"]

    async def _ask(self, process: WorkerProcess, request: Request, child: Process | None) -> dict[str, Any]:
        limits = self._limits
        try:
            async with asyncio.timeout(limits.wall_s):
                answer = await process.ask(request, child)
        except TimeoutError as error:
            raise JobBroke(f"it took longer than {limits.wall_s:g} s") from error
        except ChildEnded as error:
            raise JobBroke(f"it ended the process that worked on it: {error}") from error
        if "fault" not in answer and "result" not in answer:
            raise JobBroke("its process gave no answer that can be read")
        return answer
