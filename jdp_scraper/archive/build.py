"""One build of the archive, from the runs to the folder that is served.

Look at the runs; where nothing has changed since the last build, end. Make each PDF's assets; put together what the
pages show; make those pages that would differ; make what is made of the whole; put it all in place in one step; write
down what was made. Until that step the last archive is served as it was, and a build can be cut off anywhere.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from jdp_scraper.archive.assembling import archive_of
from jdp_scraper.archive.assets import MODULES, Wanted, recipe, wanted_of
from jdp_scraper.archive.build_lock import BuildLock
from jdp_scraper.archive.cache import Cache, Kept
from jdp_scraper.archive.early import Early
from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.pages import pages_of
from jdp_scraper.archive.parts import Parts
from jdp_scraper.archive.postprocess import Postprocessed, Work, get_ready, postprocess
from jdp_scraper.archive.rendering import hash_of, machinery
from jdp_scraper.archive.search_index import Search
from jdp_scraper.archive.stages import Stage, Stages
from jdp_scraper.archive.staging import Staging, refuse_other_files
from jdp_scraper.archive.static_files import NAMES, static_file, static_sources
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.batch.workers import Limits, WorkerProcesses
from jdp_scraper.catalog.catalog import Catalog, Refreshed
from jdp_scraper.catalog.database import remove_database
from jdp_scraper.catalog.entries import VehicleEntry
from jdp_scraper.catalog.sources import find_sources
from jdp_scraper.disk import Disk
from jdp_scraper.errors import ArchiveError, StorageError
from jdp_scraper.interpreter import collected_later, quick_turns
from jdp_scraper.pdf.unbroken import in_thread, meanwhile

FOLDER = "archive"
_CATALOG, _CACHE = "catalog.sqlite", "cache.sqlite"
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError)
# A PDF that needs more is not worth a picture; its copy is shown all the same.
LIMITS = Limits(memory_bytes=1 << 30, cpu_s=60, wall_s=120)


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What is built from what, and how; ``out`` is by default ``archive`` in the download folder.

    ``named`` are runs or folders of PDFs, by default all runs of the download folder. ``base`` is the archive's
    address, with a slash at its end. ``workers`` is how many tasks are at work at once.
    """

    download_folder: Path
    named: tuple[Path, ...] = ()
    out: Path | None = None
    base: str = "http://localhost:8000/"
    optimize: bool = False
    minify: bool = True
    parallel_assets: bool = True
    parallel_postprocess: bool = True
    workers: int = 1


@dataclass(slots=True)
class Built:
    """What came of a build; ``problems`` are lines for people, none where all is well.

    ``made`` counts the PDFs whose assets had to be made, ``pages`` the pages. ``unchanged``: there was nothing to do.
    """

    out: Path
    runs: int = 0
    vehicles: int = 0
    pdfs: int = 0
    made: int = 0
    pages: int = 0
    links: int = 0
    unchanged: bool = False
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    stages: list[Stage] = field(default_factory=list)


async def build(options: BuildOptions, disk: Disk | None = None, processes: WorkerProcesses | None = None) -> Built:
    """Build the archive; raises ``ArchiveError``, ``RunFolderError``, ``InventoryError``, ``StorageError``.

    Whatever is raised, the archive that was there is as it was. ``processes`` with limits no lower than ``LIMITS`` are
    used where they are given, and not closed.
    """
    disk = disk or Disk()
    with collected_later(), quick_turns():
        try:
            return await Build(options, disk, processes).run()
        except _UNREADABLE:  # what the last build has left was changed by hand, perhaps: once more without it
            await asyncio.to_thread(_forget, options, disk)
            return await Build(options, disk, processes).run()


