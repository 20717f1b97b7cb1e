from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.disk import Disk
from jdp_scraper.errors import DiskFull, ReportBroken, ReportMismatch, ReportUnproven, StorageError, TaskLost
from jdp_scraper.pdf.parser import ParserPool
from jdp_scraper.pdf.proof import ProofRule, longer_references, prove
from jdp_scraper.pdf.store import PlacedReport, ReportStore
from jdp_scraper.pdf.stream import StreamedFile
from jdp_scraper.vehicle import Vehicle

from . import active, reports
from .conftest import OffLoopDisk

RULE = ProofRule(reference_labels=("Stock #", "Stock Number"))
VEHICLE = Vehicle("165530", reports.VIN)
NAME = "165530.pdf"


def still_mine() -> bool:
    return True


def streamed(folder: Path, data: bytes, sha256: str | None = None) -> StreamedFile:
    part = folder / f"{NAME}.part"
    part.write_bytes(data)
    return StreamedFile(part, len(data), sha256 or hashlib.sha256(data).hexdigest(), 0.1, 0.2)


@pytest.fixture
def store(tmp_path: Path, pool: ParserPool) -> ReportStore:
    return ReportStore(tmp_path, OffLoopDisk(), pool, RULE, longer_references(["165530", "165530 A"]))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_proven_report_gets_its_name(store: ReportStore, tmp_path: Path) -> None:
    data = reports.beside("165530")
    placed = await store.prove_and_place(streamed(tmp_path, data), VEHICLE, NAME, still_mine)
    assert placed == PlacedReport(NAME, len(data), hashlib.sha256(data).hexdigest())
    assert names(tmp_path) == [NAME]
    assert await store.prove_file(tmp_path / NAME, VEHICLE) == placed


@pytest.mark.parametrize(
    ("lines", "reference", "in_loop"),
    [(0, "165530", True), (50, "165530", False), (0, "165531", False)],
    ids=["short", "long", "with longer references"],
)
async def test_only_a_short_text_without_longer_references_is_proven_in_the_loop(
    lines: int, reference: str, in_loop: bool, tmp_path: Path, pool: ParserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven_in: list[threading.Thread] = []

    def noted(*given: Any) -> None:
        proven_in.append(threading.current_thread())
        prove(*given)

    monkeypatch.setattr("jdp_scraper.pdf.store.prove", noted)
    store = ReportStore(tmp_path, OffLoopDisk(), pool, RULE, longer_references(["165530", "165531", "165531 A"]))
    (tmp_path / NAME).write_bytes(reports.filled(reference, lines))
    await store.prove_file(tmp_path / NAME, Vehicle(reference, reports.VIN))
    assert [thread is threading.main_thread() for thread in proven_in] == [in_loop]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (reports.beside("165530A"), ReportMismatch),
        (reports.beside("165530 A"), ReportMismatch),
        (reports.beside("165530", reports.OTHER_VIN), ReportMismatch),
        (reports.blank(), ReportUnproven),
        (b"not a PDF", ReportBroken),
    ],
)
async def test_a_wrong_report_never_gets_a_name(
    store: ReportStore, tmp_path: Path, data: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await store.prove_and_place(streamed(tmp_path, data), VEHICLE, NAME, still_mine)
    assert names(tmp_path) == []


async def test_a_wrong_file_in_place_is_told_and_left(store: ReportStore, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(reports.beside("165531"))
    with pytest.raises(ReportMismatch):
        await store.prove_file(tmp_path / NAME, VEHICLE)
    assert names(tmp_path) == [NAME]


async def test_a_file_that_changed_after_it_was_streamed_is_broken(store: ReportStore, tmp_path: Path) -> None:
    with pytest.raises(ReportBroken, match="not what was streamed"):
        await store.prove_and_place(streamed(tmp_path, reports.beside("165530"), "0" * 64), VEHICLE, NAME, still_mine)
    assert names(tmp_path) == []


async def test_a_task_taken_back_meanwhile_places_nothing(store: ReportStore, tmp_path: Path) -> None:
    with pytest.raises(TaskLost):
        await store.prove_and_place(streamed(tmp_path, reports.beside("165530")), VEHICLE, NAME, lambda: False)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["../x.pdf", "a/b.pdf", "", "..", "."])
async def test_a_name_cannot_lead_out_of_the_folder(store: ReportStore, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="without a folder"):
        await store.prove_and_place(streamed(tmp_path, b""), VEHICLE, name, still_mine)


async def test_a_cancelled_proof_leaves_nothing(store: ReportStore, tmp_path: Path) -> None:
    report = streamed(tmp_path, reports.endless())
    placing = asyncio.create_task(store.prove_and_place(report, VEHICLE, NAME, still_mine))
    await asyncio.sleep(0)
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    assert names(tmp_path) == []


class SlowDisk(Disk):
    """Renames when it is told to."""

    def __init__(self) -> None:
        self.renaming = threading.Event()
        self.go = threading.Event()

    def rename(self, source: Path, target: Path) -> None:
        self.renaming.set()
        self.go.wait()
        super().rename(source, target)


async def test_a_cancellation_does_not_tear_the_move_apart(tmp_path: Path, pool: ParserPool) -> None:
    disk = SlowDisk()
    store = ReportStore(tmp_path, disk, pool, RULE)
    report = streamed(tmp_path, reports.beside("165530"))
    placing = asyncio.create_task(store.prove_and_place(report, VEHICLE, NAME, still_mine))
    await asyncio.to_thread(disk.renaming.wait)
    placing.cancel()
    await asyncio.sleep(0)
    assert not placing.done()
    disk.go.set()
    with pytest.raises(asyncio.CancelledError):
        await placing
    assert names(tmp_path) == [NAME]


class FullDisk(Disk):
    def rename(self, source: Path, target: Path) -> None:
        raise DiskFull


async def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, pool: ParserPool) -> None:
    store = ReportStore(tmp_path, FullDisk(), pool, RULE)
    with pytest.raises(DiskFull):
        await store.prove_and_place(streamed(tmp_path, reports.beside("165530")), VEHICLE, NAME, still_mine)
    assert names(tmp_path) == []


