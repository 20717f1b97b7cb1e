"""At start, compares what is written down with the PDFs that are there, against the order in which they were written.

A PDF without its line was cut off between the two, so it is proven again and adopted; a line without its PDF is work
again. Nothing is thrown away but unfinished parts, and unproven PDFs of vehicles that have a proven one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.records import TaskRecord, TaskState
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import ReportUnproven, VehicleError
from jdp_scraper.events import Bus
from jdp_scraper.vehicle import Vehicle

PART = ".part"
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Proof:
    """A whole PDF that is its vehicle's; ``size`` in bytes, ``sha256`` in hex, ``flags`` as in a record."""

    size: int
    sha256: str
    flags: tuple[str, ...] = ()


Prove = Callable[[Path, Vehicle], Awaitable[Proof | None]]


@dataclass(slots=True)
class Reconciled:
    """What was found and done: numbers of files, and of keys for ``again``."""

    parts_removed: int = 0
    adopted: int = 0
    quarantined: int = 0
    again: int = 0
    unknown: int = 0


@dataclass(slots=True)
class Reconciliation:
    """One run's reconciliation; ``prove`` tells ``None`` or raises ``VehicleError`` for a PDF that is not proven."""

    folder: RunFolder
    checkpoint: Checkpoint
    keyed: Mapping[str, Vehicle]
    names: Mapping[str, str]
    prove: Prove
    disk: Disk
    bus: Bus

    async def run(self) -> Reconciled:
        """Make records and files agree; raises ``StorageError``."""
        result = Reconciled(parts_removed=await asyncio.to_thread(self._remove_parts))
        sizes = await asyncio.to_thread(_sizes, self.folder.pdfs)
        await self._check_lines(sizes, result)
        await self._check_files(sizes, result)
        await asyncio.to_thread(self._forget_unproven)
        self._tell(result)
        return result

    async def _check_lines(self, sizes: dict[str, int], result: Reconciled) -> None:
        for key, record in list(self.checkpoint.records.items()):
            if record.state is not TaskState.DONE or (record.file and sizes.get(record.file) == record.size):
                continue
            # The line is taken back first: until then a start cut off here would trust the file that is now moved.
            await self.checkpoint.record(key, TaskRecord())
            result.again += 1
            if record.file in sizes:
                await self._quarantine(record.file, result)
                del sizes[record.file]

    async def _check_files(self, sizes: Mapping[str, int], result: Reconciled) -> None:
        recorded = {r.file for r in self.checkpoint.records.values() if r.state is TaskState.DONE}
        owners = {name: key for key, name in self.names.items()}
        unknown = []
        for name in sorted(sizes.keys() - recorded):
            if name in owners:
                await self._adopt(owners[name], name, result)
            else:
                unknown.append(name)
        result.unknown = len(unknown)
        if unknown:
            shown = ", ".join(ascii(name) for name in unknown[:_NAMED]) + (", ..." if len(unknown) > _NAMED else "")
            self.bus.notice("warning", f"in {self.folder.pdfs} lies what belongs to no vehicle of this run: {shown}")

    async def _adopt(self, key: str, name: str, result: Reconciled) -> None:
        path = self.folder.pdfs / name
        try:
            proof = await self.prove(path, self.keyed[key])
        except ReportUnproven as error:
            await self._keep_apart(name, error)
            return
        except VehicleError:
            proof = None
        if proof is None:
            await self._quarantine(name, result)
            return
        # The start that put it there was cut off, perhaps before its name was durable; the line must not outlive it.
        await asyncio.to_thread(self.disk.settle, path)
        written = await asyncio.to_thread(path.stat)
        record = TaskRecord(
            state=TaskState.DONE,
            attempts=max(1, self.checkpoint.records[key].attempts),
            file=name,
            size=proof.size,
            sha256=proof.sha256,
            flags=proof.flags,
            finished_at=datetime.fromtimestamp(int(written.st_mtime), UTC),
        )
        await self.checkpoint.record(key, record)
        result.adopted += 1

    async def _quarantine(self, name: str, result: Reconciled) -> None:
        target = await asyncio.to_thread(quarantine, self.folder, name, self.disk)
        self.bus.notice("warning", f"{name!a} is not its vehicle's whole PDF: moved to {target}")
        result.quarantined += 1

    async def _keep_apart(self, name: str, error: ReportUnproven) -> None:
        target = self.folder.unproven / name
        await asyncio.to_thread(self.disk.make_folder, self.folder.unproven)
        await asyncio.to_thread(self.disk.rename, self.folder.pdfs / name, target)
        self.bus.notice("warning", f"{name!a} cannot be proven again ({error}): moved to {target}")

    def _forget_unproven(self) -> None:
        """Remove what was kept apart of vehicles that are done by now."""
        done = {record.file for record in self.checkpoint.records.values() if record.state is TaskState.DONE}
        for path in _files(self.folder.unproven) if self.folder.unproven.is_dir() else []:
            if path.name in done:
                self.disk.remove(path)

    def _remove_parts(self) -> int:
        parts = [path for path in _files(self.folder.pdfs) if path.name.endswith(PART)]
        for path in parts + [path for path in _files(self.folder.data) if path.suffix == ".tmp"]:
            self.disk.remove(path)
        return len(parts)

    def _tell(self, result: Reconciled) -> None:
        if result.adopted:
            self.bus.notice("info", f"{result.adopted} PDFs were in place already and are proven")
        if result.again:
            self.bus.notice("warning", f"{result.again} PDFs that were done are missing or changed: fetched again")


def quarantine(folder: RunFolder, name: str, disk: Disk) -> Path:
    """Move a PDF out of ``pdfs/`` and return its new path, never over another; blocks, raises ``StorageError``."""
    disk.make_folder(folder.quarantine)
    target, number = folder.quarantine / name, 2
    while target.exists():
        target, number = target.with_name(f"{Path(name).stem}-{number}{Path(name).suffix}"), number + 1
    disk.rename(folder.pdfs / name, target)
    return target


def _sizes(folder: Path) -> dict[str, int]:
    with storage_errors(str(folder)):
        return {path.name: path.stat().st_size for path in _files(folder)}


def _files(folder: Path) -> list[Path]:
    with storage_errors(str(folder)), os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]
