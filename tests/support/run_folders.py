"""Finished runs as the program leaves them, without a portal: real PDFs, proven by construction, with their values."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.records import Goal, RunHeader, TaskRecord, TaskState
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.demo import lot
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.report_pdf import ReportPress, values_of
from jdp_scraper.disk import Disk
from jdp_scraper.vehicle import Vehicle, assign_keys

STARTED = datetime(2026, 11, 15, 6, 30, tzinfo=UTC)
COLUMNS = ("rough_trade_in", "average_trade_in", "clean_trade_in", "clean_loan", "clean_retail")


def demo_vehicles(number: int, seed: int = 1) -> Sequence[lot.Vehicle]:
    return lot.Lot(DemoOptions(vehicles=number, seed=seed)).vehicles


async def make_run(
    downloads: Path,
    vehicles: int | Sequence[lot.Vehicle],
    *,
    started: datetime = STARTED,
    portal: str = "jdpower",
    failed: Mapping[str, str] | None = None,
    goal: Goal | None = None,
    left: Collection[str] = (),
    values: bool = True,
    origin: str = "http://127.0.0.1",
) -> RunFolder:
    """Make a run of the demo portal's vehicles; ``failed`` is reference to reason, ``left`` were never fetched."""
    press, disk = ReportPress(1, "jdpower"), Disk()
    vehicles = demo_vehicles(vehicles) if isinstance(vehicles, int) else vehicles
    keyed = assign_keys(Vehicle(one.reference, one.vin, one.year, one.make, one.model, one.mileage) for one in vehicles)
    names = assign_file_names(keyed)
    folder = await RunFolder.create(downloads, started.date(), disk)
    sha256 = await folder.save_inventory(keyed.values(), disk)
    header = RunHeader(portal, origin, "none", started, goal or Goal(), inventory_sha256=sha256, finished=True)
    checkpoint = await Checkpoint.create(folder.data, header, keyed, disk)
    records: dict[str, TaskRecord] = {}
    rows: list[dict[str, Any]] = []
    for one, key in zip(vehicles, keyed, strict=True):
        if one.reference in left:
            continue
        if one.reference in (failed or {}):
            records[key] = TaskRecord(TaskState.FAILED, 3, error="ReportRefused", message=(failed or {})[one.reference])
            continue
        data = await asyncio.to_thread(press.print, one, started.date())
        (folder.pdfs / names[key]).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        records[key] = TaskRecord(TaskState.DONE, 1, names[key], len(data), digest)
        rows.append(values_row(one, f"pdfs/{names[key]}", digest, started))
    await asyncio.gather(*(checkpoint.record(key, record) for key, record in records.items()))
    await checkpoint.save_snapshot()
    if values:
        write_values(folder.data, rows)
    return folder


async def replace_pdf(folder: RunFolder, key: str, vehicle: lot.Vehicle, day: datetime) -> None:
    """Bring another report of a vehicle, as a run that fetched it again would."""
    data = await asyncio.to_thread(ReportPress(2, "jdpower").print, vehicle, day.date())
    checkpoint = await Checkpoint.load(folder.data, Disk(), _Quiet())  # type: ignore[arg-type]
    record = checkpoint.records[key]
    assert record.file is not None
    path = folder.pdfs / record.file
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)
    digest = hashlib.sha256(data).hexdigest()
    await checkpoint.record(key, replace(record, size=len(data), sha256=digest))
    await checkpoint.save_snapshot()


class _Quiet:
    def publish(self, event: object) -> None:
        """Take no notice."""


def values_row(vehicle: lot.Vehicle, file: str, sha256: str, day: datetime) -> dict[str, Any]:
    """Return a line of values.jsonl as it is read out of a vehicle's report."""
    dollars = zip(COLUMNS, values_of(vehicle, 1).values(), strict=True)
    return {
        "reference": vehicle.reference,
        "vin": vehicle.vin,
        "year": vehicle.year,
        "make": vehicle.make,
        "model": vehicle.model,
        "trim": vehicle.trim,
        "mileage": vehicle.mileage,
        **{name: f"{value}.00" for name, value in dollars},
        "report_date": f"{day:%Y-%m-%d}",
        "file": file,
        "sha256": sha256,
        "error": None,
    }


def write_values(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table of values as JSON lines."""
    (folder / "values.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def files_of(root: Path) -> dict[str, bytes]:
    """Return all files below a folder by their path from it."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
