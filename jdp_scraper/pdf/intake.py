"""Takes in a report's bytes: the first thousand tell whether it is a PDF, and only a PDF is written."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import aiofiles.threadpool

from jdp_scraper.disk import Disk, DiskFile
from jdp_scraper.errors import ReportBroken, StorageError
from jdp_scraper.pdf import whole
from jdp_scraper.pdf.unbroken import in_thread, unbroken

BLOCK = 256 * 1024  # bytes; most reports are smaller and are written, made durable and closed by one trip to a thread
_MAX_PAGE = 256 * 1024  # bytes of a web page that are worth a look


class Intake:
    """An unfinished report in ``part``; every write goes through ``disk``.

    Call ``take`` for each chunk while ``wants_more``, then ``finish``; ``discard`` on any failure.
    """

    def __init__(self, disk: Disk, part: Path, max_bytes: int = whole.MAX_BYTES) -> None:
        self.size = 0
        self.other = b""
        self._disk = disk
        self._part = part
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._head = b""
        self._tail = b""
        self._block = bytearray()
        self._raw: DiskFile | None = None
        self._file: Any = None

    @property
    def wants_more(self) -> bool:
        """False once it is clear that this is no PDF and enough of it was seen; that lies in ``other``."""
        return len(self.other) < _MAX_PAGE

    @property
    def sha256(self) -> str:
        """The hash of all bytes written, in hexadecimal digits."""
        return self._hash.hexdigest()

    async def take(self, chunk: bytes) -> None:
        """Keep a chunk until there is a block to write; raises ``ReportBroken``, ``StorageError``."""
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise ReportBroken(f"the report is larger than {self._max_bytes} bytes")
        if self._head:
            self._add(chunk)
        else:
            self.other += chunk
            if len(self.other) >= whole.HEAD:
                self._judge_head()
        if len(self._block) >= BLOCK:
            await self._write_block()

    async def finish(self) -> bool:
        """Return with the file durable, or ``False`` if it is no PDF; raises ``ReportBroken``, ``StorageError``."""
        if not self._head:
            self._judge_head()
        if not self._head:
            return False
        fault = whole.fault_of(self._head, self._tail)
        if fault is not None:
            raise ReportBroken(f"the report is not whole: {fault}")
        await in_thread(self._write_rest)
        return True

    async def discard(self) -> None:
        """Close and remove the file. What the disk says to that is dropped: an error is already on its way."""
        with contextlib.suppress(StorageError, OSError):
            await in_thread(self._close)
        with contextlib.suppress(StorageError):
            await in_thread(self._disk.remove, self._part)

    def _judge_head(self) -> None:
        if whole.is_pdf_head(self.other):
            self._head, start, self.other = self.other[: whole.HEAD], self.other, b""
            self._add(start)

    def _add(self, chunk: bytes) -> None:
        self._block += chunk
        self._hash.update(chunk)
        self._tail = (self._tail + chunk[-whole.TAIL :])[-whole.TAIL :]

    async def _write_block(self) -> None:
        if self._file is None:
            await in_thread(self._open)
            self._file = aiofiles.threadpool.wrap(self._raw)
        block, self._block = self._block, bytearray()
        await unbroken(self._file.write(block))

    def _open(self) -> DiskFile:
        if self._raw is None:
            self._raw = self._disk.open_new(self._part)  # kept at once: a cancellation would lose what a thread returns
        return self._raw

    def _write_rest(self) -> None:
        file = self._open()
        if self._block:
            file.write(self._block)
        file.sync()
        self._close()

    def _close(self) -> None:
        raw, self._raw, self._file = self._raw, None, None
        if raw is not None:
            raw.close()
