"""The checkpoint: what is known of each vehicle, durable as soon as ``record`` returns.

``checkpoint.json`` is a snapshot, written when a run begins, is opened again and ends. ``checkpoint.journal`` and its
mirror grow by one line an outcome, whatever the size of the run.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jdp_scraper.checkpoint.journal import Journal, JournalFile
from jdp_scraper.checkpoint.records import Goal, RunHeader, State, TaskRecord, TaskState
from jdp_scraper.checkpoint.recovery import FILES, JOURNAL, MIRROR, SNAPSHOT, notices, recover, repair, state_line
from jdp_scraper.disk import Disk
from jdp_scraper.errors import RunFolderError
from jdp_scraper.events import Bus


class Checkpoint:
    """A run's header and records, in memory and on disk; made by ``create`` or ``load``."""

    def __init__(self, folder: Path, state: State, journal_size: int, disk: Disk) -> None:
        self._folder = folder
        self._state = state
        self._disk = disk
        self._lock = asyncio.Lock()
        files = [JournalFile(folder / name, journal_size, disk) for name in (JOURNAL, MIRROR)]
        self._journal = Journal(files, state.sequence, state.apply)

    @classmethod
    async def create(cls, folder: Path, header: RunHeader, keys: Iterable[str], disk: Disk) -> Checkpoint:
        """Begin a checkpoint with all keys to do; raises ``StorageError``, or ``RunFolderError`` where there is one."""
        state = State(1, header, {key: TaskRecord() for key in keys})
        size = await asyncio.to_thread(_begin, folder, state, disk)
        return cls(folder, state, size, disk)

    @classmethod
    async def load(cls, folder: Path, disk: Disk, bus: Bus) -> Checkpoint:
        """Open a checkpoint again, repairing aloud what is damaged.

        Raises ``CheckpointUnreadable`` where no file tells a whole state, ``RunFolderError`` for a newer version's
        files, ``StorageError``.
        """
        recovery = await asyncio.to_thread(recover, folder)
        for notice in await asyncio.to_thread(
            notices, recovery
        ):  # before the repair: a repair that is cut off was not silent either
            bus.publish(notice)
        await asyncio.to_thread(repair, recovery, disk)
        checkpoint = cls(folder, recovery.state, len(recovery.journal_content), disk)
        await checkpoint.save_snapshot()
        return checkpoint

    @property
    def header(self) -> RunHeader:
        """Whose run it is and what for."""
        return self._state.header

    @property
    def records(self) -> Mapping[str, TaskRecord]:
        """The record of each key, in inventory order; a view that follows ``record``."""
        return MappingProxyType(self._state.records)

    def counts(self) -> Counter[TaskState]:
        """Return how many keys are in each state."""
        return Counter(record.state for record in self._state.records.values())

    async def record(self, key: str, record: TaskRecord) -> None:
        """Write a key's outcome down, durable on return; raises ``KeyError``, ``StorageError``."""
        if key not in self._state.records:
            raise KeyError(key)
        await self._journal.append({"kind": "task", "key": key, "record": record.to_json()})

    async def change_header(
        self, *, goal: Goal | None = None, finished: bool | None = None, proof: Mapping[str, Any] | None = None
    ) -> None:
        """Change what is given of the header, durable on return; raises ``StorageError``."""
        async with self._lock:
            old = self._state.header
            header = replace(
                old,
                goal=old.goal if goal is None else goal,
                finished=old.finished if finished is None else finished,
                proof=old.proof if proof is None else proof,
            )
            await self._journal.append({"kind": "header", "header": header.to_json()})

    async def save_snapshot(self) -> None:
        """Replace the snapshot by the present state; its cost grows with the run; raises ``StorageError``."""
        # A cancelled caller must not let a second snapshot begin while the thread still writes the first.
        await asyncio.shield(self._save_snapshot())

    async def _save_snapshot(self) -> None:
        async with self._lock:
            state = replace(self._state, records=dict(self._state.records))
            await asyncio.to_thread(_write_snapshot, self._folder, state, self._disk)


def _begin(folder: Path, state: State, disk: Disk) -> int:
    if found := [name for name in FILES if (folder / name).exists()]:
        raise RunFolderError(f"{folder} holds a run already: {', '.join(found)}")
    line = state_line(state)
    for name in (JOURNAL, MIRROR, SNAPSHOT):
        disk.write_whole(folder / name, line)
    return len(line)


def _write_snapshot(folder: Path, state: State, disk: Disk) -> None:
    disk.write_whole(folder / SNAPSHOT, state_line(state))
