"""What tells that a file has changed without reading it: size, time of its last change, and inode."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jdp_scraper.catalog.sources import Source, pdfs_below
from jdp_scraper.checkpoint.names import SUFFIX
from jdp_scraper.checkpoint.recovery import FILES
from jdp_scraper.checkpoint.run_folder import RunFolder

VALUES = "values.jsonl"
# A file that changed a moment ago may change again without another time: what is read of it then is read once more.
_FINE_NS = 50_000_000
_COARSE_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000
_HALF = 1 << 63
_NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class Stamp(NamedTuple):
    """A file as the system tells of it; the time in ns since 1970, and the inode, as ``storable`` numbers."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, told: os.stat_result) -> Stamp:
        """Return the stamp of what ``stat`` has told."""
        return cls(told.st_size, storable(told.st_mtime_ns), storable(told.st_ino))

    def is_settled(self, now_ns: int) -> bool:
        """Tell whether any change from ``now_ns`` on would show."""
        coarse = self.mtime_ns % _SECOND_NS == 0  # as on file systems that keep whole seconds
        return now_ns - self.mtime_ns > (_COARSE_NS if coarse else _FINE_NS)


def storable(number: int) -> int:
    """Return a number of 64 bits without a sign, as some systems tell inodes and late times, as SQLite holds it."""
    return (number + _HALF) % (2 * _HALF) - _HALF


Stamps = Mapping[str, Stamp]  # by the file's path, as text: there are many


def stamps_of(source: Source) -> Stamps:
    """Return the stamps of all files that a source is read from, its PDFs among them; blocks, raises ``OSError``."""
    if not source.is_run:
        return _there([*pdfs_below(source), source.path / VALUES])
    folder = RunFolder(source.path)
    found = _there([*(folder.data / name for name in FILES), folder.inventory, folder.data / VALUES])
    try:
        with os.scandir(folder.pdfs) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX) and (stamp := _stamp(entry)) is not None:
                    found[entry.path] = stamp
    except (FileNotFoundError, NotADirectoryError):
        pass
    return found


def signature(stamps: Stamps) -> str:
    """Return what differs as soon as any file has come, gone or changed; empty where that would not show yet."""
    now = time.time_ns()
    if not all(stamp.is_settled(now) for stamp in stamps.values()):
        return ""
    told = sorted((path, *stamp) for path, stamp in stamps.items())
    return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()


def _there(paths: list[Path]) -> dict[str, Stamp]:
    return {str(path): stamp for path in paths if (stamp := _stamp(path)) is not None}


def _stamp(file: Path | os.DirEntry[str]) -> Stamp | None:
    """Return a file's stamp; ``None`` where there is none: it has gone meanwhile, or is a link that leads nowhere."""
    try:
        told = file.stat()
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise
    return Stamp.of(told) if stat.S_ISREG(told.st_mode) else None
