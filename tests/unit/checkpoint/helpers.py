"""A disk that fails on request, a bus that remembers, and a header to begin runs with."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from jdp_scraper.checkpoint.records import RunHeader, TaskRecord, TaskState
from jdp_scraper.disk import Disk, DiskFile
from jdp_scraper.events import Bus, Event, Notice

HEADER = RunHeader("jdpower", "https://portal.test", "0123456789ab", datetime(2025, 3, 1, 8, 0, tzinfo=UTC))


def done(key: str, size: int = 10) -> TaskRecord:
    return TaskRecord(TaskState.DONE, 1, f"{key}.pdf", size, "ab" * 32, seconds=0.5, finished_at=HEADER.started)


class Ear:
    """A bus's listener."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.notices: list[Notice] = []
        self.bus.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event)

    @property
    def text(self) -> str:
        return "\n".join(notice.text for notice in self.notices)


class PowerCut(BaseException):
    """The machine has stopped dead."""


class FaultyDisk(Disk):
    """Counts its operations; from number ``fail_at`` on (or only then, where ``once``) they fail.

    A write that fails has put ``part`` of its data into the file before.
    """

    def __init__(self, fail_at: int = 0, error: BaseException | None = None, part: float = 0.5) -> None:
        self.fail_at = fail_at
        self.error = error or OSError(errno.ENOSPC, "No space left on device")
        self.part = part
        self.once = False
        self.count = 0
        self.syncs = 0

    def operation(self) -> bool:
        self.count += 1
        return bool(self.fail_at) and (self.count == self.fail_at or (self.count > self.fail_at and not self.once))

    def check(self) -> None:
        if self.operation():
            self.fail()

    def fail(self) -> NoReturn:
        raise self.error

    def make_folder(self, path: Path) -> None:
        self.check()
        super().make_folder(path)

    def open_new(self, path: Path, mode: int | None = None) -> DiskFile:
        self.check()
        super().open_new(path, mode).close()
        return _FaultyFile(path, self)

    def open_append(self, path: Path) -> DiskFile:
        self.check()
        return _FaultyFile(path, self)

    def rename(self, source: Path, target: Path) -> None:
        self.check()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self.check()
        super().remove(path)

    def cut(self, path: Path, size: int) -> None:
        self.check()
        super().cut(path, size)


class _FaultyFile(DiskFile):
    def __init__(self, path: Path, disk: FaultyDisk) -> None:
        super().__init__(path, "ab")
        self._disk = disk

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        if self._disk.operation():
            super().write(bytes(data)[: int(len(data) * self._disk.part)])
            self._disk.fail()
        return super().write(data)

    def sync(self) -> None:
        self._disk.check()
        self._disk.syncs += 1
        super().sync()