# -- what does not show whose it is ------------------------------------------------------------------------------------


SCANS = ProofRule(reference_labels=("Stock #",), without_text=("file_name",))


def apart(tmp_path: Path, pool: ParserPool, rule: ProofRule = RULE) -> ReportStore:
    (tmp_path / "pdfs").mkdir()
    return ReportStore(tmp_path / "pdfs", OffLoopDisk(), pool, rule, unproven=tmp_path / "run_data" / "unproven")


@pytest.mark.parametrize("data", [reports.blank(), reports.beside("165530", "none")], ids=["scan", "no VIN"])
async def test_a_report_that_names_no_vehicle_is_kept_apart_until_a_proven_one_comes(
    tmp_path: Path, pool: ParserPool, data: bytes
) -> None:
    store = apart(tmp_path, pool)
    for _ in range(2):  # a second one takes the first one's place
        with pytest.raises(ReportUnproven, match=r"kept apart as run_data/unproven/165530\.pdf"):
            await store.prove_and_place(streamed(tmp_path, data), VEHICLE, NAME, still_mine)
    assert names(tmp_path / "run_data" / "unproven") == [NAME]
    assert (tmp_path / "run_data" / "unproven" / NAME).read_bytes() == data
    assert names(tmp_path / "pdfs") == []
    await store.prove_and_place(streamed(tmp_path, reports.beside("165530")), VEHICLE, NAME, still_mine)
    assert names(tmp_path / "run_data" / "unproven") == []
    assert names(tmp_path / "pdfs") == [NAME]


class StickyDisk(Disk):
    """Removes nothing from the folder of unproven reports."""

    def remove(self, path: Path, *, durable: bool = False) -> None:
        if path.parent.name == "unproven":
            raise StorageError(f"cannot write {path}: Input/output error")
        super().remove(path, durable=durable)


async def test_an_unproven_report_that_cannot_be_removed_is_told_and_the_proven_one_is_in_place(
    tmp_path: Path, pool: ParserPool
) -> None:
    (tmp_path / "pdfs").mkdir()
    store = ReportStore(tmp_path / "pdfs", StickyDisk(), pool, RULE, unproven=tmp_path / "run_data" / "unproven")
    with pytest.raises(ReportUnproven):
        await store.prove_and_place(streamed(tmp_path, reports.blank()), VEHICLE, NAME, still_mine)
    with pytest.raises(StorageError, match="unproven"):
        await store.prove_and_place(streamed(tmp_path, reports.beside("165530")), VEHICLE, NAME, still_mine)
    assert names(tmp_path / "pdfs") == [NAME]


@pytest.mark.parametrize(
    ("data", "error"),
    [(reports.beside("165531"), ReportMismatch), (reports.beside("165530", reports.OTHER_VIN), ReportMismatch)],
)
async def test_a_report_of_another_vehicle_is_kept_nowhere(
    tmp_path: Path, pool: ParserPool, data: bytes, error: type[Exception]
) -> None:
    store = apart(tmp_path, pool)
    with pytest.raises(error):
        await store.prove_and_place(streamed(tmp_path, data), VEHICLE, NAME, still_mine)
    assert names(tmp_path) == ["pdfs"]


async def test_an_unproven_report_of_a_lost_task_is_removed(tmp_path: Path, pool: ParserPool) -> None:
    store = apart(tmp_path, pool)
    with pytest.raises(ReportUnproven):
        await store.prove_and_place(streamed(tmp_path, reports.blank()), VEHICLE, NAME, lambda: False)
    assert names(tmp_path) == ["pdfs"]


async def test_a_scan_is_placed_by_how_it_came_where_the_rule_says_so(tmp_path: Path, pool: ParserPool) -> None:
    store = apart(tmp_path, pool, SCANS)
    came = dataclasses.replace(streamed(tmp_path, reports.blank()), file_name="165530.pdf")
    placed = await store.prove_and_place(came, VEHICLE, NAME, still_mine, page_shown=True)
    assert placed.proven_by == "page and file name"
    inspected = await store.inspect(tmp_path / "pdfs" / NAME, VEHICLE)
    assert inspected.found.textless
    assert inspected.unproven is not None  # by itself it still proves nothing


@pytest.mark.parametrize("data", [reports.beside("165531"), reports.beside("165530", "none")])
async def test_no_way_of_coming_helps_a_report_with_text(tmp_path: Path, pool: ParserPool, data: bytes) -> None:
    store = apart(tmp_path, pool, SCANS)
    came = dataclasses.replace(streamed(tmp_path, data), file_name="165530.pdf")
    with pytest.raises((ReportMismatch, ReportUnproven)):
        await store.prove_and_place(came, VEHICLE, NAME, still_mine, page_shown=True)
    assert names(tmp_path / "pdfs") == []


async def test_a_flagged_report_is_placed_with_its_flags(tmp_path: Path, pool: ParserPool) -> None:
    store = apart(tmp_path, pool)
    data = active.changed(active.attachment)
    placed = await store.prove_and_place(streamed(tmp_path, data), Vehicle("7", reports.VIN), "7.pdf", still_mine)
    assert placed.flags == ("embedded file",)
    assert await store.prove_file(tmp_path / "pdfs" / "7.pdf", Vehicle("7", reports.VIN)) == placed
