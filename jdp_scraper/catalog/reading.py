"""Reads one source: what its checkpoint or its folder says, held against the files that really lie there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from jdp_scraper.catalog.entries import ReportEntry, RunEntry
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
    """What was read of a source; ``problems`` are lines for people."""

    run: RunEntry
    reports: tuple[ReportEntry, ...]
    problems: tuple[str, ...]

    def digest(self) -> str:
        """Return a hash of all of it."""
        return hashlib.sha256(repr(self).encode("utf-8", "backslashreplace")).hexdigest()


def read_source(source: Source, stamps: Stamps, prints: Prints) -> Read:
    """Read a source of which ``stamps`` tells the files; blocks.

    Raises ``RunFolderError``, ``InventoryError`` and ``OSError``.
    """
    return _Reader(source, stamps, prints).read()


class _Reader:
    def __init__(self, source: Source, stamps: Stamps, prints: Prints) -> None:
        self._source = source
        self._stamps = stamps
        self._prints = prints
        self._problems: list[str] = []

    def read(self) -> Read:
        run, found = self._run() if self._source.is_run else self._folder()
        reports = tuple(replace(report, place=place) for place, report in enumerate(found))
        return Read(run, reports, tuple(self._problems))

    def _run(self) -> tuple[RunEntry, Iterator[ReportEntry]]:
        folder = RunFolder(self._source.path)
        state = recover(folder.data).state
        header = state.header
        keyed = assign_keys(_inventory(folder, header))
        asked = asked_for(header.goal, list(state.records))
        values = self._values(folder.data)
        reports = (
            self._of_record(folder, keyed.get(key) or Vehicle(key), record, values)
            for key, record in state.records.items()
            if key in asked or record.state is not TaskState.TODO
        )
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

    def _of_record(
        self, folder: RunFolder, vehicle: Vehicle, record: TaskRecord, values: Mapping[str, ValuesRow]
    ) -> ReportEntry:
        year, make, model, mileage = vehicle.year, vehicle.make, vehicle.model, vehicle.mileage
        report = ReportEntry(0, vehicle.reference, vehicle.vin, year, make, model, mileage=mileage, flags=record.flags)
        if record.state is not TaskState.DONE or record.file is None:
            return replace(report, status=record.state.value, error=record.message)
        found = self._with_file(report, folder.pdfs / record.file)
        if found.sha256 is not None and record.sha256 not in {None, found.sha256}:
            return self._without_file(
                report, folder.pdfs / record.file, "it has changed since it was proven: run the command verify"
            )
        return _with_values(found, values.get(found.file or "", NONE))

    def _folder(self) -> tuple[RunEntry, Iterator[ReportEntry]]:
        path = self._source.path
        values = self._values(path)
        pdfs = [one for one in self._stamps if one.name != VALUES]
        newest = max((self._stamps[one].mtime_ns for one in pdfs), default=0)
        started = datetime.fromtimestamp(newest // _SECOND_NS, UTC)
        return RunEntry(path, self._source.name, "", "", started, whole=False), self._of_pdfs(pdfs, values)

    def _of_pdfs(self, pdfs: list[Path], values: Mapping[str, ValuesRow]) -> Iterator[ReportEntry]:
        for one in pdfs:
            found = self._with_file(ReportEntry(0, one.name[: -len(SUFFIX)]), one)
            row = values.get(found.file or "", NONE)
            if row.sha256 in {None, found.sha256}:
                found = replace(found, reference=row.reference or found.reference)
            yield _with_values(found, row)

    def _with_file(self, report: ReportEntry, path: Path) -> ReportEntry:
        """Put a report and its PDF together; what is no whole PDF is told, and is not shown."""
        stamp = self._stamps.get(path)
        seen = None if stamp is None else self._prints.of(path, stamp)
        if stamp is None or seen is None:
            return self._without_file(report, path, "it is missing")
        if seen.fault is not None:
            return self._without_file(report, path, seen.fault)
        file = path.relative_to(self._source.path).as_posix()
        return replace(report, file=file, size=stamp.size, sha256=seen.sha256)

    def _without_file(self, report: ReportEntry, path: Path, why: str) -> ReportEntry:
        self._problems.append(f"{path}: {why}")
        return replace(report, status="failed", error=f"{path.name}: {why}")

    def _values(self, folder: Path) -> Mapping[str, ValuesRow]:
        path = folder / VALUES
        if path not in self._stamps:
            return {}
        rows, bad = read_values(path)
        if bad:
            self._problems.append(f"{path}: lines that cannot be read: {bad}; run the command values again")
        return rows


def _with_values(report: ReportEntry, row: ValuesRow) -> ReportEntry:
    """Add what was read out of the PDF; values of another content do not count, and the inventory before them."""
    if report.sha256 is None or row.sha256 not in {None, report.sha256}:
        return report
    return replace(
        report,
        vin=report.vin or row.vin,
        year=row.year if report.year is None else report.year,
        make=report.make or row.make,
        model=report.model or row.model,
        trim=report.trim or row.trim,
        mileage=row.mileage if report.mileage is None else report.mileage,
        error=row.error,
        flags=(*report.flags, *row.flags),
        values=row.values,
    )


def _inventory(folder: RunFolder, header: RunHeader) -> list[Vehicle]:
    try:
        content = folder.inventory.read_bytes()
    except OSError as error:
        raise InventoryError(f"{folder.inventory} cannot be read: {error.strerror}") from error
    if header.inventory_sha256 and hashlib.sha256(content).hexdigest() != header.inventory_sha256:
        raise InventoryError(f"{folder.inventory} is not as the run wrote it: put it back")
    return from_csv(content)
