"""Worker processes that run functions by name, each job within limits, so that a job can cost nothing but itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from jdp_scraper.batch.child import LIFETIME_CPU_S
from jdp_scraper.batch.process import ChildEnded, WorkerProcess, python_module
from jdp_scraper.batch.statistics import Statistics
from jdp_scraper.errors import JobBroke, JobFailed

_LONGEST_SERVICE_S = LIFETIME_CPU_S / 2  # a process that has worked for longer is replaced before its next job


@dataclass(frozen=True, slots=True)
class Limits:
    """Of each job: memory of its process in bytes, processor and wall time in seconds."""

    memory_bytes: int = 1 << 30
    cpu_s: float = 60
    wall_s: float = 120


class WorkerProcesses:
    """Lends ``size`` processes to jobs, started when they are first needed; an async context manager.

    A process has no secrets in its environment and never outlives this one. One that a job has ended, or that had to be
    ended, is replaced for the next job. ``statistics`` counts the jobs and the time for which they held a process.
    ``modules`` are imported by each process before its first job.
    """

    def __init__(self, size: int, limits: Limits | None = None, modules: Sequence[str] = ()) -> None:
        self.size = size
        self.statistics = Statistics(size)
        self._limits = limits or Limits()
        command = python_module("jdp_scraper.batch.child", str(self._limits.memory_bytes), *modules)
        self._processes = [WorkerProcess(command, "a worker process") for _ in range(size)]
        self._served_s = dict.fromkeys(self._processes, 0.0)
        self._idle: asyncio.LifoQueue[WorkerProcess] = asyncio.LifoQueue()
        self._closed = False

    async def __aenter__(self) -> Self:
        for process in reversed(self._processes):
            self._idle.put_nowait(process)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all processes, in order where they do nothing; no job can be run any more."""
        self._closed = True
        closing = asyncio.ensure_future(asyncio.gather(*(process.close() for process in self._processes)))
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing  # four seconds at most, and no process is left behind
            raise

    async def launch(self, count: int | None = None) -> None:
        """Launch all processes, or some, without waiting until they are ready; raises ``UnusableError``."""
        for process in self._processes[:count]:
            await process.launch()

    async def run(self, function: str, /, *arguments: Any) -> Any:
        """Return what ``module:name`` returns for these arguments; all are values of JSON. Waits for a free process.

        Raises ``JobFailed`` where the function raised, ``JobBroke`` where it broke its limits or ended its process, and
        ``UnusableError`` where no process can be started.
        """
        if self._closed:
            raise RuntimeError("the worker processes are closed")
        process = await self._idle.get()
        began = time.perf_counter()
        try:
            answer = await self._ask(process, function, arguments)
        finally:
            took = time.perf_counter() - began
            self.statistics.took(took)
            self._served_s[process] += took
            self._idle.put_nowait(process)
        if "fault" in answer:
            raise (JobBroke if answer.get("limit") else JobFailed)(str(answer["fault"]))
        return answer["result"]

    async def _ask(self, process: WorkerProcess, function: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        if self._served_s[process] > _LONGEST_SERVICE_S:
            process.kill()
            self._served_s[process] = 0.0
        await process.start()
        seconds = int(self._limits.cpu_s) + 1
        try:
            async with asyncio.timeout(self._limits.wall_s):
                answer = await process.ask({"function": function, "arguments": arguments, "seconds": seconds})
        except TimeoutError as error:
            raise JobBroke(f"it took longer than {self._limits.wall_s:g} s") from error
        except ChildEnded as error:
            raise JobBroke(f"it ended the process that worked on it: {error}") from error
        if "fault" not in answer and "result" not in answer:
            raise JobBroke("its process gave no answer that can be read")
        return answer
