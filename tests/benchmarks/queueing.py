"""What it costs to hand a task out and to take note of its end, in a small run and in a large one."""

from __future__ import annotations

import statistics
import time

from jdp_scraper.vehicle import Vehicle
from jdp_scraper.work.queue import AsyncTaskQueue
from jdp_scraper.work.retry import RetryPolicy

SIZES = (100, 100_000)
ROUNDS = 20


async def main() -> None:
    """Print the median cost of a task for each size, and the ratio of the last to the first."""
    times: list[list[float]] = [[] for _ in SIZES]
    for _ in range(ROUNDS):  # in turn, so that a busy machine is fair to both
        for size, found in zip(SIZES, times, strict=True):
            found.append(await _task_seconds(size))
    medians = [statistics.median(one) for one in times]
    for size, median in zip(SIZES, medians, strict=True):
        print(f"handing out one task, {size:>7} vehicles: {median * 1_000_000:.1f} us")
    print(f"handing out one task, ratio {SIZES[-1]} to {SIZES[0]}: {medians[-1] / medians[0]:.2f}")


async def _task_seconds(size: int) -> float:
    vehicles = {str(number): Vehicle(str(number)) for number in range(size)}
    queue = AsyncTaskQueue(vehicles, RetryPolicy.of(2, 2.0), time.monotonic)
    began = time.perf_counter()
    for _ in range(SIZES[0]):
        lease = await queue.take()
        if lease is None:
            raise RuntimeError("the queue has nothing more")
        queue.beat(lease, "open")
        queue.done(lease)
    return (time.perf_counter() - began) / SIZES[0]
