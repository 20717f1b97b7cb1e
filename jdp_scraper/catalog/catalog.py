"""The catalog in SQLite: every run, every report in it, and which reports are of one vehicle.

Everything that spans runs is asked of it. It holds nothing that does not come from the run folders, and is kept so that
what has not changed need not be read again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import aiosqlite

from jdp_scraper.catalog.database import open_database
from jdp_scraper.catalog.entries import ReportEntry, RunEntry, VehicleEntry, to_json
from jdp_scraper.catalog.identity import vehicles_of
from jdp_scraper.catalog.prints import Print, Prints
from jdp_scraper.catalog.reading import Read, read_source
from jdp_scraper.catalog.sources import Source
from jdp_scraper.catalog.stamps import Stamp, Stamps, signature, stamps_of
from jdp_scraper.disk import Disk
from jdp_scraper.errors import InventoryError, RunFolderError

VERSION = 3
_SCHEMA = """
CREATE TABLE run (
    path TEXT PRIMARY KEY, name TEXT NOT NULL, portal TEXT NOT NULL, account TEXT NOT NULL, started TEXT NOT NULL,
    whole INTEGER NOT NULL, rehearsal INTEGER NOT NULL, shown INTEGER NOT NULL DEFAULT 1,
    signature TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '', problems TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE vehicle (
    key TEXT PRIMARY KEY, place INTEGER NOT NULL, slug TEXT NOT NULL UNIQUE, reference TEXT NOT NULL, vin TEXT
) WITHOUT ROWID;
CREATE TABLE report (
    run TEXT NOT NULL REFERENCES run, place INTEGER NOT NULL, vehicle TEXT REFERENCES vehicle,
    reference TEXT NOT NULL, vin TEXT, year INTEGER, make TEXT, model TEXT, trim TEXT, mileage INTEGER,
    status TEXT NOT NULL, error TEXT, flags TEXT NOT NULL, file TEXT, size INTEGER, sha256 TEXT, "values" TEXT NOT NULL,
    PRIMARY KEY (run, place)
) WITHOUT ROWID;
CREATE INDEX report_of_vehicle ON report (vehicle);
CREATE TABLE print (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    sha256 TEXT NOT NULL, fault TEXT
) WITHOUT ROWID
"""
_RUN = "path, name, portal, account, started, whole, rehearsal"
# In the order of the fields of the entries. The first of a report's decide on the vehicles.
_IDENTITY = "place, reference, vin"
_REPORT = f'{_IDENTITY}, year, make, model, trim, mileage, status, error, flags, file, size, sha256, "values"'
_VEHICLE = "key, slug, reference, vin"
_DECIDE = len(_IDENTITY.split(","))
_NONE = "[]"  # as most reports' flags are
_OF_REPORT = attrgetter(*(name.strip('" ') for name in _REPORT.split(",")))
Row: TypeAlias = Sequence[Any]


class Watcher(Protocol):
    """Hears of what a refresh finds, while it goes on."""

    async def on_change(self, unread: int) -> None:
        """A source has changed, with so many PDFs that are not known, and is read next; told once, of the first."""

    def on_read(self, run: RunEntry, reports: Sequence[ReportEntry]) -> None:
        """A source was read that is shown for certain, whatever the others are."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found: ``digest`` is of all that is known now, ``problems`` are lines for people.

    ``read`` counts the sources that had to be read, ``skipped`` has a line for each that could not be.
    """

    digest: str
    runs: int
    read: int
    problems: tuple[str, ...]
    skipped: tuple[str, ...]


class Catalog:
    """An open catalog; one task at a time may use it."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database
        self._read: dict[str, Mapping[int, ReportEntry]] = {}  # by their places, of the sources that were read

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, disk: Disk) -> AsyncIterator[Catalog]:
        """Open a catalog, empty where there is none or it cannot be used; raises ``StorageError``."""
        async with open_database(path, _SCHEMA, VERSION, disk) as database:
            yield cls(database)

    async def refresh(self, sources: Sequence[Source], watcher: Watcher | None = None) -> Refreshed:
        """Make the catalog one of these sources, reading those that have changed.

        One that cannot be read is left out and told, where it was not asked for by name. Raises ``RunFolderError``,
        ``InventoryError`` and ``StorageError``.
        """
        rows = await self._rows("SELECT path, name, signature, digest FROM run")
        known = {path: (name, told, digest) for path, name, told, digest in rows}
        prints: Prints | None = None
        skipped: list[str] = []
        here: set[str] = set()
        read = 0
        moved = False
        for source in sources:
            path = str(source.path)
            name, told, digest = known.get(path, ("", "", ""))
            try:
                stamps = await asyncio.to_thread(_stamps, source)
                now = signature(stamps)
                if now and (name, told) == (source.name, now):
                    here.add(path)
                    continue
                if prints is None:
                    prints = await self._prints()
                    if watcher is not None:
                        await watcher.on_change(prints.unread(stamps))
                found = await asyncio.to_thread(_read, source, stamps, prints)
            except (RunFolderError, InventoryError) as error:
                if source.named:
                    raise
                skipped.append(f"{source.name} is passed over: {error}")
                continue
            here.add(path)
            read += 1
            self._read[path] = {report.place: report for report in found.reports}
            if watcher is not None and (source.named or not found.run.rehearsal or len(sources) == 1):
                watcher.on_read(found.run, found.reports)
            if (fresh := found.digest()) != digest:
                moved |= await self._put(found)
            await self._write(
                "UPDATE run SET signature = ?, digest = ? WHERE path = ?", [("" if found.again else now, fresh, path)]
            )
        gone = set(known) - here
        await self._write("DELETE FROM report WHERE run = ?", [(path,) for path in gone])
        await self._write("DELETE FROM run WHERE path = ?", [(path,) for path in gone])
        if prints is not None:
            await self._keep(prints)
        if await self._choose(sources) or moved or gone:
            await self._put_vehicles()
        await self._database.commit()
        return await self._refreshed(read, skipped)

    async def runs(self) -> list[RunEntry]:
        """Return all runs that count, oldest to newest."""
        rows = await self._rows(f"SELECT {_RUN} FROM run WHERE shown ORDER BY started, name")  # noqa: S608
        return [_run(row) for row in rows]

    async def vehicles(self) -> list[VehicleEntry]:
        """Return all vehicles with their reports, those of the newest run first, in its order.

        Raises ``ValueError`` where somebody else has changed the catalog.
        """
        paths = {str(run.path): run.path for run in await self.runs()}
        told = {path: self._read.get(path) or await self._stored(path) for path in paths}
        reports: dict[str, list[tuple[Path, ReportEntry]]] = {}
        for path, run in paths.items():  # oldest to newest
            for key, place in await self._rows("SELECT vehicle, place FROM report WHERE run = ? ORDER BY place", path):
                reports.setdefault(key, []).append((run, told[path][place]))
        rows = await self._rows(f"SELECT {_VEHICLE} FROM vehicle ORDER BY place")  # noqa: S608
        if reports.keys() != {row[0] for row in rows}:
            raise ValueError("the catalog's vehicles are not those of its reports")
        return [VehicleEntry.of(key, slug, reference, vin, reports[key]) for key, slug, reference, vin in rows]

    async def _stored(self, path: str) -> dict[int, ReportEntry]:
        return {row[0]: _report(row) for row in await self._rows(f"SELECT {_REPORT} FROM report WHERE run = ?", path)}  # noqa: S608

    async def _choose(self, sources: Sequence[Source]) -> bool:
        """Leave rehearsals out where there are real runs, unless they are asked for; tell whether that has changed."""
        rows = await self._rows("SELECT path, rehearsal, shown FROM run")
        real = any(not rehearsal for _, rehearsal, _ in rows)
        named = {str(source.path) for source in sources if source.named}
        wanted = {path: path in named or not (rehearsal and real) for path, rehearsal, _ in rows}
        changed = [(wanted[path], path) for path, _, shown in rows if wanted[path] != shown]
        await self._write("UPDATE run SET shown = ? WHERE path = ?", changed)
        return bool(changed)

    # -- what is written -----------------------------------------------------------------------------------------------

    async def _put(self, found: Read) -> bool:
        """Write what has changed of a run; tell whether any of it may make other vehicles."""
        run, path = found.run, str(found.run.path)
        started = run.started.astimezone(UTC).isoformat()  # so that the order of texts is that of times
        told = (path, run.name, run.portal, run.account, started, run.whole, run.rehearsal, to_json(found.problems))
        before = await self._rows(f"SELECT {_RUN} FROM run WHERE path = ?", path)  # noqa: S608
        await self._write(_upsert("run", f"{_RUN}, problems", "path"), [told])
        stored = await self._rows(f"SELECT {_REPORT} FROM report WHERE run = ?", path)  # noqa: S608
        known = {row[0]: row for row in stored}
        rows = {report.place: _row(report) for report in found.reports}
        changed = [row for place, row in rows.items() if known.get(place) != row]
        await self._write(_upsert("report", f"run, {_REPORT}", "run, place"), [(path, *row) for row in changed])
        gone = [(path, place) for place in known.keys() - rows.keys()]
        await self._write("DELETE FROM report WHERE run = ? AND place = ?", gone)
        if before != [told[:-1]] or gone:
            return True
        return any(known.get(row[0], ())[:_DECIDE] != row[:_DECIDE] for row in changed)

    async def _put_vehicles(self) -> None:
        runs: dict[str, tuple[RunEntry, list[ReportEntry]]] = {str(run.path): (run, []) for run in await self.runs()}
        known = {}
        for run, key, *row in await self._rows(f"SELECT run, vehicle, {_IDENTITY} FROM report ORDER BY run, place"):  # noqa: S608
            if run in runs:
                known[run, row[0]] = key
                runs[run][1].append(ReportEntry(*row))  # only what decides
        vehicles = await asyncio.to_thread(vehicles_of, list(runs.values()))
        await self._write("DELETE FROM vehicle", [()])
        await self._write(
            f"INSERT INTO vehicle (place, {_VEHICLE}) VALUES (?, {_marks(_VEHICLE)})",  # noqa: S608
            [(place, one.key, one.slug, one.reference, one.vin) for place, one in enumerate(vehicles)],
        )
        found = [(one.key, str(run), report.place) for one in vehicles for run, report in one.reports]
        moved = [row for row in found if known[row[1:]] != row[0]]
        await self._write("UPDATE report SET vehicle = ? WHERE run = ? AND place = ?", moved)

    async def _prints(self) -> Prints:
        rows = await self._rows("SELECT path, size, mtime_ns, inode, sha256, fault FROM print")
        return Prints((path, Stamp(*stamp), Print(sha256, fault)) for path, *stamp, sha256, fault in rows)

    async def _keep(self, prints: Prints) -> None:
        rows = [(path, one.size, one.mtime_ns, one.inode, *found) for path, one, found in prints.fresh]
        await self._write("INSERT OR REPLACE INTO print VALUES (?, ?, ?, ?, ?, ?)", rows)

    # -- SQLite --------------------------------------------------------------------------------------------------------

    async def _refreshed(self, read: int, skipped: Sequence[str]) -> Refreshed:
        rows = await self._rows("SELECT digest, problems FROM run WHERE shown ORDER BY started, name")
        problems = [line for _, told in rows for line in json.loads(told)]
        digest = hashlib.sha256(to_json([one for one, _ in rows]).encode()).hexdigest()
        return Refreshed(digest, len(rows), read, tuple(problems), tuple(skipped))

    async def _rows(self, sql: str, *values: str) -> list[Row]:
        rows = await self._database.execute_fetchall(sql, tuple(map(_given, values)))
        return [tuple(map(_taken, row)) if bytes in map(type, row) else row for row in rows]

    async def _write(self, sql: str, rows: Iterable[Row]) -> None:
        if given := [tuple(map(_given, row)) for row in rows]:
            await self._database.executemany(sql, given)


