"""What is lent to one task at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Idle(Generic[T]):
    """Lends things to whoever asked first; what was given back last goes out first, as it is the warmest.

    A queue would let a task that gives one back and asks again at once go before all that wait.
    """

    def __init__(self, things: Iterable[T]) -> None:
        """Lend these, the first one first."""
        self._things = list(things)[::-1]
        self._free = asyncio.Semaphore(len(self._things))
        self._waiting = 0

    async def take(self) -> T:
        """Wait for one that is idle, and hold it until ``give_back``."""
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        return self._things.pop()

    def give_back(self, thing: T) -> None:
        """Let the next one have it."""
        self._things.append(thing)
        self._free.release()

    @property
    def is_asked_for(self) -> bool:
        """Tell whether somebody waits for one."""
        return self._waiting > 0

    @property
    def is_empty(self) -> bool:
        """Tell whether none is idle."""
        return self._free.locked()

    async def take_all(self) -> list[T]:
        """Hold all that are idle now, without waiting; the first one first."""
        taken: list[T] = []
        while not self._free.locked():
            taken.append(await self.take())
        return taken
