from __future__ import annotations

import asyncio
import hashlib
from datetime import date
from pathlib import Path

import pytest

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.reconcile import Proof, Reconciled, Reconciliation
from jdp_scraper.checkpoint.records import TaskRecord, TaskState
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk
from jdp_scraper.errors import ReportMismatch, ReportUnproven
from jdp_scraper.vehicle import Vehicle, assign_keys

from .helpers import HEADER, Ear

KEYED = assign_keys([Vehicle("1"), Vehicle("2"), Vehicle("A/B 12")])
NAMES = assign_file_names(KEYED)


async def prove(path: Path, vehicle: Vehicle) -> Proof | None:
    """A stand-in: a PDF is the vehicle's when it is its reference."""
    data = await asyncio.to_thread(path.read_bytes)
    if data == b"mismatch":
        raise ReportMismatch
    if data == b"scan":
        raise ReportUnproven
    return (
        Proof(len(data), hashlib.sha256(data).hexdigest(), ("JavaScript",))
        if data == vehicle.reference.encode()
        else None
    )


class Run:
    """A begun run and its reconciliation."""

    def __init__(self, folder: RunFolder, checkpoint: Checkpoint) -> None:
        self.folder = folder
        self.checkpoint = checkpoint
        self.ear = Ear()

    @classmethod
    async def begin(cls, downloads: Path) -> Run:
        folder = await RunFolder.create(downloads, date(2025, 3, 1), Disk())
        return cls(folder, await Checkpoint.create(folder.data, HEADER, KEYED, Disk()))

    async def reconcile(self) -> Reconciled:
        todo = Reconciliation(self.folder, self.checkpoint, KEYED, NAMES, prove, Disk(), self.ear.bus)
        return await todo.run()

    def put(self, key: str, data: bytes) -> Path:
        path = self.folder.pdfs / NAMES[key]
        path.write_bytes(data)
        return path

    async def write_down(self, key: str, size: int) -> None:
        await self.checkpoint.record(key, TaskRecord(TaskState.DONE, 2, NAMES[key], size, "00" * 32))

    def states(self) -> list[str]:
        return [record.state.value for record in self.checkpoint.records.values()]


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    return await Run.begin(tmp_path)


async def test_a_run_that_agrees_is_left_alone(run: Run) -> None:
    run.put("1", b"1")
    await run.write_down("1", 1)
    assert await run.reconcile() == Reconciled()
    assert run.states() == ["done", "todo", "todo"]
    assert run.ear.notices == []


async def test_unfinished_parts_are_removed(run: Run) -> None:
    for number in range(3):
        (run.folder.pdfs / f"{number}.pdf.part").write_bytes(b"half")
    (run.folder.data / "tracking.json.tmp").write_bytes(b"half")
    assert (await run.reconcile()).parts_removed == 3
    assert list(run.folder.pdfs.iterdir()) == []
    assert not (run.folder.data / "tracking.json.tmp").exists()


async def test_a_proven_pdf_without_its_line_is_adopted_for_good(run: Run) -> None:
    run.put("A/B 12", b"A/B 12")
    assert await run.reconcile() == Reconciled(adopted=1)
    again = await Checkpoint.load(run.folder.data, Disk(), run.ear.bus)
    record = again.records["A/B 12"]
    assert (record.state, record.file, record.size) == (TaskState.DONE, NAMES["A/B 12"], 6)
    assert record.sha256 == hashlib.sha256(b"A/B 12").hexdigest()
    assert record.flags == ("JavaScript",)
    assert await run.reconcile() == Reconciled()


@pytest.mark.parametrize("data", [b"other", b"mismatch"])
async def test_an_unproven_pdf_without_its_line_is_moved_away_and_none_is_overwritten(run: Run, data: bytes) -> None:
    for _ in range(2):
        run.put("1", data)
        assert await run.reconcile() == Reconciled(quarantined=1)
    assert run.states() == ["todo"] * 3
    assert sorted(path.name for path in run.folder.quarantine.iterdir()) == ["1-2.pdf", "1.pdf"]
    assert list(run.folder.pdfs.iterdir()) == []


async def test_a_line_without_its_pdf_is_work_again(run: Run) -> None:
    await run.write_down("1", 1)
    run.put("2", b"2 and more")
    await run.write_down("2", 1)
    assert await run.reconcile() == Reconciled(again=2, quarantined=1)
    assert run.states() == ["todo"] * 3
    assert [path.name for path in run.folder.quarantine.iterdir()] == ["2.pdf"]
    assert "missing or changed" in run.ear.text


async def test_what_belongs_to_no_vehicle_is_left_and_told(run: Run) -> None:
    (run.folder.pdfs / "holiday\u00e9.pdf").write_bytes(b"x")
    (run.folder.pdfs / "folder.pdf").mkdir()
    assert await run.reconcile() == Reconciled(unknown=1)
    assert "holiday\\xe9.pdf" in run.ear.text
    assert (run.folder.pdfs / "holiday\u00e9.pdf").exists()


async def test_a_failed_vehicle_whose_pdf_is_there_after_all_is_done(run: Run) -> None:
    await run.checkpoint.record("2", TaskRecord(TaskState.FAILED, 3))
    run.put("2", b"2")
    assert (await run.reconcile()).adopted == 1
    assert run.checkpoint.records["2"].attempts == 3


async def test_a_pdf_without_its_line_that_names_no_vehicle_is_kept_apart_until_the_vehicle_is_done(run: Run) -> None:
    for _ in range(2):
        run.put("1", b"scan")
        assert await run.reconcile() == Reconciled()
    assert [path.name for path in run.folder.unproven.iterdir()] == ["1.pdf"]
    assert run.states() == ["todo"] * 3
    run.put("1", b"1")
    assert await run.reconcile() == Reconciled(adopted=1)
    assert list(run.folder.unproven.iterdir()) == []
