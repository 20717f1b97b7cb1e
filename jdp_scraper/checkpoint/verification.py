"""Holds a whole run folder against its checkpoint again: every PDF there, whole, its vehicle's and as it was recorded.

Nothing is changed here; what is wrong is a list of faults, each of which says what would have to be moved and fetched.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jdp_scraper.checkpoint.reconcile import PART
from jdp_scraper.checkpoint.records import TaskRecord, TaskState
from jdp_scraper.checkpoint.recovery import Recovery
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import storage_errors
from jdp_scraper.errors import ReportBroken, RunFolderError
from jdp_scraper.vehicle import Vehicle

FILES_A_CHILD = 2  # one is read while the last one is still judged


@dataclass(frozen=True, slots=True)
class Seen:
    """A PDF as it lies there; ``unproven`` is why its own text does not prove its vehicle, if it does not."""

    size: int
    sha256: str
    unproven: str | None = None
    textless: bool = False
    flags: tuple[str, ...] = ()


Inspect = Callable[[Path, Vehicle], Awaitable[Seen]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; ``key`` is whose record does not hold, ``file`` what does not belong into ``pdfs/``."""

    text: str
    key: str | None = None
    file: str | None = None


@dataclass(slots=True)
class Verified:
    """What was found; ``by_circumstances`` and ``flags`` tell of PDFs that are right, by key."""

    checked: int = 0
    right: int = 0
    faults: list[Fault] = field(default_factory=list)
    by_circumstances: dict[str, str] = field(default_factory=dict)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verification:
    """One look at a run; ``inspect`` raises ``ReportBroken`` for what is no whole PDF."""

    folder: RunFolder
    recovery: Recovery
    keyed: Mapping[str, Vehicle]
    names: Mapping[str, str]
    inspect: Inspect
    at_once: int

    async def run(self) -> Verified:
        """Check everything; raises ``RunFolderError`` where inventory and checkpoint are of two runs."""
        records = self.recovery.state.records
        if records.keys() != self.keyed.keys():
            raise RunFolderError(f"{self.folder.path}: inventory and checkpoint are not of the same run")
        result = Verified(faults=list(_checkpoint_faults(self.recovery)))
        sizes = await asyncio.to_thread(_entries, self.folder.pdfs)
        there = [key for key in self.keyed if records[key].state is TaskState.DONE or self.names[key] in sizes]
        faults = await self._look_at(there, sizes, result)
        result.faults += [fault for key in there if (fault := faults.get(key)) is not None]
        result.faults += _foreign_faults(sizes.keys() - set(self.names.values()))
        return result

    async def _look_at(self, keys: list[str], sizes: Mapping[str, int | None], result: Verified) -> Mapping[str, Fault]:
        """Look at all of ``keys``, a few at a time, and return what is wrong by key."""
        faults: dict[str, Fault] = {}
        waiting = iter(keys)

        async def work() -> None:
            for key in waiting:
                fault = await self._check(key, sizes, result)
                if fault is not None:
                    faults[key] = fault
                elif self.recovery.state.records[key].state is TaskState.DONE:
                    result.right += 1

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.at_once):
                    group.create_task(work())
        except ExceptionGroup as errors:  # not except*, which wraps what it raises before Python 3.11.4
            raise errors.exceptions[0] from None
        return faults

    async def _check(self, key: str, sizes: Mapping[str, int | None], result: Verified) -> Fault | None:
        record, name = self.recovery.state.records[key], self.names[key]
        if record.state is not TaskState.DONE:
            return await self._check_unrecorded(key, sizes[name], result)
        if record.file != name:
            return Fault(f"{name}: recorded under another name, {record.file!a}", key)
        if name not in sizes:
            return Fault(f"{name}: missing", key)
        seen = "no file" if sizes[name] is None else await self._seen(key, result)
        why = _unlike(record, seen)
        if why is not None or isinstance(seen, str):
            return Fault(f"{name}: {why}", key, name)
        if seen.unproven is not None and record.proven_by is not None:
            result.by_circumstances[key] = record.proven_by
        if seen.flags:
            result.flags[key] = seen.flags
        return None

    async def _check_unrecorded(self, key: str, size: int | None, result: Verified) -> Fault:
        """A vehicle that is not done has a file: a start would adopt it where it proves itself."""
        name = self.names[key]
        seen = None if size is None else await self._seen(key, result)
        if isinstance(seen, Seen) and seen.unproven is None:
            return Fault(f"{name}: its vehicle's, but not recorded as done")
        why = "no file" if seen is None else seen if isinstance(seen, str) else str(seen.unproven)
        return Fault(f"{name}: not recorded as done, and {why}", None, name)

    async def _seen(self, key: str, result: Verified) -> Seen | str:
        """Return the PDF of a key as it lies there, or why it is none."""
        result.checked += 1
        try:
            return await self.inspect(self.folder.pdfs / self.names[key], self.keyed[key])
        except ReportBroken as error:
            return str(error)


def _unlike(record: TaskRecord, seen: Seen | str) -> str | None:
    """Return why a PDF is none, not the one that was recorded, or not its vehicle's."""
    if isinstance(seen, str):
        return seen
    told = "" if seen.unproven is None else f"; {seen.unproven}"
    if seen.size != record.size:
        return f"changed since it was proven: {seen.size} bytes, {record.size} were recorded{told}"
    if seen.sha256 != record.sha256:
        return f"changed since it was proven: another content (SHA-256){told}"
    # The very bytes that were proven by how they came; with a text of their own they never could have been.
    if seen.unproven is not None and not (record.proven_by is not None and seen.textless):
        return seen.unproven
    return None


def _checkpoint_faults(recovery: Recovery) -> Iterator[Fault]:
    for reading in (recovery.snapshot, *recovery.journals):
        if reading.fault is not None:
            yield Fault(f"{reading.path.name}: {reading.fault}")
        elif reading is not recovery.snapshot and reading.content != recovery.journal_content:
            yield Fault(f"{reading.path.name}: does not hold all that is known")
    if recovery.lost:
        yield Fault(f"{recovery.lost} outcomes can no longer be read from any checkpoint file")


def _foreign_faults(names: Iterable[str]) -> Iterator[Fault]:
    for name in sorted(names):
        what = "an unfinished download" if name.endswith(PART) else "belongs to no vehicle of this run"
        yield Fault(f"{name}: {what}", None, name)


def _entries(folder: Path) -> dict[str, int | None]:
    """Return all that lies in a folder: sizes of files in bytes, ``None`` for what is no file."""
    with storage_errors(str(folder)):
        try:
            with os.scandir(folder) as entries:
                return {one.name: one.stat().st_size if one.is_file(follow_symlinks=False) else None for one in entries}
        except FileNotFoundError:
            return {}
