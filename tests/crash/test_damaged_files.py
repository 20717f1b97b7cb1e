"""The three checkpoint files cut or flipped at every place, alone and two at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.records import Goal, State, TaskRecord, TaskState
from jdp_scraper.checkpoint.recovery import FILES, JOURNAL, MIRROR, SNAPSHOT, notices, recover
from jdp_scraper.errors import CheckpointUnreadable
from jdp_scraper.events import Bus, Event, Notice
from tests.support.disks import ModelDisk
from tests.support.small_run import HEADER, KEYS
from tests.support.thorough import thorough

Files = dict[str, bytes]
LAST = 4


async def a_run(folder: Path) -> Files:
    """The files of a run whose snapshot covers two of its four entries."""
    checkpoint = await Checkpoint.create(folder, HEADER, KEYS[:2], ModelDisk(folder))
    await checkpoint.record(KEYS[0], TaskRecord(TaskState.FAILED, 2, error="ReportBroken"))
    await checkpoint.save_snapshot()
    await checkpoint.record(KEYS[0], TaskRecord(TaskState.DONE, 3, "165530.pdf", 10, "ab" * 32))
    await checkpoint.change_header(goal=Goal(5), finished=True)
    return {name: (folder / name).read_bytes() for name in FILES}


def lay_out(folder: Path, files: Files) -> Path:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


async def load(folder: Path) -> tuple[Checkpoint, list[Notice]]:
    told: list[Notice] = []
    bus = Bus()

    def hear(event: Event) -> None:
        if isinstance(event, Notice):
            told.append(event)

    bus.subscribe(hear)
    disk = ModelDisk(folder)
    disk.take_in()
    return await Checkpoint.load(folder, disk, bus), told


def content(state: State | Checkpoint) -> tuple[object, object]:
    return state.header, list(state.records.items())


@pytest.mark.parametrize("name", FILES)
async def test_one_file_cut_at_any_byte_loses_nothing_and_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    files = await a_run(tmp_path / "a")
    whole = content(recover(tmp_path / "a").state)
    for place in range(len(files[name])):
        folder = lay_out(tmp_path / "b", files | {name: files[name][:place]})
        loaded, told = await load(folder)
        assert content(loaded) == whole, place
        assert any(str(folder / name) in notice.text for notice in told), place
        assert notices(recover(folder)) == []


def flips(data: bytes) -> Iterator[bytes]:
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


@pytest.mark.parametrize("name", FILES)
async def test_one_file_flipped_at_any_bit_loses_nothing_and_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    files = await a_run(tmp_path / "a")
    whole = content(recover(tmp_path / "a").state)
    folder = lay_out(tmp_path / "b", files)
    for number, damaged in enumerate(flips(files[name])):
        (folder / name).write_bytes(damaged)
        recovery = recover(folder)
        assert content(recovery.state) == whole, number
        assert recovery.lost == 0
        assert any(str(folder / name) in notice.text for notice in notices(recovery)), number
        if number % 33 == 0:  # some of each byte's bits are repaired as well
            loaded, _ = await load(folder)
            assert content(loaded) == whole, number
            kept = [path.read_bytes() for path in folder.glob(f"{name}.unreadable-*")]
            assert kept == [damaged] or (kept == [] and number // 8 == len(damaged) - 1)
            assert notices(recover(folder)) == []
            lay_out(folder, files)


@thorough(quick=200)
@given(data=st.data())
async def test_damage_to_several_files_keeps_every_line_that_one_still_holds_and_is_never_silent(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("run")
    files = await a_run(folder)
    whole = content(recover(folder).state)
    names = data.draw(st.lists(st.sampled_from(FILES), min_size=2, max_size=3, unique=True))
    damaged = files | {name: data.draw(damages(files[name]), label=name) for name in names}
    # Two copies that lost the same whole lines at their end look like a shorter run; nothing on the disk tells.
    assume(not (damaged[JOURNAL] == damaged[MIRROR] != files[JOURNAL] and damaged[JOURNAL].endswith(b"\n")))
    lay_out(folder, damaged)
    expected = what_is_left(files, damaged)
    if expected is None:
        with pytest.raises(CheckpointUnreadable):
            await load(folder)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == damaged
        return
    loaded, told = await load(folder)
    assert content(loaded) == content(expected)
    assert told, "silent"
    text = "\n".join(notice.text for notice in told)
    for name in (JOURNAL, MIRROR):
        assert str(folder / name) in text or (folder / name).read_bytes() == damaged[name]
    assert str(folder / SNAPSHOT) in text or damaged[SNAPSHOT] == files[SNAPSHOT]
    if expected.sequence == LAST and content(expected) != whole:
        assert "can no longer be read" in text
    assert (await load(folder))[1] == []


def damages(content: bytes) -> st.SearchStrategy[bytes]:
    """A file cut at any place, or with a few bytes flipped."""
    places = st.integers(0, len(content) - 1)
    flips = st.dictionaries(places, st.integers(1, 255), min_size=1, max_size=4)
    return places.map(lambda place: content[:place]) | flips.map(lambda several: flipped(content, several))


def flipped(content: bytes, several: dict[int, int]) -> bytes:
    data = bytearray(content)
    for place, bits in several.items():
        data[place] ^= bits
    return bytes(data)


def what_is_left(files: Files, damaged: Files) -> State | None:
    """The newest whole state that is left, and every later line that is left in either journal."""
    left = {line for content in damaged.values() for line in content.split(b"\n")}
    lines = {json.loads(raw)["seq"]: raw for raw in files[JOURNAL].splitlines()}
    states = [raw for raw in (files[SNAPSHOT].rstrip(b"\n"), lines[1]) if raw in left]
    if not states:
        return None
    state = State.from_entry(json.loads(states[0]))
    for number in sorted(lines):
        if number > state.sequence and lines[number] in left:
            state.apply(number, json.loads(lines[number]))
    return state
