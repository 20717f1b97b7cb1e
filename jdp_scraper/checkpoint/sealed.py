"""One JSON object a line, numbered and sealed with a CRC, so that a torn or flipped line is known as such."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
_SEAL = re.compile(rb'(\{.*),"crc":"([0-9a-f]{8})"\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """A good line: its bytes without the line's end, and what it says."""

    raw: bytes
    entry: Entry


@dataclass(slots=True)
class Reading:
    """What a file of sealed lines holds: the good lines by number, and what is wrong with the rest."""

    path: Path
    content: bytes | None = None
    lines: dict[int, Line] = field(default_factory=dict)
    damaged: int = 0
    torn: bool = False
    refused: str | None = None

    @property
    def must_be_kept(self) -> bool:
        """Tell whether the file is worse than cut off in its last line, so that a copy has to stay."""
        return self.damaged > 0 or self.refused is not None

    @property
    def fault(self) -> str | None:
        """Return what is wrong with the file, in words, or ``None``."""
        if self.refused is not None:
            return f"cannot be read ({self.refused})"
        if self.content is None:
            return "is missing"
        if self.damaged:
            return f"is damaged in {self.damaged} place{'s' if self.damaged > 1 else ''}"
        return "ends in a half-written line" if self.torn else None


def dump(entry: Mapping[str, object]) -> bytes:
    """Return an entry of one field or more as ASCII JSON without a line's end; raises ``TypeError``."""
    return json.dumps(entry, separators=(",", ":")).encode("ascii")


def seal(number: int, body: bytes) -> bytes:
    """Return what ``dump`` gave as one whole line with its number and CRC."""
    numbered = b'{"seq":%d,' % number + body[1:-1]
    return numbered + b',"crc":"%08x"}\n' % zlib.crc32(numbered)


def unseal(raw: bytes) -> Entry | None:
    """Return what a line says, or ``None`` where it is not exactly as it was written."""
    found = _SEAL.fullmatch(raw)
    if found is None or b"%08x" % zlib.crc32(found[1]) != found[2]:
        return None
    try:
        entry = json.loads(found[1].decode() + "}")
    except ValueError:
        return None
    return entry if isinstance(entry.get("seq"), int) else None


def read_sealed(path: Path, like: Reading | None = None) -> Reading:
    """Read a file of sealed lines as far as it can be read; blocks, raises nothing for a bad file.

    A file of the same content as ``like`` is not parsed a second time.
    """
    reading = Reading(path)
    try:
        reading.content = path.read_bytes()
    except FileNotFoundError:
        return reading
    except OSError as error:
        reading.refused = error.strerror or type(error).__name__
        return reading
    if like is not None and like.content == reading.content:
        return replace(like, path=path)
    *whole, tail = reading.content.split(b"\n")
    reading.damaged = sum(not _take(reading, raw) for raw in whole)
    if tail or not whole:
        # A last line that is good but has lost its end is kept; the file is repaired all the same.
        reading.torn = True
        _take(reading, tail)
    return reading


def _take(reading: Reading, raw: bytes) -> bool:
    entry = unseal(raw)
    if entry is not None:
        reading.lines[entry["seq"]] = Line(raw, entry)
    return entry is not None
