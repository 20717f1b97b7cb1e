"""A PDF's content in short, and the memory of what was read before."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from typing import NamedTuple

from jdp_scraper.catalog.stamps import Stamp, Stamps
from jdp_scraper.checkpoint.names import SUFFIX
from jdp_scraper.pdf import whole


class Print(NamedTuple):
    """The hash of a file's content, empty where it cannot be read, and why it is not a whole PDF, if it is none."""

    sha256: str
    fault: str | None


class Prints:
    """Remembers the print of each file by its path and stamp; ``fresh`` are those that were read since."""

    def __init__(self, known: Iterable[tuple[str, Stamp, Print]] = ()) -> None:
        self._known = {path: (stamp, found) for path, stamp, found in known}
        self.fresh: list[tuple[str, Stamp, Print]] = []

    def unread(self, stamps: Stamps) -> int:
        """Return how many of these files' PDFs are not known, or are no longer what they were."""
        pdfs = [path for path in stamps if path.lower().endswith(SUFFIX)]
        return sum(self._known.get(path, (None, None))[0] != stamps[path] for path in pdfs)

    def of(self, path: str, stamp: Stamp) -> Print | None:
        """Return the print of a file, ``None`` where it is gone; blocks. One that cannot be read has a fault alone."""
        known, seen = self._known.get(path, (None, None))
        if known == stamp:
            return seen
        if stamp.size > whole.MAX_BYTES:  # told by its size alone, as to read it may take an hour
            return Print(f"{stamp.size} bytes", whole.TOO_LARGE)
        now = time.time_ns()
        found = _look_into(path)
        if found is not None and found.sha256 and stamp.is_settled(now):
            self._known[path] = stamp, found
            self.fresh.append((path, stamp, found))
        return found


def _look_into(path: str) -> Print | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - of many, by its name
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(max(0, file.tell() - whole.TAIL))
            tail = file.read()
            file.seek(0)
            fault = whole.fault_of(file.read(whole.HEAD), tail)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Print("", f"it cannot be read: {error.strerror or error}")
    return Print(digest, fault)
