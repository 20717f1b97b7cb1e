"""Waiting for a lock without looking dead to whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SIGN_EVERY_S = 2.0


@asynccontextmanager
async def held(lock: asyncio.Lock | None, on_wait: Callable[[], None]) -> AsyncIterator[None]:
    """Hold ``lock``, if there is one; ``on_wait`` is called every 2 s for as long as it is another's."""
    if lock is None:
        yield
        return
    while True:
        try:
            async with asyncio.timeout(SIGN_EVERY_S):
                await lock.acquire()
            break
        except TimeoutError:
            on_wait()
    try:
        yield
    finally:
        lock.release()
