"""A PDF's content in short, and the memory of what was read before."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from typing import NamedTuple

from jdp_scraper.catalog.stamps import Stamp
from jdp_scraper.pdf import whole


class Print(NamedTuple):
    """The hash of a file's content, and why it is not a whole PDF, if it is none."""

    sha256: str
    fault: str | None


class Prints:
    """Remembers the print of each file by its path and stamp; ``fresh`` are those that were read since."""

    def __init__(self, known: Iterable[tuple[str, Stamp, Print]] = ()) -> None:
        self._known = {path: (stamp, found) for path, stamp, found in known}
        self.fresh: list[tuple[str, Stamp, Print]] = []

    def of(self, path: str, stamp: Stamp) -> Print | None:
        """Return the print of a file, ``None`` where it is gone; blocks, raises ``OSError``."""
        known, seen = self._known.get(path, (None, None))
        if known == stamp:
            return seen
        now = time.time_ns()
        found = _look_into(path)
        if found is not None and stamp.is_settled(now):
            self._known[path] = stamp, found
            self.fresh.append((path, stamp, found))
        return found


def _look_into(path: str) -> Print | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - of many, by its name
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            file.seek(max(0, size - whole.TAIL))
            tail = file.read()
            file.seek(0)
            fault = whole.fault_of(file.read(whole.HEAD), tail)
    except FileNotFoundError:
        return None
    if fault is None and size > whole.MAX_BYTES:
        fault = whole.TOO_LARGE
    return Print(digest, fault)
