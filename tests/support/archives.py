"""Archives as a dealer's runs would make them: the demo portal's vehicles, whose values move from run to run."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jdp_scraper.archive.model import Archive, Report, Run, Value, Vehicle
from jdp_scraper.archive.pages import pages_of
from jdp_scraper.archive.static_files import NAMES, static_file
from jdp_scraper.demo import lot
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.report_pdf import ReportPress, values_of

FIRST = datetime(2026, 9, 28, 6, 30, tzinfo=UTC)
BETWEEN = timedelta(days=7)
HOSTILE = "<script>alert(1)</script> '\"&\x00\ud800"
_COLUMNS = ("rough_trade_in", "average_trade_in", "clean_trade_in", "clean_loan", "clean_retail")


def runs_of(number: int) -> tuple[Run, ...]:
    """Give weekly runs, oldest to newest."""
    moments = (FIRST + BETWEEN * place for place in range(number))
    return tuple(Run(f"{moment:%Y-%m-%d}", moment, "jdpower") for moment in moments)


def sample_archive(vehicles: int, runs: int = 1, *, exceptions: bool = False, hostile: bool = False) -> Archive:
    """Give an archive; with ``exceptions`` some vehicles are new, gone, failed, flagged or hardly known."""
    dates = runs_of(runs)
    lots = lot.Lot(DemoOptions(vehicles=vehicles)).vehicles
    made = [_vehicle(one, dates) for one in lots]
    if exceptions:
        made = list(_with_exceptions(made))
    if hostile:
        made[0] = replace(made[0], slug="_script_~1a2b3c4d", reference=HOSTILE, vin='" onload="alert(1)', make=HOSTILE)
    return Archive("Vehicle values", "jdpower", dates, tuple(made))


def _vehicle(one: lot.Vehicle, runs: tuple[Run, ...]) -> Vehicle:
    chance = random.Random(one.vin)
    factor = 1.0
    reports: list[Report] = []
    for run in reversed(runs):  # the newest has the values that are printed in the report
        dollars = {
            name: round(value * factor) for name, value in zip(_COLUMNS, values_of(one, 1).values(), strict=True)
        }
        values: dict[str, Value] = {name: f"{value}.00" for name, value in dollars.items()}
        values["report_date"] = f"{run.started:%Y-%m-%d}"
        digest = hashlib.sha256(f"{run.name} {one.vin}".encode()).hexdigest()
        path = f"pdfs/{one.reference}.{digest[:12]}"
        reports.insert(0, Report(run, "done", None, (), values, f"{path}.pdf", f"{path}.png", digest, 52_480))
        factor *= chance.choice((1.0, 1.0, 1.015, 1.03, 0.988))
    text = (
        f"Vehicle Valuation Report\n{one.year} {one.make} {one.model}\nStock #\n{one.reference}\nVIN: {one.vin}\n"
        f"Mileage: {one.mileage:,}\nReport No. {100000 + one.number * 7919 % 900000}\n"
        + "Values assume a vehicle in the stated condition with no history of damage and a clear title.\n"
        * 12
    )
    return Vehicle(
        one.vin, one.reference, one.reference, one.vin, one.year, one.make, one.model, one.trim, one.mileage,
        tuple(reports), text,
    )  # fmt: skip


def _with_exceptions(vehicles: list[Vehicle]) -> Iterator[Vehicle]:
    for place, vehicle in enumerate(vehicles):
        *before, last = vehicle.reports
        match place:
            case 2:
                yield replace(vehicle, reports=(last,))
            case 5:
                yield replace(vehicle, reports=tuple(before))
            case 7:
                lost = Report(last.run, "failed", "the portal answered 500 for the report")
                yield replace(vehicle, reports=(*before, lost))
            case 11:
                yield replace(vehicle, vin=None, year=None, make=None, model=None, trim=None, mileage=None)
            case 13:
                doubt = replace(last, flags=("The mileage of the report is not the inventory's.",))
                yield replace(vehicle, reports=(*before, doubt))
            case _:
                yield vehicle


def lay_out(archive: Archive, folder: Path, *, minify: bool = True, pdfs: bool = False) -> None:
    """Write pages, styles and scripts, with ``pdfs`` real reports and thumbnails, else empty files in their place."""
    static = [static_file(name, minify=minify) for name in NAMES]
    for one in static:
        _write(folder / one.path, one.content)
    for page in pages_of(archive, {one.name: one.path for one in static}):
        _write(folder / page.path, page.make())
    demo = {one.vin: one for one in lot.Lot(DemoOptions(vehicles=len(archive.vehicles))).vehicles} if pdfs else {}
    press = ReportPress(1, "jdpower")
    for vehicle in archive.vehicles:
        for report in vehicle.reports:
            if report.pdf:
                data = press.print(demo[vehicle.key], report.run.started.date()) if pdfs else b"%PDF-1.4\n"
                _write(folder / report.pdf, data)
                if report.thumbnail:
                    _write(folder / report.thumbnail, _thumbnail(data) if pdfs else b"")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _thumbnail(data: bytes) -> bytes:
    import io

    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        found = io.BytesIO()
        document[0].render(scale=0.8).to_pil().save(found, "PNG")
        return found.getvalue()
    finally:
        document.close()
