from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.records import TaskRecord, TaskState
from jdp_scraper.checkpoint.recovery import FILES, recover
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.checkpoint.verification import Fault, Seen, Verification, Verified
from jdp_scraper.disk import Disk
from jdp_scraper.errors import ReportBroken, RunFolderError, UnusableError
from jdp_scraper.vehicle import Vehicle, assign_keys

from .helpers import HEADER

KEYED = assign_keys([Vehicle(str(number)) for number in range(1, 8)])
NAMES = assign_file_names(KEYED)


async def inspect(path: Path, vehicle: Vehicle) -> Seen:
    """A stand-in: a PDF is the vehicle's when it is its reference, broken when it says so, else a scan or a foreign."""
    data = await asyncio.to_thread(path.read_bytes)
    if data.startswith(b"broken"):
        raise ReportBroken("it is cut off")
    right = data == vehicle.reference.encode()
    unproven = None if right else f"the PDF says {data!a}"
    flags = ("JavaScript",) if vehicle.reference == "4" else ()
    return Seen(len(data), hashlib.sha256(data).hexdigest(), unproven, data == b"scan", flags)


class Run:
    """A finished run of seven vehicles, each PDF in place."""

    def __init__(self, folder: RunFolder, checkpoint: Checkpoint) -> None:
        self.folder = folder
        self.checkpoint = checkpoint

    @classmethod
    async def begin(cls, downloads: Path) -> Run:
        folder = await RunFolder.create(downloads, date(2025, 3, 1), Disk())
        run = cls(folder, await Checkpoint.create(folder.data, HEADER, KEYED, Disk()))
        for key in KEYED:
            await run.write(key, key.encode())
        await run.checkpoint.save_snapshot()
        return run

    async def write(self, key: str, data: bytes, proven_by: str | None = None) -> None:
        self.path(key).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        record = TaskRecord(TaskState.DONE, 1, NAMES[key], len(data), digest, proven_by=proven_by)
        await self.checkpoint.record(key, record)

    def path(self, key: str) -> Path:
        return self.folder.pdfs / NAMES[key]

    async def verify(self, look: Callable[[Path, Vehicle], object] = inspect) -> Verified:
        recovery = await asyncio.to_thread(recover, self.folder.data)
        return await Verification(self.folder, recovery, KEYED, NAMES, look, 3).run()  # type: ignore[arg-type]


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    return await Run.begin(tmp_path)


async def test_a_run_in_order_has_no_fault_and_tells_of_flags(run: Run) -> None:
    verified = await run.verify()
    assert (verified.checked, verified.right, verified.faults) == (7, 7, [])
    assert verified.flags == {"4": ("JavaScript",)}


def remove(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    path.write_bytes(b"broken")


def make_longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def flip_a_bit(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]))


def replace_by_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "why", "moved"),
    [
        (remove, "missing", False),
        (cut_off, "cut off", True),
        (make_longer, "2 bytes, 1 were recorded", True),
        (flip_a_bit, "another content", True),
        (replace_by_a_link, "no file", True),
        (replace_by_a_folder, "no file", True),
    ],
)
async def test_a_damaged_pdf_is_a_fault_of_its_vehicle(
    run: Run, damage: Callable[[Path], None], why: str, moved: bool
) -> None:
    damage(run.path("3"))
    verified = await run.verify()
    fault = verified.faults[0]
    assert why in fault.text and fault.text.startswith("3.pdf: ")
    assert (fault.key, fault.file) == ("3", "3.pdf" if moved else None)
    assert verified.right == 6
    assert len(verified.faults) == (2 if damage is replace_by_a_link else 1)  # what it links to is foreign


async def test_swapped_files_are_both_faults_in_inventory_order_and_say_whose_they_are(run: Run) -> None:
    first, second = run.path("2"), run.path("5")
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    faults = (await run.verify()).faults
    assert [fault.key for fault in faults] == ["2", "5"]
    assert "the PDF says b'5'" in faults[0].text


async def test_bytes_as_recorded_that_do_not_prove_their_vehicle_are_a_fault(run: Run) -> None:
    await run.write("6", b"7")
    assert [fault.key for fault in (await run.verify()).faults] == ["6"]


