from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.records import Goal, TaskRecord, TaskState
from jdp_scraper.checkpoint.recovery import FILES, JOURNAL, MIRROR, SNAPSHOT, recover
from jdp_scraper.checkpoint.sealed import dump, seal
from jdp_scraper.disk import Disk
from jdp_scraper.errors import CheckpointUnreadable, RunFolderError, ScraperError
from tests.support.disks import FaultyDisk, PowerCut

from .helpers import HEADER, Ear, done

KEYS = ("165530", "165530A", "caf\u00e9")
FAILED = TaskRecord(TaskState.FAILED, 3, error="ReportBroken", message="not a whole PDF", finished_at=HEADER.started)


async def a_small_run(folder: Path) -> Checkpoint:
    """A run whose snapshot covers one of its three outcomes."""
    checkpoint = await Checkpoint.create(folder, HEADER, KEYS, Disk())
    await checkpoint.record(KEYS[0], done(KEYS[0]))
    await checkpoint.save_snapshot()
    await checkpoint.record(KEYS[1], FAILED)
    await checkpoint.change_header(goal=Goal(5, ("165530",)), finished=True)
    return checkpoint


def content(checkpoint: Checkpoint) -> tuple[object, object]:
    return checkpoint.header, list(checkpoint.records.items())


async def test_what_was_recorded_is_there_again_without_a_word(tmp_path: Path) -> None:
    before = await a_small_run(tmp_path)
    ear = Ear()
    after = await Checkpoint.load(tmp_path, Disk(), ear.bus)
    assert content(after) == content(before)
    assert after.records[KEYS[1]] == FAILED
    assert after.header.goal == Goal(5, ("165530",))
    assert after.header.finished
    assert after.counts() == {TaskState.DONE: 1, TaskState.FAILED: 1, TaskState.TODO: 1}
    assert ear.notices == []
    assert json.loads((tmp_path / SNAPSHOT).read_text())["records"][KEYS[2]] == {}


async def test_a_loaded_checkpoint_goes_on(tmp_path: Path) -> None:
    await a_small_run(tmp_path)
    ear = Ear()
    again = await Checkpoint.load(tmp_path, Disk(), ear.bus)
    await again.record(KEYS[2], done(KEYS[2]))
    last = await Checkpoint.load(tmp_path, Disk(), ear.bus)
    assert content(last) == content(again)
    assert ear.notices == []


async def test_a_key_that_is_not_in_the_inventory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        await (await a_small_run(tmp_path)).record("other", FAILED)


async def test_a_second_run_is_not_begun_over_the_first(tmp_path: Path) -> None:
    await a_small_run(tmp_path)
    with pytest.raises(RunFolderError, match="holds a run already"):
        await Checkpoint.create(tmp_path, HEADER, KEYS, Disk())


def intact_again(folder: Path, whole: object) -> bool:
    recovery = recover(folder)
    assert (recovery.state.header, list(recovery.state.records.items())) == whole
    assert all(reading.content == recovery.journal_content for reading in recovery.journals)
    return recovery.snapshot.fault is None and recovery.lost == 0


@pytest.mark.parametrize("gone", [{SNAPSHOT}, {JOURNAL}, {MIRROR}, {SNAPSHOT, JOURNAL}, {SNAPSHOT, MIRROR}])
async def test_files_that_are_gone_are_made_again_aloud(tmp_path: Path, gone: set[str]) -> None:
    whole = content(await a_small_run(tmp_path))
    for name in gone:
        (tmp_path / name).unlink()
    ear = Ear()
    assert content(await Checkpoint.load(tmp_path, Disk(), ear.bus)) == whole
    assert all(f"{name} is missing" in ear.text for name in gone)
    assert await asyncio.to_thread(intact_again, tmp_path, whole)


async def test_from_the_snapshot_alone_comes_what_it_covers(tmp_path: Path) -> None:
    await a_small_run(tmp_path)
    for name in (JOURNAL, MIRROR):
        (tmp_path / name).write_bytes(b"\0" * 100)
    ear = Ear()
    loaded = await Checkpoint.load(tmp_path, Disk(), ear.bus)
    assert loaded.records == {KEYS[0]: done(KEYS[0]), KEYS[1]: TaskRecord(), KEYS[2]: TaskRecord()}
    assert JOURNAL in ear.text
    assert MIRROR in ear.text
    await loaded.record(KEYS[1], FAILED)
    (tmp_path / SNAPSHOT).unlink()
    assert content(await Checkpoint.load(tmp_path, Disk(), ear.bus)) == content(loaded)


async def test_a_line_damaged_in_both_journals_is_told_as_lost_and_all_others_stay(tmp_path: Path) -> None:
    checkpoint = await Checkpoint.create(tmp_path, HEADER, KEYS, Disk())
    for key in KEYS:
        await checkpoint.record(key, done(key))
    for name in (JOURNAL, MIRROR):
        lines = (tmp_path / name).read_bytes().splitlines(keepends=True)
        lines[2] = lines[2].replace(b"done", b"DONE")
        (tmp_path / name).write_bytes(b"".join(lines))
    ear = Ear()
    loaded = await Checkpoint.load(tmp_path, Disk(), ear.bus)
    assert loaded.records == {KEYS[0]: done(KEYS[0]), KEYS[1]: TaskRecord(), KEYS[2]: done(KEYS[2])}
    assert [notice.level for notice in ear.notices] == ["warning", "warning", "error"]
    assert "1 outcomes can no longer be read" in ear.text
    assert len(list(tmp_path.glob("*.unreadable-1"))) == 2
    quiet = Ear()
    assert content(await Checkpoint.load(tmp_path, Disk(), quiet.bus)) == content(loaded)
    assert quiet.notices == []