def _stamps(source: Source) -> Stamps:
    with _reading_errors(source):
        return stamps_of(source)


def _read(source: Source, stamps: Stamps, prints: Prints) -> Read:
    with _reading_errors(source):
        return read_source(source, stamps, prints)


@contextmanager
def _reading_errors(source: Source) -> Iterator[None]:
    """Map what the system says of a source that cannot be read: nothing of it was to be written."""
    try:
        yield
    except OSError as error:
        where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else source.path
        raise RunFolderError(f"{where} cannot be read: {error.strerror or error}: correct its rights") from error


def _given(value: Any) -> Any:
    """Return a value as SQLite takes it: a text with half a character in it, as file names may have, as bytes."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    return value


def _taken(value: Any) -> Any:
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def _run(row: Row) -> RunEntry:
    path, name, portal, account, started, whole, rehearsal = row
    return RunEntry(
        Path(path), name, portal, account, datetime.fromisoformat(started), whole=bool(whole), rehearsal=bool(rehearsal)
    )


def _row(report: ReportEntry) -> Row:
    *facts, flags, file, size, sha256, values = _OF_REPORT(report)
    return (*facts, to_json(flags) if flags else _NONE, file, size, sha256, to_json(dict(values)))


def _report(row: Row) -> ReportEntry:
    *facts, flags, file, size, sha256, values = row
    told = () if flags == _NONE else tuple(json.loads(flags))
    return ReportEntry(*(*facts, told, file, size, sha256, json.loads(values)))


def _upsert(table: str, columns: str, key: str) -> str:
    """Return how rows are put in, or in place of others, whose further columns stay as they are."""
    put = ", ".join(f"{name} = excluded.{name}" for name in map(str.strip, columns.split(",")))
    return f"INSERT INTO {table} ({columns}) VALUES ({_marks(columns)}) ON CONFLICT ({key}) DO UPDATE SET {put}"  # noqa: S608


def _marks(columns: str) -> str:
    return ", ".join("?" for _ in columns.split(","))