async def test_a_scan_that_was_proven_by_how_it_came_is_right_while_it_is_that_scan(run: Run) -> None:
    await run.write("6", b"scan", "page and address")
    verified = await run.verify()
    assert (verified.faults, verified.by_circumstances) == ([], {"6": "page and address"})
    await run.write("6", b"7", "page and address")  # it has a text, so it cannot have been proven like that
    assert [fault.key for fault in (await run.verify()).faults] == ["6"]
    await run.write("6", b"scan")  # and without that word in the record a scan proves nothing
    assert [fault.key for fault in (await run.verify()).faults] == ["6"]


async def test_what_is_unexpected_is_a_fault_of_no_vehicle(run: Run) -> None:
    (run.folder.pdfs / "1.2.pdf.part").write_bytes(b"half")
    (run.folder.pdfs / "holiday.pdf").write_bytes(b"1")
    (run.folder.pdfs / "more").mkdir()
    faults = (await run.verify()).faults
    assert [(fault.key, fault.file) for fault in faults] == [
        (None, "1.2.pdf.part"),
        (None, "holiday.pdf"),
        (None, "more"),
    ]
    assert "unfinished" in faults[0].text


@pytest.mark.parametrize("state", [TaskState.TODO, TaskState.FAILED])
async def test_a_pdf_that_is_not_recorded_is_a_fault_and_moved_only_where_it_is_not_proven(
    run: Run, state: TaskState
) -> None:
    for key in ("1", "2"):
        await run.checkpoint.record(key, TaskRecord(state))
    run.path("2").write_bytes(b"1")
    first, second = (await run.verify()).faults
    assert (first.key, first.file) == (None, None)
    assert (second.key, second.file) == (None, "2.pdf")


async def test_vehicles_that_are_not_fetched_are_no_fault(run: Run) -> None:
    await run.checkpoint.record("1", TaskRecord(TaskState.FAILED, 3))
    run.path("1").unlink()
    verified = await run.verify()
    assert (verified.faults, verified.right) == ([], 6)


async def test_a_folder_that_is_gone_is_a_fault_of_every_vehicle(run: Run) -> None:
    for path in run.folder.pdfs.iterdir():
        path.unlink()
    run.folder.pdfs.rmdir()
    assert [fault.key for fault in (await run.verify()).faults] == list(KEYED)


@pytest.mark.parametrize("name", FILES)
async def test_a_checkpoint_file_that_is_missing_or_damaged_is_a_fault(run: Run, name: str) -> None:
    path = run.folder.data / name
    content = path.read_bytes()
    path.write_bytes(content[:30] + b"X" + content[31:])
    assert any(fault.text.startswith(name) for fault in (await run.verify()).faults)
    path.unlink()
    verified = await run.verify()
    assert (verified.faults, verified.right) == ([Fault(f"{name}: is missing")], 7)


async def test_a_record_under_another_name_is_a_fault(run: Run) -> None:
    record = run.checkpoint.records["1"]
    await run.checkpoint.record("1", replace(record, file="2.pdf"))
    assert [(fault.key, fault.file) for fault in (await run.verify()).faults] == [("1", None)]


async def test_inventory_and_checkpoint_of_two_runs_are_refused(run: Run) -> None:
    other = assign_keys([Vehicle("1")])
    check = Verification(
        run.folder, await asyncio.to_thread(recover, run.folder.data), other, assign_file_names(other), inspect, 3
    )
    with pytest.raises(RunFolderError, match="not of the same run"):
        await check.run()


async def test_no_more_files_are_in_hand_than_allowed_and_an_error_of_ours_ends_it(run: Run) -> None:
    in_hand = most = 0

    async def counted(path: Path, vehicle: Vehicle) -> Seen:
        nonlocal in_hand, most
        in_hand += 1
        most = max(most, in_hand)
        await asyncio.sleep(0)
        in_hand -= 1
        return await inspect(path, vehicle)

    assert (await run.verify(counted)).right == 7
    assert most == 3

    async def unusable(path: Path, vehicle: Vehicle) -> Seen:
        raise UnusableError("no process")

    with pytest.raises(UnusableError, match="no process"):
        await run.verify(unusable)
