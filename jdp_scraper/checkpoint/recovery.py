"""Puts a checkpoint's content together from whatever of its three files is whole, and makes them whole again.

The snapshot holds everything up to a number. The journal begins with a state of its own and is never shortened while
the run lives; its mirror is a second copy. So any one file may be damaged or gone, and nothing is lost. Entries are
absolute (a key's whole record), which makes the union of both journals right in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jdp_scraper.checkpoint.records import State, check_version
from jdp_scraper.checkpoint.sealed import Line, Reading, dump, read_sealed, seal
from jdp_scraper.disk import Disk
from jdp_scraper.errors import CheckpointUnreadable, RunFolderError
from jdp_scraper.events import Notice

SNAPSHOT = "checkpoint.json"
JOURNAL = "checkpoint.journal"
MIRROR = "checkpoint.mirror"
FILES = (SNAPSHOT, JOURNAL, MIRROR)


@dataclass(slots=True)
class Recovery:
    """The newest state that the files tell, how many entries are lost, and what the journal should hold."""

    state: State
    snapshot: Reading
    journals: tuple[Reading, Reading]
    lost: int
    journal_content: bytes


def recover(folder: Path) -> Recovery:
    """Read a checkpoint without changing anything; blocks.

    Raises ``CheckpointUnreadable`` where no file tells a whole state, ``RunFolderError`` for another version's files.
    """
    snapshot, journal = read_sealed(folder / SNAPSHOT), read_sealed(folder / JOURNAL)
    mirror = read_sealed(folder / MIRROR, like=journal)
    lines = mirror.lines | journal.lines
    try:
        state, lost = _rebuild([*snapshot.lines.values(), *lines.values()], lines, folder)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(f"the checkpoint in {folder} was written by another version of jdp-scraper") from error
    content = _history(lines, state.sequence)
    if content is None:
        # Neither journal can stand for itself any more: both begin anew with all that is known.
        state.sequence += 1
        content = state_line(state)
    return Recovery(state, snapshot, (journal, mirror), lost, content)


def state_line(state: State) -> bytes:
    """Return a whole state as one sealed line."""
    return seal(state.sequence, dump(state.to_entry()))


def notices(recovery: Recovery) -> list[Notice]:
    """Tell what ``repair`` is about to do, one notice a file; nothing where all is well."""
    told = [_journal_notice(reading, recovery.journal_content) for reading in recovery.journals]
    told.insert(0, _snapshot_notice(recovery.snapshot))
    if recovery.lost:
        text = f"{recovery.lost} outcomes can no longer be read from any file; their vehicles are checked again"
        told.append(Notice("error", text))
    return [notice for notice in told if notice is not None]


def repair(recovery: Recovery, disk: Disk) -> None:
    """Set damaged files aside and make both journals whole; blocks, raises ``StorageError``.

    The snapshot is written by whoever goes on with the run.
    """
    for reading in recovery.journals:
        if reading.content == recovery.journal_content:
            continue
        if reading.must_be_kept:
            _keep_copy(reading, disk)
        disk.write_whole(reading.path, recovery.journal_content)
    if _is_bad_snapshot(recovery.snapshot):
        disk.rename(recovery.snapshot.path, aside(recovery.snapshot.path))


def aside(path: Path) -> Path:
    """Return the first free name ``<name>.unreadable-<n>`` beside a file."""
    number = 1
    while (free := path.with_name(f"{path.name}.unreadable-{number}")).exists():
        number += 1
    return free


def _keep_copy(reading: Reading, disk: Disk) -> None:
    # The damaged file stays in place until the whole one takes it over: it may hold what no other file does.
    if reading.content is None:
        disk.rename(reading.path, aside(reading.path))
    else:
        disk.write_whole(aside(reading.path), reading.content)


def _rebuild(told: list[Line], lines: dict[int, Line], folder: Path) -> tuple[State, int]:
    states = [line.entry for line in told if line.entry["kind"] == "state"]
    if not states:
        raise CheckpointUnreadable(
            f"no checkpoint can be read in {folder}: its files are left as they are; --new begins another run"
        )
    for entry in states:
        check_version(entry)
    state = State.from_entry(max(states, key=lambda entry: int(entry["seq"])))
    begin, later = state.sequence, sorted(number for number in lines if number > state.sequence)
    for number in later:
        state.apply(number, lines[number].entry)
    return state, state.sequence - begin - len(later)


def _history(lines: dict[int, Line], last: int) -> bytes | None:
    """Return the longest gapless journal that begins with a state and ends with entry ``last``, if there is one."""
    number, begin = last, None
    while number in lines:
        if lines[number].entry["kind"] == "state":
            begin = number
        number -= 1
    if begin is None:
        return None
    return b"".join(lines[number].raw + b"\n" for number in range(begin, last + 1))


def _journal_notice(reading: Reading, wanted: bytes) -> Notice | None:
    if reading.content == wanted:
        return None
    fault = reading.fault or "does not hold all that is known"
    kept = f"set aside as {aside(reading.path).name} and " if reading.must_be_kept else ""
    return Notice("warning", f"{reading.path} {fault}: {kept}made whole from the other files")


def _snapshot_notice(reading: Reading) -> Notice | None:
    if reading.fault is None:
        return None
    kept = f"set aside as {aside(reading.path).name} and " if _is_bad_snapshot(reading) else ""
    return Notice("warning", f"{reading.path} {reading.fault}: {kept}made whole from the journal")


def _is_bad_snapshot(reading: Reading) -> bool:
    return reading.fault is not None and (reading.content is not None or reading.refused is not None)
