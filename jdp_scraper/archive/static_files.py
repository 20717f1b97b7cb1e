"""Styles and scripts of the archive, minified and under names that change with their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = "assets"
NAMES = ("archive.css", "index.js", "vehicle.js")
_SOURCES = Path(__file__).parent / "static"
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A style or script: its own name, its path from the archive's root, and its content."""

    name: str
    path: str
    content: bytes


@cache
def static_sources() -> tuple[bytes, ...]:
    """Return what styles and scripts are made of."""
    return tuple((_SOURCES / name).read_bytes() for name in NAMES)


@cache
def static_file(name: str, *, minify: bool) -> StaticFile:
    """Make one of ``NAMES``; equal input makes equal bytes and an equal path."""
    text = (_SOURCES / name).read_text("utf-8")
    content = (_minified(name, text) if minify else text).encode()
    return StaticFile(name, fingerprinted(name, content), content)


def fingerprinted(name: str, content: bytes) -> str:
    """Return the path of a file that nobody may change without another name: a reader may keep it for ever."""
    stem, _, ending = name.rpartition(".")
    return f"{FOLDER}/{stem}.{hashlib.sha256(content).hexdigest()[:_DIGITS]}.{ending}"


def _minified(name: str, text: str) -> str:
    # Here and not above: a build that finds its styles and scripts made already needs neither.
    import rcssmin  # noqa: PLC0415
    import rjsmin  # noqa: PLC0415

    return str(rcssmin.cssmin(text) if name.endswith(".css") else rjsmin.jsmin(text))
