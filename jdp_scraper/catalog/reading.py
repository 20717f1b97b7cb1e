"""Reads one source: what its checkpoint or its folder says, held against the files that really lie there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from jdp_scraper.catalog.entries import TOO_LARGE, ReportEntry, RunEntry
from jdp_scraper.catalog.prints import Prints
from jdp_scraper.catalog.sources import Source
from jdp_scraper.catalog.stamps import VALUES, Stamps
from jdp_scraper.catalog.values_file import NONE, ValuesRow, read_values
from jdp_scraper.checkpoint.inventory_file import from_csv
from jdp_scraper.checkpoint.names import SUFFIX
from jdp_scraper.checkpoint.records import Goal, RunHeader, TaskRecord, TaskState
from jdp_scraper.checkpoint.recovery import recover
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.checkpoint.runs import asked_for
from jdp_scraper.errors import InventoryError
from jdp_scraper.loopback import leads_to_loopback
from jdp_scraper.vehicle import Vehicle, assign_keys

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a source; ``problems`` are lines for people.

    ``again``: some of it could not be read, which may be otherwise another time although nothing has changed.
    """

    run: RunEntry
    reports: tuple[ReportEntry, ...]
    problems: tuple[str, ...]
    again: bool = False

    def digest(self) -> str:
        """Return a hash of all of it."""
        return hashlib.sha256(repr(self).encode("utf-8", "backslashreplace")).hexdigest()


def read_source(source: Source, stamps: Stamps, prints: Prints) -> Read:
    """Read a source of which ``stamps`` tells the files; blocks.

    Raises ``RunFolderError``, ``InventoryError`` and ``OSError``.
    """
    return _Reader(source, stamps, prints).read()


class _Found(NamedTuple):
    """What came of a report; without a ``file`` there is none that may be shown, and ``error`` tells why."""

    status: str = "done"
    error: str | None = None
    file: str | None = None
    size: int | None = None
    sha256: str | None = None


class _Reader:
    def __init__(self, source: Source, stamps: Stamps, prints: Prints) -> None:
        self._source = source
        self._below = len(str(source.path).rstrip(os.sep)) + 1  # where the names of files begin
        self._stamps = stamps
        self._prints = prints
        self._values: Mapping[str, ValuesRow] = {}
        self._problems: list[str] = []
        self._again = False

    def read(self) -> Read:
        run, reports = self._run() if self._source.is_run else self._folder()
        return Read(run, tuple(reports), tuple(self._problems), self._again)

    def _run(self) -> tuple[RunEntry, list[ReportEntry]]:
        folder = RunFolder(self._source.path)
        state = recover(folder.data).state
        header = state.header
        keyed = assign_keys(_inventory(folder, header))
        asked = asked_for(header.goal, list(state.records))
        self._read_values(folder.data)
        told = [
            (keyed.get(key) or Vehicle(key), record)
            for key, record in state.records.items()
            if key in asked or record.state is not TaskState.TODO
        ]
        pdfs = f"{folder.pdfs}{os.sep}"
        reports = [self._of_record(pdfs, place, vehicle, record) for place, (vehicle, record) in enumerate(told)]
        run = RunEntry(
            folder.path,
            self._source.name,
            header.portal,
            header.account,
            header.started,
            whole=header.goal == Goal(),
            rehearsal=leads_to_loopback(header.origin),
        )
        return run, reports

    def _of_record(self, pdfs: str, place: int, vehicle: Vehicle, record: TaskRecord) -> ReportEntry:
        if record.state is not TaskState.DONE or record.file is None:
            found = _Found(record.state.value, record.message)
        else:
            found = self._find(f"{pdfs}{record.file}", record.sha256)
        return _report(place, vehicle, record.flags, found, self._row(found))

    def _folder(self) -> tuple[RunEntry, list[ReportEntry]]:
        path = self._source.path
        self._read_values(path)
        pdfs = [one for one in self._stamps if _name(one) != VALUES]
        newest = max((self._stamps[one].mtime_ns for one in pdfs), default=0)
        started = datetime.fromtimestamp(newest // _SECOND_NS, UTC)
        reports = [self._of_pdf(place, one) for place, one in enumerate(pdfs)]
        return RunEntry(path, self._source.name, "", "", started, whole=False), reports

    def _of_pdf(self, place: int, path: str) -> ReportEntry:
        found = self._find(path)
        row = self._row(found)
        vehicle = Vehicle(row.reference or _name(path)[: -len(SUFFIX)])
        return _report(place, vehicle, (), found, row)

    def _find(self, path: str, proven: str | None = None) -> _Found:
        """Look at a report's PDF; what is no whole one, or another than was proven, is told and not shown."""
        stamp = self._stamps.get(path)
        seen = None if stamp is None else self._prints.of(path, stamp)
        if stamp is None or seen is None:
            why = "it is missing"
        elif seen.fault is not None:
            why = seen.fault
            self._again = self._again or not seen.sha256
        elif proven not in {None, seen.sha256}:
            why = "it has changed since it was proven: run the command verify"
        else:
            return _Found(file=path[self._below :].replace(os.sep, "/"), size=stamp.size, sha256=seen.sha256)
        self._problems.append(f"{path}: {why}")
        return _Found("failed", f"{_name(path)}: {why}")

    def _row(self, found: _Found) -> ValuesRow:
        """Return what was read out of a PDF; values of another content do not count."""
        row = NONE if found.file is None else self._values.get(found.file, NONE)
        return row if row.sha256 in {None, found.sha256} else NONE

    def _read_values(self, folder: Path) -> None:
        path = folder / VALUES
        if str(path) not in self._stamps:
            return
        try:
            self._values, bad = read_values(path)
        except OSError as error:
            self._problems.append(f"{path} cannot be read: {error.strerror or error}")
            self._again = True
            return
        if bad:
            self._problems.append(f"{path}: lines that cannot be read: {bad}; run the command values again")


def _report(place: int, vehicle: Vehicle, flags: tuple[str, ...], found: _Found, row: ValuesRow) -> ReportEntry:
    """Put together what the inventory, the file and its values tell: the inventory before the values."""
    return ReportEntry(
        place,
        vehicle.reference,
        vehicle.vin or row.vin,
        _storable(row.year if vehicle.year is None else vehicle.year),
        vehicle.make or row.make,
        vehicle.model or row.model,
        row.trim,
        _storable(row.mileage if vehicle.mileage is None else vehicle.mileage),
        found.status,
        found.error or row.error,
        flags + row.flags,
        found.file,
        found.size,
        found.sha256,
        row.values,
    )


def _storable(number: int | None) -> int | None:
    return number if number is None or abs(number) < TOO_LARGE else None


def _name(path: str) -> str:
    return path.rpartition(os.sep)[2]


def _inventory(folder: RunFolder, header: RunHeader) -> list[Vehicle]:
    try:
        content = folder.inventory.read_bytes()
    except OSError as error:
        raise InventoryError(f"{folder.inventory} cannot be read: {error.strerror}") from error
    if header.inventory_sha256 and hashlib.sha256(content).hexdigest() != header.inventory_sha256:
        raise InventoryError(f"{folder.inventory} is not as the run wrote it: put it back")
    return from_csv(content)