async def test_where_nothing_can_be_read_nothing_is_touched(tmp_path: Path) -> None:
    await a_small_run(tmp_path)
    for name in FILES:
        (tmp_path / name).write_bytes(b"{}\n")
    with pytest.raises(CheckpointUnreadable, match="left as they are"):
        await Checkpoint.load(tmp_path, Disk(), Ear().bus)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(FILES, b"{}\n")


@pytest.mark.parametrize(("change", "message"), [({"version": 2}, "newer"), ({"header": {}}, "another version")])
async def test_a_file_of_another_version_is_refused_and_left(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    checkpoint = await Checkpoint.create(tmp_path, HEADER, KEYS, Disk())
    assert checkpoint.header == HEADER
    state = json.loads((tmp_path / SNAPSHOT).read_bytes())
    body = {name: value for name, value in state.items() if name not in ("seq", "crc")} | change
    newer = seal(9, dump(body))
    (tmp_path / SNAPSHOT).write_bytes(newer)
    with pytest.raises(RunFolderError, match=message):
        await Checkpoint.load(tmp_path, Disk(), Ear().bus)
    assert (tmp_path / SNAPSHOT).read_bytes() == newer


async def scenario(folder: Path, disk: Disk, told: list[object]) -> None:
    """A run's writes; ``told`` gets the content after each step that was confirmed."""
    checkpoint = await Checkpoint.create(folder, HEADER, KEYS, disk)
    told.append(content(checkpoint))
    steps: list[Callable[[], Awaitable[None]]] = [
        lambda: checkpoint.record(KEYS[0], done(KEYS[0])),
        checkpoint.save_snapshot,
        lambda: checkpoint.record(KEYS[1], FAILED),
        lambda: checkpoint.record(KEYS[1], done(KEYS[1])),
        lambda: checkpoint.change_header(finished=True),
        checkpoint.save_snapshot,
    ]
    for step in steps:
        await step()
        told.append(content(checkpoint))
    again = await Checkpoint.load(folder, disk, Ear().bus)
    await again.record(KEYS[2], FAILED)
    told.append(content(again))


async def all_states(tmp_path: Path) -> tuple[list[object], int]:
    told: list[object] = []
    disk = FaultyDisk()
    (tmp_path / "whole").mkdir()
    await scenario(tmp_path / "whole", disk, told)
    return told, disk.count


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("error", [PowerCut(), OSError(errno.EIO, "Input/output error")])
async def test_a_stop_at_any_operation_leaves_the_state_before_or_after(
    tmp_path: Path, part: float, error: BaseException
) -> None:
    states, operations = await all_states(tmp_path)
    assert operations > 40
    for number in range(1, operations + 1):
        folder, told = tmp_path / str(number), list[object]()
        folder.mkdir()
        with pytest.raises((PowerCut, OSError, ScraperError)):
            await scenario(folder, FaultyDisk(number, error, part), told)
        try:
            loaded = content(await Checkpoint.load(folder, Disk(), Ear().bus))
        except CheckpointUnreadable:
            assert not told
        else:
            assert loaded in states[max(0, len(told) - 1) : len(told) + 1], number


async def test_a_failed_operation_in_a_run_that_goes_on_loses_no_later_outcome(tmp_path: Path) -> None:
    for number in range(1, 13):
        folder = tmp_path / str(number)
        folder.mkdir()
        disk = FaultyDisk()
        checkpoint = await Checkpoint.create(folder, HEADER, KEYS, disk)
        disk.once, disk.fail_at = True, disk.count + number
        for key in (*KEYS, *KEYS):
            try:
                await checkpoint.record(key, done(key))
            except (ScraperError, OSError):
                assert disk.count == disk.fail_at
        assert all(record.state is TaskState.DONE for record in checkpoint.records.values())
        assert (await Checkpoint.load(folder, Disk(), Ear().bus)).records == checkpoint.records


async def test_recording_costs_the_same_operations_whatever_the_size(tmp_path: Path) -> None:
    costs = []
    for size in (10, 3000):
        folder = tmp_path / str(size)
        folder.mkdir()
        disk = FaultyDisk()
        checkpoint = await Checkpoint.create(folder, HEADER, map(str, range(size)), disk)
        before = disk.count, (folder / JOURNAL).stat().st_size
        await checkpoint.record("7", done("7"))
        costs.append((disk.count - before[0], (folder / JOURNAL).stat().st_size - before[1]))
    assert costs[0] == costs[1]


async def test_records_and_snapshots_at_the_same_time_agree(tmp_path: Path) -> None:
    keys = [str(number) for number in range(60)]
    checkpoint = await Checkpoint.create(tmp_path, HEADER, keys, Disk())
    async with asyncio.TaskGroup() as group:
        for number, key in enumerate(keys):
            group.create_task(checkpoint.record(key, done(key)))
            if number % 10 == 0:
                group.create_task(checkpoint.save_snapshot())
                await asyncio.sleep(0)
    assert checkpoint.counts() == {TaskState.DONE: 60}
    ear = Ear()
    assert content(await Checkpoint.load(tmp_path, Disk(), ear.bus)) == content(checkpoint)
    assert ear.notices == []


def test_a_record_and_a_header_come_back_as_they_were() -> None:
    started = datetime(2025, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
    header = replace(HEADER, started=started, goal=Goal(3, ("a", "b")), inventory_sha256="ff", finished=True)
    assert type(header).from_json(json.loads(json.dumps(header.to_json()))) == header
    for record in (TaskRecord(), FAILED, done("x")):
        assert TaskRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
