from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from jdp_scraper.checkpoint.journal import Journal, JournalFile
from jdp_scraper.checkpoint.sealed import Entry, Reading, read_sealed
from jdp_scraper.disk import Disk
from jdp_scraper.errors import DiskFull, StorageError
from tests.support.disks import FaultyDisk


class Bench:
    """A journal of two empty files, and what it applied."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.paths = [folder / "first", folder / "mirror"]
        for path in self.paths:
            path.touch()
        self.applied: list[tuple[int, Entry]] = []
        files = [JournalFile(path, 0, disk) for path in self.paths]
        self.journal = Journal(files, 0, lambda number, entry: self.applied.append((number, entry)))

    async def read(self) -> list[Reading]:
        return [await asyncio.to_thread(read_sealed, path) for path in self.paths]

    async def numbers(self) -> list[list[int]]:
        readings = await self.read()
        assert all(reading.damaged == 0 for reading in readings)
        return [sorted(reading.lines) for reading in readings]


def entry(key: str) -> Entry:
    return {"kind": "task", "key": key, "record": {}}


async def test_appends_at_the_same_time_share_one_write_and_fsync(tmp_path: Path) -> None:
    disk = FaultyDisk()
    bench = Bench(tmp_path, disk)
    await asyncio.gather(*(bench.journal.append(entry(str(number))) for number in range(50)))
    assert disk.syncs == 2  # one for each of the two files
    assert await bench.numbers() == [list(range(1, 51))] * 2
    assert [number for number, _ in bench.applied] == list(range(1, 51))


async def test_appends_that_come_during_a_write_form_the_next_group(tmp_path: Path) -> None:
    disk = FaultyDisk()
    bench = Bench(tmp_path, disk)
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.journal.append(entry("first")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in range(20):
            group.create_task(bench.journal.append(entry(str(number))))
    assert disk.syncs == 4
    assert await bench.numbers() == [list(range(1, 22))] * 2


@pytest.mark.parametrize("fail_at", range(1, 7))
async def test_after_a_failed_write_the_next_one_stands_on_a_line_of_its_own(tmp_path: Path, fail_at: int) -> None:
    disk = FaultyDisk(fail_at)
    disk.once = True
    disk.count = -6  # the first append's six operations succeed
    bench = Bench(tmp_path, disk)
    await bench.journal.append(entry("before"))
    with pytest.raises(StorageError):
        await bench.journal.append(entry("lost"))
    await bench.journal.append(entry("after"))
    assert [item["key"] for _, item in bench.applied] == ["before", "after"]
    for reading in await bench.read():
        keys = [line.entry["key"] for line in reading.lines.values()]
        assert reading.fault is None
        assert (keys[0], keys[-1]) == ("before", "after")


async def test_a_full_disk_is_told_to_all_of_the_group(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FaultyDisk(2, OSError(errno.ENOSPC, "No space left on device")))
    results = await asyncio.gather(*(bench.journal.append(entry(str(n))) for n in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [DiskFull] * 3
    assert bench.applied == []


async def test_a_cancelled_append_is_written_all_the_same_and_harms_no_other(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Disk())
    task = asyncio.create_task(bench.journal.append(entry("cancelled")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await bench.journal.append(entry("next"))
    assert [item["key"] for _, item in bench.applied] == ["cancelled", "next"]
    assert await bench.numbers() == [[1, 2], [1, 2]]


async def test_a_journal_shortened_by_another_program_stops_the_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Disk())
    await bench.journal.append(entry("a"))
    bench.paths[0].write_bytes(b"")
    with pytest.raises(StorageError, match="shortened"):
        await bench.journal.append(entry("b"))
