"""What it costs to write one outcome down, durably, in a small run and in a large one."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.records import RunHeader, TaskRecord, TaskState
from jdp_scraper.disk import Disk
from tests.benchmarks.places import work_folder

SIZES = (100, 100_000)
OUTCOMES = 100
ROUNDS = 5


async def main() -> None:
    """Print the median cost of an outcome for each size, and the ratio of the last to the first."""
    with work_folder() as folder:
        checkpoints = [await _checkpoint(folder / str(size), size) for size in SIZES]
        times: list[list[float]] = [[] for _ in SIZES]
        for round_number in range(ROUNDS):  # in turn, so that a disk that grows slower meanwhile is fair to both
            for index, checkpoint in enumerate(checkpoints):
                times[index] += await _record(checkpoint, round_number)
    medians = [statistics.median(one) for one in times]
    for size, median in zip(SIZES, medians, strict=True):
        print(f"recording one outcome, {size:>7} vehicles: {median * 1000:.3f} ms, fsync included")
    print(f"recording one outcome, ratio {SIZES[-1]} to {SIZES[0]}: {medians[-1] / medians[0]:.2f} (bar: 2.00)")


async def _checkpoint(folder: Path, size: int) -> Checkpoint:
    folder.mkdir()
    header = RunHeader("bench", "http://127.0.0.1", "none", datetime.now(UTC))
    return await Checkpoint.create(folder, header, (str(number) for number in range(size)), Disk())


async def _record(checkpoint: Checkpoint, round_number: int) -> list[float]:
    times = []
    for number in range(OUTCOMES):
        record = TaskRecord(TaskState.DONE, attempts=1, file=f"{number}.pdf", size=50_000, sha256=f"{round_number:064}")
        began = time.perf_counter()
        await checkpoint.record(str(number % SIZES[0]), record)
        times.append(time.perf_counter() - began)
    return times
