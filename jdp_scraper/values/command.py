"""``values``: reads the values out of runs and folders, writes them as tables, and says what came of it.

No credentials, no browser. Nothing is changed but the tables, and what is remembered of the files beside them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jdp_scraper.batch.in_order import BatchProgress, Tell
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.batch.statistics import Statistics
from jdp_scraper.batch.workers import Lent, WorkerProcesses
from jdp_scraper.catalog.sources import Source, find_sources
from jdp_scraper.checkpoint.runs import newest_run, whole_path
from jdp_scraper.console import Console, one_line, say
from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import RunFolderError, ValuesError
from jdp_scraper.events import FilesDone
from jdp_scraper.interpreter import collected_later
from jdp_scraper.pdf.unbroken import in_thread, meanwhile
from jdp_scraper.settings import Settings
from jdp_scraper.values.cache import Told
from jdp_scraper.values.comparing import comparison
from jdp_scraper.values.files import JSONL, WORKBOOK, begun_workbook
from jdp_scraper.values.last_pass import LastPass
from jdp_scraper.values.out_folder import OutLock, put_in_place
from jdp_scraper.values.place import Place, open_place, out_of
from jdp_scraper.values.reading import LIMITS, MODULES, Counts, ToRead, read_files, tell_known
from jdp_scraper.values.summary import Summary
from jdp_scraper.values.table import Row, Table, columns_of, row_of

if TYPE_CHECKING:
    from jdp_scraper.values.workbook import Book


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
    """What came of it; ``seconds`` is the time of it all, ``outs`` are the folders in which the tables lie."""

    outs: tuple[Path, ...]
    summary: Summary
    counts: Counts
    workers: Statistics
    seconds: float


async def values(
    options: ValuesOptions, *, at_terminal: bool | None = None, processes: WorkerProcesses | None = None
) -> int:
    """Read and write, and print what failed, what is flagged, and a summary; return 1 where a file failed, else 0.

    ``processes`` are used where they are given, and not closed.

    Raises ``ValuesError``, ``RunFolderError``, ``InventoryError``, ``ProfileError`` and ``StorageError``;
    ``UnusableError`` where no worker process can be started.
    """
    with Console(sys.stdout.isatty() if at_terminal is None else at_terminal) as console:

        async def show(progress: BatchProgress) -> None:
            total = progress.total or 0
            console(FilesDone("values", progress.done, total, progress.under_way, progress.seconds))

        extracted = await extract(options, tell=show, processes=processes)
    for line in _lines(extracted):
        say(one_line(line))
    return 1 if extracted.counts.failed else 0


async def extract(
    options: ValuesOptions,
    *,
    tell: Tell | None = None,
    disk: Disk | None = None,
    processes: WorkerProcesses | None = None,
) -> Extracted:
    """Read the values of all that is named and write the tables; raises as ``values``.

    ``processes`` are as for ``values``. ``tell`` is awaited for each file, and at least every 10 s while none is done.
    """
    with collected_later():
        return await _extract(options, tell, disk or Disk(), processes)


async def _extract(
    options: ValuesOptions, tell: Tell | None, disk: Disk, processes: WorkerProcesses | None
) -> Extracted:
    began = time.perf_counter()
    sources = await asyncio.to_thread(_sources, options)
    by_out = await asyncio.to_thread(_by_out, options, sources)
    last = await asyncio.to_thread(LastPass, by_out, options.portal, options.rules_from)
    if (known := await asyncio.to_thread(last.known)) is not None:
        await tell_known(known.files, known.files, tell)
        counts = Counts(known.files, known.files, failed=known.summary.failed)
        statistics = Statistics(_size(options, known.files))
        return Extracted(tuple(by_out), known.summary, counts, statistics, time.perf_counter() - began)
    size = _size(options, last.files)
    async with AsyncExitStack() as stack:
        own = None
        if processes is None:
            processes = own = await stack.enter_async_context(WorkerProcesses(size, LIMITS, MODULES))
        workers = processes.lend(LIMITS, size, ahead=True)
        # Where nothing has been read before, all of them will be needed: they start while the places are opened.
        async with meanwhile(processes.launch(size if last.is_first else 1)):
            outs = {
                out: [await open_place(source, options.portal, options.rules_from) for source in ones]
                for out, ones in by_out.items()
            }
        read = _Read(outs, {out: Table(columns_of([one.own_fields for one in ones])) for out, ones in outs.items()})
        places = [place for ones in outs.values() for place in ones]
        if not any(place.files for place in places):
            raise ValuesError(f"{sources[0].path} holds no report yet: fetch some first, or name another run")
        caches = {out: await stack.enter_async_context(OutLock(out, disk)) for out in outs}
        files = [
            ToRead(file.path, one.rules, caches[out], file.sha256)
            for out, ones in outs.items()
            for one in ones
            for file in one.files
        ]
        await _read(read, files, workers, options, tell)
        if own is not None:
            await own.close()
        counts, written = read.counts, {}
        for out, ones in outs.items():
            table = read.tables[out]
            changed = await comparison(ones, read.rows, table.columns)
            book = read.books.get(out)
            written[out] = await in_thread(put_in_place, out, table, changed, caches[out], disk, book=book)
        summary = Summary.of(read.tables, counts.failed)
        if not counts.unsure:
            await in_thread(last.keep, places, counts.files, summary, written, disk)
    return Extracted(tuple(outs), summary, counts, workers.statistics, time.perf_counter() - began)


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


def _by_out(options: ValuesOptions, sources: Iterable[Source]) -> dict[Path, list[Source]]:
    """Return the sources whose values go into the same folder, by that folder."""
    outs: dict[Path, list[Source]] = {}
    for source in sources:
        outs.setdefault(whole_path(options.out or out_of(source)), []).append(source)
    return outs


def _size(options: ValuesOptions, files: int) -> int:
    return min(options.batch, options.parallel.size_for(files))


@dataclass(slots=True)
class _Read:
    """What was read, by the folder that it is written to, and each place's rows by its own.

    ``books`` are the workbooks of those tables in which something is new.
    """

    places: Mapping[Path, Sequence[Place]]
    tables: dict[Path, Table]
    counts: Counts = field(default_factory=Counts)
    books: dict[Path, Book] = field(default_factory=dict)
    rows: dict[Path, list[Row]] = field(default_factory=dict)


async def _read(
    found: _Read, files: Sequence[ToRead], workers: Lent, options: ValuesOptions, tell: Tell | None
) -> None:
    """Read the files, which are in the order of the places."""
    workers.statistics.begin()
    window = options.batch if _size(options, len(files)) > 1 else 1
    async with aclosing(read_files(files, workers, size=window, counts=found.counts, tell=tell)) as told:
        for out in found.places:
            await _read_table(out, told, found)
        async for _ in told:
            pass  # nothing is left; this waits until all has been told


async def _read_table(out: Path, told: AsyncIterator[Told], found: _Read) -> None:
    """Make the table of a folder, and its workbook at the same time where anything is new: that takes a while."""
    counts = found.counts
    known = counts.files - counts.from_cache
    table, places = found.tables[out], found.places[out]
    for place in places:
        before = f"{place.source.name}/" if len(places) > 1 else ""
        rows = found.rows[place.source.path] = []
        for file in place.files:
            row = row_of(f"{before}{file.name}", await anext(told), table.columns, file.vehicle)
            rows.append(row)
            table.rows.append(row)
            _ = row.line  # now, while workers are at work
            if (book := found.books.get(out)) is not None:
                book.add(row)
            elif counts.files - counts.from_cache > known:
                found.books[out] = await asyncio.to_thread(begun_workbook, table)


# -- what is told ------------------------------------------------------------------------------------------------------


def _lines(extracted: Extracted) -> Iterator[str]:
    counts, workers, summary = extracted.counts, extracted.workers, extracted.summary
    for reason, files in summary.examples.items():
        times = summary.failed[reason]
        more = f" and {times - len(files)} more" if times > len(files) else ""
        yield f"failed   {times} of {counts.files}: {reason}: {', '.join(files)}{more}"
    for file, flag in summary.flagged:
        yield f"flagged  {file}: {flag}"
    if summary.flags > len(summary.flagged):
        yield f"flagged  ... and {summary.flags - len(summary.flagged)} more: see {JSONL}"
    for missing in filter(None, summary.missing.values()):
        yield f"no value {', '.join(f'{name} in {times}' for name, times in missing.items())}"
    read = counts.files - counts.from_cache
    yield (
        f"values of {counts.files} files: {read} read, {counts.from_cache} from the cache, "
        f"{counts.failed.total()} failed, {summary.flags} flagged; {extracted.seconds:.1f} s, "
        f"{counts.files / extracted.seconds:.0f} files/s; {workers.workers} workers, {workers.busy:.0%} busy"
    )
    for out in extracted.outs:
        yield f"  values     {out / WORKBOOK}"
