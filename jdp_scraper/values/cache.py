"""What was read before: by the SHA-256 of a file's content, as long as the rules are the same.

A file that still has the size, times and number (inode) with which it was read is not even hashed again, as git does
it. Times that are too near to that moment are not trusted: a later change may not show in them. For all files of a
pass that moment is when it began.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from jdp_scraper.disk import Disk

NAME = ".values-cache.json"
_FORMAT = 1
TICK_NS = 2_500_000_000  # the coarsest clock of a file system in use ticks every two seconds

Stamp = tuple[int, ...]
Told = dict[str, Any]


def stamp_of(path: Path) -> Stamp | None:
    """Return what tells that a file is still the same, ``None`` where there is none; blocks."""
    try:
        told = os.stat(path)  # noqa: PTH116 - asked of every file; the method of a path costs half as much again
    except OSError:
        return None
    return stamp_told(told)


def stamp_told(told: os.stat_result) -> Stamp:
    """Return the stamp of what ``stat`` has told."""
    return told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino


class ValueCache:
    """What one place's files held; ``load`` it, ask and tell it, and ``save`` it. All but asking blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began_ns = time.time_ns()
        self._read: dict[str, Told] = {}
        self._seen: dict[str, tuple[Stamp, int, str]] = {}
        self._used: set[str] = set()
        self._changed = False
        self.was_empty = True  # when it was loaded: then it is of no use to hash a file before it is read
        self.written: dict[str, Any] = {}

    @classmethod
    def load(cls, path: Path) -> ValueCache:
        """Return what lies there; an empty one where that is nothing, or damaged."""
        cache = cls(path)
        try:
            told = json.loads(path.read_bytes())
            if told["format"] == _FORMAT:
                cache._read = dict(told["read"])
                cache.was_empty = not cache._read
                cache._seen = {name: (tuple(stamp), at, sha256) for name, (stamp, at, sha256) in told["seen"].items()}
                cache.written = dict(told["written"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls(path)
        return cache

    def unchanged(self, path: Path, version: str, stamp: Stamp | None) -> Told | None:
        """Return what is known of a file that has not changed since; ``stamp`` is its own."""
        name = str(path)
        seen = self._seen.get(name)
        if stamp is None or seen is None or seen[0] != stamp:
            return None
        _, at, sha256 = seen
        key = _key(version, sha256)
        told = self._read.get(key)
        if told is None or max(stamp[1], stamp[2]) + TICK_NS >= at:
            return None
        self._used.update((name, key))
        return told

    def by_content(self, path: Path, version: str, stamp: Stamp, sha256: str) -> Told | None:
        """Return what is known of a content, and remember that this file has it."""
        told = self._read.get(_key(version, sha256))
        if told is not None:
            self.keep(path, version, stamp, told)
        return told

    def keep(self, path: Path, version: str, stamp: Stamp | None, told: Told) -> None:
        """Remember what rules of this version read in a file; ``stamp`` is from before that, and of this pass."""
        sha256 = told.get("sha256")
        if stamp is None or sha256 is None:
            return
        self._read[_key(version, sha256)] = told
        self._seen[str(path)] = (stamp, self._began_ns, sha256)
        self._used.update((str(path), _key(version, sha256)))
        self._changed = True

    def save(self, disk: Disk, written: dict[str, Any]) -> None:
        """Write down what was asked for or told since; what was not is forgotten; raises ``StorageError``."""
        seen = {name: one for name, one in self._seen.items() if name in self._used}
        read = {key: told for key, told in self._read.items() if key in self._used}
        same = not self._changed and len(seen) == len(self._seen) and len(read) == len(self._read)
        if same and written == self.written:
            return
        told = {"format": _FORMAT, "read": read, "seen": seen, "written": written}
        disk.write_whole(self._path, json.dumps(told).encode("ascii") + b"\n")


def _key(version: str, sha256: str) -> str:
    return f"{version[:16]} {sha256}"
