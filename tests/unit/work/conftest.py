"""A clock that a test moves, and a queue of a few vehicles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from tenacity import stop_after_attempt, wait_fixed

from jdp_scraper.vehicle import Vehicle
from jdp_scraper.work.queue import AsyncTaskQueue
from jdp_scraper.work.retry import RetryPolicy

NewQueue = Callable[..., AsyncTaskQueue]


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def queue_of(
    *keys: str,
    clock: Callable[[], float],
    retries: int = 1,
    wait_s: float = 10,
    earlier: Mapping[str, int] | None = None,
) -> AsyncTaskQueue:
    policy = RetryPolicy(stop_after_attempt(retries + 1), wait_fixed(wait_s))
    return AsyncTaskQueue({key: Vehicle(key) for key in keys}, policy, clock, earlier)
