"""What an archive's assets gain by worker processes, and how little a build does that has little to do."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from jdp_scraper import system
from jdp_scraper.archive.assets import MODULES
from jdp_scraper.archive.build import LIMITS, BuildOptions, Built, build
from jdp_scraper.batch.workers import WorkerProcesses
from jdp_scraper.checkpoint.run_folder import RunFolder
from tests.benchmarks.places import work_folder
from tests.support.run_folders import STARTED, demo_vehicles, files_of, make_run, replace_pdf

SIZES = {1: 31, 10: 5, 50: 3, 100: 3, 500: 1}  # how many assets, and how often
BARS = {4: {1: 0.95, 50: 1.8, 500: 3.0}, 2: {1: 0.95, 50: 1.3, 500: 1.7}}
REBUILT = 500
CHANGED = 5
ROUNDS = 5
UNCHANGED_BAR, CHANGED_BAR = 50, 20


async def assets() -> None:
    """Print the time of both ways for each number of assets, their ratio, and whether the bytes are the same."""
    cpus = system.usable_cpus()
    bars = BARS.get(min(cpus, 4) if cpus > 1 else 0, {})
    for size, times in SIZES.items():
        with work_folder() as folder:
            await make_run(folder, size)
            found: dict[bool, list[float]] = {True: [], False: []}
            trees: set[str] = set()
            for turn in range(times):  # in turn, each first as often, so that a busy machine is fair to both
                for parallel in (True, False) if turn % 2 else (False, True):
                    seconds = found[parallel]
                    out = folder / "out" / f"{len(trees)}-{len(seconds)}-{parallel}" / "archive"
                    done = await _build(BuildOptions(folder, out=out, parallel_assets=parallel, workers=_workers()))
                    seconds.append(_stage(done, "assets"))
                    trees.add(await asyncio.to_thread(_hash, out))
        together, apart = statistics.median(found[True]), statistics.median(found[False])
        bar = f" (bar: {bars[size]})" if size in bars else ""
        print(
            f"assets, {size:>3} on {cpus} processors: {apart:.2f} s one after the other, {together:.2f} s parallel, "
            f"ratio {apart / together:.2f}{bar}; same bytes: {len(trees) == 1}",
            flush=True,
        )


async def rebuilding() -> None:
    """Print the time of a first build, of one with nothing changed, and of one with a few changed PDFs.

    Once with workers that are there already, as after ``values`` in a run, and once with workers that have to start, as
    for a command of its own.
    """
    async with WorkerProcesses(_workers(), LIMITS, MODULES) as processes:
        await asyncio.gather(*(processes.run("os:getpid") for _ in range(4 * _workers())))
        await _rebuild(processes, "workers there")
    await _rebuild(None, "workers to be started")


async def _rebuild(processes: WorkerProcesses | None, told: str) -> None:
    with work_folder() as folder:
        run = await make_run(folder, REBUILT)
        await asyncio.sleep(0.1)  # what was written this very moment would be looked at again
        options = BuildOptions(folder, workers=_workers())
        first = await _build(options, processes)
        unchanged = [await _build(options, processes) for _ in range(ROUNDS)]
        changed = []
        for number in range(ROUNDS):
            await _change(run, number)
            await asyncio.sleep(0.1)
            changed.append(await _build(options, processes))
        anew = folder / "anew" / "archive"
        await _build(replace(options, out=anew))
        same = await asyncio.to_thread(lambda: _hash(anew) == _hash(folder / "archive"))
    if not all(one.unchanged for one in unchanged) or {one.made for one in changed} != {CHANGED}:
        raise RuntimeError(f"{unchanged} {changed}")
    nothing = statistics.median(one.seconds for one in unchanged)
    few = statistics.median(one.seconds for one in changed)
    print(f"archive of {REBUILT} assets, {told}: first build {first.seconds:.2f} s")
    print(f"again, nothing changed: {nothing:.3f} s, ratio {first.seconds / nothing:.0f} (bar: {UNCHANGED_BAR})")
    print(f"again, {CHANGED} changed: {few:.3f} s, ratio {first.seconds / few:.1f} (bar: {CHANGED_BAR})")
    print(f"again, same bytes as a first build leaves: {same}")


def _workers() -> int:
    return min(8, system.usable_cpus())


async def _build(options: BuildOptions, processes: WorkerProcesses | None = None) -> Built:
    done = await build(options, processes=processes)
    if done.problems:
        raise RuntimeError(f"{done.problems[:3]}")
    return done


def _stage(done: Built, name: str) -> float:
    return next(stage.wall_s for stage in done.stages if stage.name == name)


async def _change(run: RunFolder, number: int) -> None:
    """Bring other reports of some vehicles, as a run that fetched them again would."""
    lot = demo_vehicles(REBUILT)
    for one in lot[number :: REBUILT // CHANGED]:
        await replace_pdf(run, one.reference, one, STARTED + timedelta(days=number + 1))


def _hash(root: Path) -> str:
    digest = hashlib.sha256()
    for path, content in sorted(files_of(root).items()):
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
