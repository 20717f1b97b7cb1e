"""What tells that a file has changed without reading it: size, time of its last change, and inode."""

from __future__ import annotations

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


class Stamp(NamedTuple):
    """A file as the system tells of it; the time in ns since 1970."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, told: os.stat_result) -> Stamp:
        """Return the stamp of what ``stat`` has told."""
        return cls(told.st_size, told.st_mtime_ns, told.st_ino)

    def is_settled(self, now_ns: int) -> bool:
        """Tell whether any change from ``now_ns`` on would show."""
        coarse = self.mtime_ns % _SECOND_NS == 0  # as on file systems that keep whole seconds
        return now_ns - self.mtime_ns > (_COARSE_NS if coarse else _FINE_NS)


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
                if entry.name.endswith(SUFFIX) and stat.S_ISREG((told := entry.stat()).st_mode):
                    found[entry.path] = Stamp.of(told)
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
    found = {}
    for path in paths:
        try:
            told = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue  # also a link that leads nowhere, and a file that has gone meanwhile
        if stat.S_ISREG(told.st_mode):
            found[str(path)] = Stamp.of(told)
    return found
