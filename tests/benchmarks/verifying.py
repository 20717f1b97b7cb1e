"""How fast ``verify`` checks a run of 2,000 PDFs of the demo portal, and what looking beyond their text costs."""

from __future__ import annotations

import asyncio
import hashlib
import io
import statistics
import time
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from pathlib import Path

import pypdfium2

from jdp_scraper import system
from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.records import RunHeader, TaskRecord, TaskState
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.demo.lot import Lot
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.report_pdf import ReportPress
from jdp_scraper.disk import Disk
from jdp_scraper.pdf.active_content import examine
from jdp_scraper.vehicle import Vehicle, assign_keys
from jdp_scraper.verify import VerifyOptions, verify
from tests.benchmarks.places import work_folder

PDFS = 2_000
BAR_S = 60
SAMPLE = 60


async def main() -> None:
    """Print the time and rate of a whole check, and the cost of a PDF's examination against that of its text."""
    with work_folder() as folder:
        await make_run(folder, PDFS)
        said = io.StringIO()
        began = time.perf_counter()
        with redirect_stdout(said):
            code = await verify(VerifyOptions(folder))
        seconds = time.perf_counter() - began
    if code or f"{PDFS} of {PDFS} done are right" not in said.getvalue():
        raise RuntimeError(said.getvalue())
    print(
        f"verifying {PDFS} PDFs on {system.usable_cpus()} processors: {seconds:.1f} s, "
        f"{PDFS / seconds:.0f} a second (bar: {BAR_S} s)"
    )
    text, beyond = _costs()
    print(f"reading a PDF: its text {text * 1000:.2f} ms, what else it holds {beyond * 1000:.2f} ms")
    print(f"reading a PDF, ratio of what else it holds to its text: {beyond / text:.2f}")


async def make_run(downloads: Path, count: int) -> None:
    """Make a finished run as the program leaves one, without a portal."""
    press, disk = ReportPress(1, "jdpower"), Disk()
    lot = Lot(DemoOptions(vehicles=count)).vehicles
    keyed = assign_keys(Vehicle(one.reference, one.vin, one.year, one.make, one.model, one.mileage) for one in lot)
    names = assign_file_names(keyed)
    folder = await RunFolder.create(downloads, date(2026, 11, 22), disk)
    sha256 = await folder.save_inventory(keyed.values(), disk)
    header = RunHeader("jdpower", "http://127.0.0.1", "none", datetime.now(UTC), inventory_sha256=sha256, finished=True)
    checkpoint = await Checkpoint.create(folder.data, header, keyed, disk)
    records = {}
    for one, key in zip(lot, keyed, strict=True):
        data = press.print(one)
        await asyncio.to_thread((folder.pdfs / names[key]).write_bytes, data)
        digest = hashlib.sha256(data).hexdigest()
        records[key] = TaskRecord(TaskState.DONE, 1, names[key], len(data), digest)
    await asyncio.gather(*(checkpoint.record(key, record) for key, record in records.items()))
    await checkpoint.save_snapshot()


def _costs() -> tuple[float, float]:
    press = ReportPress(1, "jdpower")
    pdfs = [press.print(one) for one in Lot(DemoOptions(vehicles=SAMPLE)).vehicles]
    times: tuple[list[float], list[float]] = ([], [])
    for data in pdfs:  # in turn, so that a busy machine is fair to both
        for work, took in zip((_read_text, examine), times, strict=True):
            began = time.perf_counter()
            work(data)
            took.append(time.perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])


def _read_text(data: bytes) -> None:
    document = pypdfium2.PdfDocument(data)
    for page in document:
        page.get_textpage().get_text_range()
    document.close()
