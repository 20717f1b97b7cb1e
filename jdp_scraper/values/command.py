"""``values``: reads the values out of runs and folders, writes them as tables, and says what came of it.

No credentials, no browser. Nothing is changed but the tables, and what is remembered of the files beside them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from jdp_scraper.batch.in_order import BatchProgress, Tell
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.batch.statistics import Statistics
from jdp_scraper.batch.workers import WorkerProcesses
from jdp_scraper.catalog.sources import Source, find_sources
from jdp_scraper.checkpoint.runs import newest_run, whole_path
from jdp_scraper.console import Console, one_line, say
from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import RunFolderError, ValuesError
from jdp_scraper.events import FilesDone
from jdp_scraper.pdf.unbroken import in_thread
from jdp_scraper.settings import Settings
from jdp_scraper.values.cache import Told
from jdp_scraper.values.comparing import comparison
from jdp_scraper.values.files import JSONL, WORKBOOK
from jdp_scraper.values.out_folder import OutLock, put_in_place
from jdp_scraper.values.place import Place, open_place
from jdp_scraper.values.reading import LIMITS, Counts, ToRead, read_files
from jdp_scraper.values.table import Row, Table, columns_of, row_of

SHOWN = 20
NAMED = 3


@dataclass(frozen=True, slots=True)
class ValuesOptions:
    """What settings and command line say; ``named`` are runs or folders, none: the newest run.

    ``out`` takes the values of all in one table; without it each place gets its own. ``rules_from`` is the profile that
    was named with the command, ``portal`` the setting. ``batch`` files are under way at once on the workers.
    """

    download_folder: Path
    named: tuple[Path, ...] = ()
    out: Path | None = None
    portal: str = ""
    rules_from: str | None = None
    batch: int = 8
    parallel: Parallel = field(default_factory=lambda: Parallel(1))


def options_of(settings: Settings) -> ValuesOptions:
    """Return what the settings say."""
    return ValuesOptions(
        settings.download_folder,
        portal=settings.portal,
        batch=settings.extract_batch,
        parallel=Parallel(settings.workers, settings.parallel),
    )


@dataclass(slots=True)
class Extracted:
    """What came of it; ``seconds`` is the time of it all, ``tables`` are by the folder that they were written to."""

    tables: dict[Path, Table]
    counts: Counts
    workers: Statistics
    seconds: float


async def values(options: ValuesOptions, *, at_terminal: bool | None = None) -> int:
    """Read and write, and print what failed, what is flagged, and a summary; return 1 where a file failed, else 0.

    Raises ``ValuesError``, ``RunFolderError``, ``InventoryError``, ``ProfileError`` and ``StorageError``;
    ``UnusableError`` where no worker process can be started.
    """
    with Console(sys.stdout.isatty() if at_terminal is None else at_terminal) as console:

        async def show(progress: BatchProgress) -> None:
            total = progress.total or 0
            console(FilesDone("values", progress.done, total, progress.under_way, progress.seconds))

        extracted = await extract(options, tell=show)
    for line in _lines(extracted):
        say(one_line(line))
    return 1 if extracted.counts.failed else 0


async def extract(options: ValuesOptions, *, tell: Tell | None = None, disk: Disk | None = None) -> Extracted:
    """Read the values of all that is named and write the tables; raises as ``values``.

    ``tell`` is awaited for each file, and at least every 10 s while none is done.
    """
    began = time.perf_counter()
    disk = disk or Disk()
    sources = await asyncio.to_thread(_sources, options)
    places = [await open_place(source, options.portal, options.rules_from) for source in sources]
    if not any(place.files for place in places):
        raise ValuesError(f"{sources[0].path} holds no report yet: fetch some first, or name another run")
    outs = await asyncio.to_thread(_by_out, options, places)
    async with AsyncExitStack() as stack:
        caches = {out: await stack.enter_async_context(OutLock(out, disk)) for out in outs}
        files = [
            ToRead(file.path, one.rules, caches[out], file.sha256)
            for out, ones in outs.items()
            for one in ones
            for file in one.files
        ]
        told, counts, statistics = await _read(files, options, tell)
        tables, rows = _tables(outs, iter(told))
        for out, ones in outs.items():
            changed = await comparison(ones, rows, tables[out].columns)
            await in_thread(put_in_place, out, tables[out], changed, caches[out], disk)
    return Extracted(tables, counts, statistics, time.perf_counter() - began)


def _sources(options: ValuesOptions) -> list[Source]:
    named = options.named
    if not named:
        folder = whole_path(options.download_folder)
        with storage_errors(str(folder)):
            newest = newest_run(folder)
        if newest is None:
            raise RunFolderError(f"no runs in {folder}: fetch reports first, or name a folder of PDFs")
        named = (newest.path,)
    return find_sources(options.download_folder, named, () if options.out is None else (options.out,))


def _by_out(options: ValuesOptions, places: Iterable[Place]) -> dict[Path, list[Place]]:
    """Return the places whose values go into the same folder, by that folder."""
    outs: dict[Path, list[Place]] = {}
    for place in places:
        outs.setdefault(whole_path(options.out or place.out), []).append(place)
    return outs


async def _read(
    files: Sequence[ToRead], options: ValuesOptions, tell: Tell | None
) -> tuple[list[Told], Counts, Statistics]:
    counts = Counts()
    size = min(options.batch, options.parallel.size_for(len(files)))
    async with WorkerProcesses(size, LIMITS) as workers:
        workers.statistics.begin()
        window = options.batch if size > 1 else 1
        told = [one async for one in read_files(files, workers, size=window, counts=counts, tell=tell)]
    return told, counts, workers.statistics


def _tables(
    outs: Mapping[Path, Sequence[Place]], told: Iterator[Told]
) -> tuple[dict[Path, Table], dict[Path, list[Row]]]:
    """Return the table of each folder, and the rows of each place by its own; ``told`` is in their order."""
    tables: dict[Path, Table] = {}
    rows: dict[Path, list[Row]] = {}
    for out, places in outs.items():
        columns = columns_of([place.own_fields for place in places])
        for place in places:
            before = f"{place.source.name}/" if len(places) > 1 else ""
            named = ((file, f"{before}{file.name}") for file in place.files)
            rows[place.source.path] = [row_of(name, next(told), columns, file.vehicle) for file, name in named]
        tables[out] = Table(columns, [row for place in places for row in rows[place.source.path]])
    return tables, rows


# -- what is told ------------------------------------------------------------------------------------------------------


def _lines(extracted: Extracted) -> Iterator[str]:
    counts, workers = extracted.counts, extracted.workers
    rows = [row for table in extracted.tables.values() for row in table.rows]
    for reason, times in counts.failed.most_common(SHOWN):
        files = [str(row.values["file"]) for row in rows if row.error == reason]
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        yield f"failed   {times} of {counts.files}: {reason}: {', '.join(files[:NAMED])}{more}"
    flagged = [one for table in extracted.tables.values() for one in table.flagged()]
    for file, flag in flagged[:SHOWN]:
        yield f"flagged  {file}: {flag}"
    if len(flagged) > SHOWN:
        yield f"flagged  ... and {len(flagged) - SHOWN} more: see {JSONL}"
    for table in extracted.tables.values():
        if missing := table.not_found():
            yield f"no value {', '.join(f'{name} in {times}' for name, times in missing.items())}"
    read = counts.files - counts.from_cache
    yield (
        f"values of {counts.files} files: {read} read, {counts.from_cache} from the cache, "
        f"{counts.failed.total()} failed, {len(flagged)} flagged; {extracted.seconds:.1f} s, "
        f"{counts.files / extracted.seconds:.0f} files/s; {workers.workers} workers, {workers.busy:.0%} busy"
    )
    for out in extracted.tables:
        yield f"  values     {out / WORKBOOK}"
