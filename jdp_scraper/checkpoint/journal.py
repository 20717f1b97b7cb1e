"""The journal: sealed lines at the end of two like files, written by groups.

Coroutines that have something to record at the same time share one write and fsync. What an append costs does not
depend on what the files hold already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from jdp_scraper.checkpoint.sealed import Entry, dump, seal
from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import StorageError


class JournalFile:
    """One of the files; ``size`` is how many of its bytes are known to be good. Calls block."""

    def __init__(self, path: Path, size: int, disk: Disk) -> None:
        self.path = path
        self._size = size
        self._disk = disk

    def append(self, data: bytes) -> None:
        """Write and fsync ``data`` behind the last good line; raises ``StorageError``."""
        self._cut_back()
        with storage_errors(str(self.path)), self._disk.open_append(self.path) as file:
            file.write(data)
            file.sync()
        self._size += len(data)

    def _cut_back(self) -> None:
        # A write that failed half way leaves a torn line, to which the next one must not be glued.
        with storage_errors(str(self.path)):
            actual = self.path.stat().st_size
        if actual > self._size:
            self._disk.cut(self.path, self._size)
        elif actual < self._size:
            raise StorageError(f"{self.path} was shortened by another program: start again, it is made whole then")


@dataclass(slots=True)
class _Waiting:
    entry: Entry
    body: bytes
    done: bool = False
    error: BaseException | None = None


class Journal:
    """Appends entries to all its files; ``apply`` is called for each that is durable, in the order of the lines."""

    def __init__(self, files: Iterable[JournalFile], sequence: int, apply: Callable[[int, Entry], None]) -> None:
        self._first, *self._mirrors = files
        self._sequence = sequence
        self._apply = apply
        self._waiting: list[_Waiting] = []
        self._lock = asyncio.Lock()

    async def append(self, entry: Entry) -> None:
        """Return once the entry is durable; raises ``StorageError``, and the state on disk is that before or after."""
        waiting = _Waiting(entry, dump(entry))
        self._waiting.append(waiting)
        # A cancelled caller must not let go of the lock while the thread still writes.
        await asyncio.shield(self._commit(waiting))

    async def _commit(self, waiting: _Waiting) -> None:
        async with self._lock:
            if not waiting.done:
                await self._write_group()
        if waiting.error is not None:
            raise waiting.error

    async def _write_group(self) -> None:
        group, self._waiting = self._waiting, []
        first = self._sequence + 1
        data = b"".join(seal(number, item.body) for number, item in enumerate(group, first))
        try:
            await asyncio.to_thread(self._write, data, self._sequence + len(group))
        except BaseException as error:
            for item in group:
                item.done, item.error = True, error
            return
        for number, item in enumerate(group, first):
            self._apply(number, item.entry)
            item.done = True

    def _write(self, data: bytes, last: int) -> None:
        self._first.append(data)
        # From here on the numbers are used up, even if a mirror fails: the first file holds them.
        self._sequence = last
        for mirror in self._mirrors:
            mirror.append(data)
