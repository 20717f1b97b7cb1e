"""How much longer an archive's postprocessing takes than its longest task, and what parallel saves."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
from pathlib import Path

from jdp_scraper import system
from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.postprocess import Postprocessed, Work, postprocess
from jdp_scraper.archive.search_index import Search
from jdp_scraper.batch.workers import WorkerProcesses
from tests.benchmarks.places import work_folder
from tests.support.archives import lay_out, sample_archive

VEHICLES = 2_000
RUNS = 3
ROUNDS = 5
BAR = 1.25
_BASE = "http://localhost:8000/"


async def main() -> None:
    """Print the median of both ways, the longest task on its own, and whether the bytes are the same."""
    archive = sample_archive(VEHICLES, RUNS)
    with work_folder() as root:
        await asyncio.to_thread(lay_out, archive, root)
        async with WorkerProcesses(min(8, system.usable_cpus())) as workers:
            work = Work(archive, root, _BASE, lambda path, data: (root / path).write_bytes(data), workers)
            await postprocess(work)  # imports, in the workers too
            together, apart, same = await _rounds(work)
    wall = statistics.median(one.wall_s for one in together)
    one_by_one = statistics.median(one.wall_s for one in apart)
    times = _medians(apart)
    longest = max(times, key=lambda name: times[name])
    told = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in times.items())
    print(f"postprocessing {VEHICLES} vehicles on {system.usable_cpus()} processors, each task on its own: {told}")
    print(f"postprocessing: {one_by_one:.2f} s one after the other, {wall:.2f} s parallel; same bytes: {same}")
    print(
        f"postprocessing, ratio of wall time to the longest task ({longest}): {wall / times[longest]:.2f} (bar: {BAR})"
    )


async def _rounds(work: Work) -> tuple[list[Postprocessed], list[Postprocessed], bool]:
    """Do both ways in turn, so that a busy machine is fair to both."""
    found: dict[bool, list[Postprocessed]] = {True: [], False: []}
    bytes_seen: set[str] = set()
    for _ in range(ROUNDS):
        for parallel, done in found.items():
            await asyncio.to_thread((work.root / Search.of(work.archive).path).unlink, missing_ok=True)
            result = await postprocess(work, parallel=parallel)
            if result.failed or result.broken:
                raise RuntimeError(f"{result.failed} {result.broken[:3]}")
            done.append(result)
            bytes_seen.add(await asyncio.to_thread(_hash, work.archive, work.root))
    return found[True], found[False], len(bytes_seen) == 1


def _medians(results: list[Postprocessed]) -> dict[str, float]:
    names = [one.name for one in results[0].outcomes]
    seconds = {name: [one.seconds for done in results for one in done.outcomes if one.name == name] for name in names}
    return {name: statistics.median(found) for name, found in seconds.items()}


def _hash(archive: Archive, root: Path) -> str:
    made = ("feed.atom", "feed.rss", "sitemap.xml", Search.of(archive).path)
    return hashlib.sha256(b"".join((root / path).read_bytes() for path in made)).hexdigest()
