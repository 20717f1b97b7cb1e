"""How fast values are read out of 2,000 PDFs: on one worker, on all, and from the cache; the bytes must be the same."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import time
from pathlib import Path

from jdp_scraper import system
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.values.command import Extracted, ValuesOptions, extract
from tests.benchmarks.places import work_folder
from tests.benchmarks.verifying import make_run

PDFS = 2_000
MOST_WORKERS = 4
UNTRUSTED_S = 3.0  # the cache does not trust the times of files that are newer than this
BARS = {1: 0.0, 2: 1.6, 3: 2.3, 4: 3.0}


async def main() -> None:
    """Print seconds, rates and ratios, and raise where the passes differ in a byte."""
    workers = min(MOST_WORKERS, system.usable_cpus())
    with work_folder() as folder:
        await make_run(folder, PDFS)
        await asyncio.sleep(UNTRUSTED_S)
        one, alone, one_cpu = await _timed(folder, "one", 1)
        many, together, many_cpu = await _timed(folder, "many", workers)
        again, cached, _ = await _timed(folder, "many", workers)
        digests = {await asyncio.to_thread(_digest, folder / out) for out in ("one", "many")}
    if len(digests) != 1 or again.workers.tasks or again.counts.from_cache != PDFS or one.counts.failed:
        raise RuntimeError("the passes do not agree")
    rate = PDFS / many.workers.tasks_s
    print(f"values of {PDFS} PDFs: one worker {alone:.2f} s, {workers} workers {together:.2f} s, cache {cached:.3f} s")
    gain, busy = alone / together, many.workers.busy
    print(f"values, {workers} workers over one: {gain:.2f} (bar: {BARS[workers]}), busy {busy:.0%}")
    cpus = min(MOST_WORKERS + 1, system.usable_cpus())
    print(
        f"values, processor time of all processes: {one_cpu:.2f} s with one worker, {many_cpu:.2f} s with {workers}: "
        f"no more than {alone / (many_cpu / cpus):.2f} times one on {cpus} processors that never wait"
    )
    print(f"values, files a second of a worker's time: {rate:.0f} (bar: 100), alone {PDFS / one.workers.tasks_s:.0f}")
    print(f"values, cache over parallel: {together / cached:.0f}, over one worker: {alone / cached:.0f} (bar: 50)")


async def _timed(folder: Path, out: str, workers: int) -> tuple[Extracted, float, float]:
    """Return what came of a pass, its seconds, and the processor time of all its processes."""
    # A pass is a process of its own in use: what this one has left of the passes before is none of its garbage.
    gc.collect()
    gc.freeze()
    began, used = time.perf_counter(), _processor_time()
    options = ValuesOptions(folder, out=folder / out, portal="jdpower", parallel=Parallel(workers))
    extracted = await extract(options)
    return extracted, time.perf_counter() - began, _processor_time() - used


def _processor_time() -> float:
    told = os.times()
    return told.user + told.system + told.children_user + told.children_system


def _digest(out: Path) -> str:
    files = sorted(path for path in out.glob("*.*") if not path.name.startswith("."))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
