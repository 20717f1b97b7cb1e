"""A small JSON file that holds secrets: mode 0600 from its first byte, replaced in one step, never copied.

It is sealed with a CRC: a flipped bit in a password's hash would else be another password's, and in a cookie another
session's, without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from jdp_scraper import system
from jdp_scraper.checkpoint.sealed import Entry, dump, seal, unseal
from jdp_scraper.disk import PRIVATE, Disk, storage_errors

T = TypeVar("T")


class PrivateFile:
    """Reads, replaces and removes the file; calls of several tasks follow one another."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".tmp")  # what Disk.write_whole leaves when it is cut off
        self._disk = disk
        self._lock = asyncio.Lock()

    async def read(self) -> Entry | None:
        """Return the content, ``None`` where there is no file; raises ``OSError``, or ``ValueError`` for a bad one."""
        line = await self._in_thread(self._read)
        if line is None:
            return None
        content = unseal(line[:-1]) if line.endswith(b"\n") else None
        if content is None:
            raise ValueError("not as it was written")
        return content

    async def write(self, content: Mapping[str, object]) -> None:
        """Replace the content, durable on return; raises ``StorageError``."""
        data = seal(1, dump(content))
        await self._in_thread(lambda: self._write(data))

    async def remove(self) -> None:
        """Remove the file and what an unfinished ``write`` left, durable on return; raises ``StorageError``."""
        await self._in_thread(self._remove)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        async def guarded() -> T:
            async with self._lock:
                return await asyncio.to_thread(call)

        # A cancelled caller must not let the next one begin while the thread still writes.
        return await asyncio.shield(guarded())

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def _write(self, data: bytes) -> None:
        self._disk.make_folder(self.path.parent)
        with storage_errors(str(self.path.parent)):
            system.make_private(self.path.parent)
        try:
            self._disk.write_whole(self.path, data, PRIVATE)
        except BaseException:
            self._disk.remove(self._part)
            raise

    def _remove(self) -> None:
        self._disk.remove(self._part)
        self._disk.remove(self.path, durable=True)
