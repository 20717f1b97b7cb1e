"""Results in the order of their items, from a window that never waits for its slowest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is: items finished and under way; ``total`` is ``None`` where that cannot be told."""

    done: int
    under_way: int
    total: int | None
    seconds: float


Tell = Callable[[BatchProgress], Awaitable[None]]


async def in_order(
    items: Iterable[T],
    work: Callable[[T], Awaitable[R]],
    *,
    size: int,
    tell: Tell | None = None,
    every_s: float = EVERY_S,
) -> AsyncGenerator[R, None]:
    """Yield what ``work`` makes of each item, in their order, with at most ``size`` under way.

    An item that has finished frees its place at once, however far behind an earlier one is; its result is kept until
    its turn. ``tell`` is awaited after each item, and at least every ``every_s`` seconds while none finishes, so that
    whoever holds a connection open can keep it alive; one that is slow holds up no work. What ``work`` or ``tell``
    raises ends it, and all that is under way with it; so does closing the generator.
    """
    batch = _Batch(items, work, tell, every_s)
    tasks = [asyncio.ensure_future(batch.work_off()) for _ in range(max(1, size))]
    teller = None if tell is None else asyncio.ensure_future(batch.tell_all(tell))
    try:
        while True:
            for result in batch.next_results():
                yield result
            if batch.error is not None:
                raise batch.error
            if all(task.done() for task in tasks) and not batch.has_next():
                break
            await batch.wait()
        if teller is not None:
            batch.finish()
            await teller
            if batch.error is not None:
                raise batch.error
    finally:
        under_way = [*tasks, *([] if teller is None else [teller])]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


class _Batch(Generic[T, R]):
    """What the places of one window share."""

    def __init__(
        self, items: Iterable[T], work: Callable[[T], Awaitable[R]], tell: Tell | None, every_s: float
    ) -> None:
        self.error: Exception | None = None
        self._numbered = enumerate(items)
        self._total = len(items) if isinstance(items, (list, tuple)) else None
        self._work = work
        self._every_s = every_s
        self._results: dict[int, R] = {}
        self._next = 0
        self._done = self._under_way = 0
        self._began = time.monotonic()
        self._news = asyncio.Event()
        self._to_tell: asyncio.Queue[BatchProgress | None] | None = None if tell is None else asyncio.Queue()

    async def work_off(self) -> None:
        """Be one place of the window: take one item after the other."""
        try:
            for number, item in self._numbered:
                self._under_way += 1
                self._results[number] = await self._work(item)
                self._under_way -= 1
                self._done += 1
                if self._to_tell is not None:
                    self._to_tell.put_nowait(self._progress())
                self._news.set()
        except Exception as error:
            self.error = self.error or error
        finally:
            self._news.set()

    async def tell_all(self, tell: Tell) -> None:
        """Tell of each item, and that there is no news where there is none for long."""
        if self._to_tell is None:
            return
        try:
            while True:
                try:
                    async with asyncio.timeout(self._every_s):
                        told = await self._to_tell.get()
                except TimeoutError:
                    told = self._progress()
                if told is None:
                    return
                await tell(told)
        except Exception as error:
            self.error = self.error or error
            self._news.set()

    def next_results(self) -> Iterator[R]:
        """Yield the results whose turn it is."""
        while self._next in self._results:
            result = self._results.pop(self._next)
            self._next += 1
            yield result

    def has_next(self) -> bool:
        """Tell whether the result whose turn it is, is there."""
        return self._next in self._results

    async def wait(self) -> None:
        """Wait until something has happened since the last call."""
        await self._news.wait()
        self._news.clear()

    def finish(self) -> None:
        """Let ``tell_all`` end once all is told."""
        if self._to_tell is not None:
            self._to_tell.put_nowait(None)

    def _progress(self) -> BatchProgress:
        return BatchProgress(self._done, self._under_way, self._total, time.monotonic() - self._began)
