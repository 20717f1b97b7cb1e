"""Awaits that a cancellation cannot tear apart.

A thread cannot be cancelled. Whoever closes a file while a cancelled write still runs in its thread can have the bytes
land in whichever file gets the same descriptor next; so the wait goes on until the thread is done, then the
cancellation is passed on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def unbroken(work: Awaitable[T]) -> T:
    """Return what ``work`` gives; a cancellation meanwhile is raised once ``work`` has ended, never before."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that the loop does not report it as lost
        raise cancelled
    return task.result()


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a thread and see it through, also when cancelled."""
    return await unbroken(asyncio.to_thread(function, *args, **kwargs))


@asynccontextmanager
async def meanwhile(work: Awaitable[object]) -> AsyncIterator[None]:
    """Have ``work`` done beside the block; it has ended too when this is left, and what the block raises goes first."""
    task = asyncio.ensure_future(work)
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):
            await unbroken(task)
        raise
    await unbroken(task)