class Build:
    """One build; ``run`` once."""

    def __init__(self, options: BuildOptions, disk: Disk, processes: WorkerProcesses | None) -> None:
        self._options = options
        self._disk = disk
        self._lent = processes is not None
        self._processes = processes or WorkerProcesses(options.workers, LIMITS, MODULES)
        self._stages = Stages()
        self._built = Built(Path())

    async def run(self) -> Built:
        """Do the whole build; see ``build``."""
        began = time.perf_counter()
        options, built = self._options, self._built
        built.out = await asyncio.to_thread(_resolved, options)
        state = _state_of(built.out)
        sources = await asyncio.to_thread(find_sources, options.download_folder, options.named, (built.out, state))
        await asyncio.to_thread(refuse_other_files, built.out)  # before anything is left beside it
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(BuildLock(built.out, state, self._disk))
            if not self._lent:
                await stack.enter_async_context(self._processes)
            reading = self._stages.begin("catalog")
            catalog = await stack.enter_async_context(Catalog.open(state / _CATALOG, self._disk))
            cache = await stack.enter_async_context(Cache.open(state / _CACHE, self._disk))
            staging = Staging(built.out, state, self._disk, await cache.files())
            parallel = Parallel(options.workers, options.parallel_assets)
            early = Early(cache, staging, self._processes, self._stages, parallel, optimize=options.optimize)
            try:
                async with meanwhile(early.look()):
                    refreshed = await catalog.refresh(sources, early)
                reading.end()
                await self._follow(catalog, cache, early, refreshed)
            except BaseException:
                await early.give_up()
                await self._let_go()  # what was killed in the middle of a job may have been writing there
                await in_thread(staging.drop)
                raise
        built.problems[:0] = refreshed.skipped
        built.runs = refreshed.runs
        built.stages = self._stages.done
        built.seconds = time.perf_counter() - began
        return built

    async def _follow(self, catalog: Catalog, cache: Cache, early: Early, refreshed: Refreshed) -> None:
        """Make what the catalog shows now, if anything differs from what it showed to the last build."""
        staging, told = early.staging, await cache.told()
        inputs = await asyncio.to_thread(self._inputs, refreshed)  # it reads the code once
        if told.get("inputs") != inputs or not staging.is_whole():
            await self._make(catalog, cache, early, refreshed, inputs)
            return
        self._built.unchanged = True
        self._built.problems += told["problems"]
        self._built.vehicles, self._built.pdfs, self._built.links = told["vehicles"], told["pdfs"], told["links"]
        if early.has_begun:
            await early.give_up()
            await in_thread(staging.leave)

    def _inputs(self, refreshed: Refreshed) -> str:
        """Return a hash of all that decides on the archive's content."""
        options = self._options
        code = machinery(), static_sources()
        return hash_of(refreshed.digest, recipe(options.optimize), code, options.minify, options.base)

    async def _let_go(self) -> None:
        """Return once no worker process is left that may write."""
        await (self._processes.reap() if self._lent else self._processes.close())

    async def _make(self, catalog: Catalog, cache: Cache, early: Early, refreshed: Refreshed, inputs: str) -> None:
        options, built, staging = self._options, self._built, early.staging
        runs, vehicles = await catalog.runs(), await catalog.vehicles()
        wanted = _wanted(vehicles, refreshed.runs)
        parts, searched = Parts(await cache.parts()), await cache.searched()  # while the first assets are made
        assets = await early.finish(wanted)
        archive = archive_of(runs, vehicles, assets.by_key)
        search = await asyncio.to_thread(Search.of, archive)
        async with meanwhile(get_ready(self._processes) if options.parallel_postprocess else asyncio.sleep(0)):
            with self._stages.stage("pages"):
                built.pages = await in_thread(_make_pages, archive, search, staging, parts, minify=options.minify)
            after = await self._postprocess(archive, search, staging, parts, searched)
        async with meanwhile(self._let_go()):
            with self._stages.stage("put in place"):
                await in_thread(staging.publish)  # seen through: what is dropped later must not be in place by then
        built.vehicles, built.pdfs, built.made, built.links = len(vehicles), len(wanted), assets.made, after.links
        built.problems += [*refreshed.problems, *assets.problems, *_problems_of(after)]
        told = {
            "inputs": "" if assets.again or after.failed else inputs,
            "problems": built.problems,
            "vehicles": built.vehicles,
            "pdfs": built.pdfs,
            "links": built.links,
        }
        staging.tell_links(after.pages)
        with self._stages.stage("cache"):
            async with meanwhile(asyncio.to_thread(staging.clear_away)):
                kept = Kept(assets.by_key, staging.files, parts.made, search.texts, told)
                try:
                    await cache.keep(recipe(options.optimize), kept)
                except (sqlite3.Error, StorageError) as error:  # the archive is in place, and stays
                    built.problems.append(f"what the next build takes over could not be kept: {error}")

    async def _postprocess(
        self, archive: Archive, search: Search, staging: Staging, parts: Parts, searched: Sequence[str]
    ) -> Postprocessed:
        parallel = self._options.parallel_postprocess
        with self._stages.stage("postprocessing") as stage:
            work = Work(
                *(archive, staging.root, self._options.base, staging.write, self._processes, staging.known_links()),
                parts=parts,
                last_index=await asyncio.to_thread(_last_index, searched, staging),
                search=search,
                # What an earlier archive has left in the folder goes when this one is put in place.
                there=frozenset(staging.files),
            )
            after = await postprocess(work, parallel=parallel)
            stage.workers = len(after.outcomes) if parallel else 1
            for outcome in after.outcomes:
                stage.took(outcome.seconds)
        return after


def _forget(options: BuildOptions, disk: Disk) -> None:
    state = _state_of(_resolved(options))
    for name in (_CATALOG, _CACHE):
        remove_database(state / name, disk)


def _state_of(out: Path) -> Path:
    return out.with_name(f".{out.name}.build")


def _resolved(options: BuildOptions) -> Path:
    out = (options.out or options.download_folder / FOLDER).resolve()
    if not out.name:
        raise ArchiveError(f"{out} is the root of a disk: name a folder in it")
    return out


def _wanted(vehicles: Sequence[VehicleEntry], runs: int) -> list[Wanted]:
    if found := wanted_of(report for vehicle in vehicles for report in vehicle.reports):
        return found
    raise ArchiveError(f"there are no PDFs in {'1 run' if runs == 1 else f'{runs} runs'}: fetch reports first")


def _last_index(searched: Sequence[str], staging: Staging) -> tuple[Sequence[str], Path] | None:
    path = staging.last(Search(searched).path)
    return None if path is None else (searched, path)


def _make_pages(archive: Archive, search: Search, staging: Staging, parts: Parts, *, minify: bool) -> int:
    """Write styles, scripts and pages, taking over what has not changed; return how many pages were made."""
    static = [static_file(name, minify=minify) for name in NAMES]
    for one in static:
        if not staging.is_intact(one.path):
            staging.write(one.path, one.content)
    for path in (*(one.path for one in static), search.path):
        if staging.is_intact(path):  # their content is in their name
            staging.keep(path)
    made = 0
    for page in pages_of(archive, {one.name: one.path for one in static}, search.path, parts):
        if staging.is_made_from(page.path, page.made_from):
            staging.keep(page.path)
        else:
            staging.write(page.path, page.make(), page.made_from)
            made += 1
    return made


def _problems_of(after: Postprocessed) -> Iterable[str]:
    yield from (f"{one.name} failed: {one.error}" for one in after.failed)
    yield from (f"broken link: {one}" for one in after.broken)
