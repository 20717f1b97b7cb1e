"""Looks for secrets in everything that a run left, by undoing encodings; it shares no code with what removes them."""

from __future__ import annotations

import base64
import contextlib
import gzip
import html
import io
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, unquote_plus

_CODED = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)


def leaks(folder: Path, secrets: Collection[str], printed: Mapping[str, str] | None = None) -> list[str]:
    """Return where a secret stands, as ``place: number of the secret``."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found += _look(str(path.relative_to(folder)), path.read_bytes(), list(secrets))
    for name, text in (printed or {}).items():
        found += _look(name, text.encode(), list(secrets))
    return found


def _look(name: str, data: bytes, secrets: list[str]) -> list[str]:
    found = []
    for place, content in _unpacked(name, data):
        texts = set(_readings(content))
        for number, secret in enumerate(secrets):
            if any(secret in text for text in texts):
                found.append(f"{place}: {number}")
    return found


def _unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file and all that it holds, however deep."""
    yield name, data
    if data[:2] == b"\x1f\x8b":
        yield from _unpacked(f"{name}!", gzip.decompress(data))
    elif data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.namelist():
                    yield f"{name}!{member} (its name)", member.encode()
                    yield from _unpacked(f"{name}!{member}", archive.read(member))
        except zipfile.BadZipFile:  # cut off while it was written
            yield from _unpacked_as_far_as_it_goes(name, data)
    elif data[:5] == b"%PDF-":
        for stream in re.finditer(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
            try:
                yield f"{name}!stream", zlib.decompress(stream[1])
            except zlib.error:
                continue


def _unpacked_as_far_as_it_goes(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the members of an archive without its end, by their own headers."""
    for found in re.finditer(rb"PK\x03\x04", data):
        lengths = data[found.start() + 26 : found.start() + 30]
        begin = found.start() + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        with contextlib.suppress(zlib.error):
            yield f"{name}!at {found.start()}", zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[begin:])


def _readings(data: bytes) -> Iterator[str]:
    """Yield a content as text in each way in which it may be meant."""
    try:
        yield from _unescaped(data.decode("utf-8"))
    except UnicodeDecodeError:  # no text: pictures, fonts
        yield data.decode("utf-8", "replace")
        yield data.decode("latin-1")
    for code in ("utf-16-le", "utf-16-be"):
        for start in (0, 1):
            yield data[start:].decode(code, "replace")
    for coded in _CODED.finditer(data):
        for start in range(4):
            part = coded[0][start:].replace(b"-", b"+").replace(b"_", b"/")
            part = part[: len(part) - (len(part) % 4 == 1)]
            plain = base64.b64decode(part + b"=" * (-len(part) % 4))
            yield plain.decode("utf-8", "replace")


def _unescaped(text: str) -> Iterator[str]:
    """Yield a text with one, two or three layers of escapes undone, in any order."""
    ways = (unquote, unquote_plus, html.unescape, _without_backslashes)
    layer = {text}
    for _ in range(3):
        yield from layer
        layer = {way(one) for one in layer for way in ways} - layer
    yield from layer


def _without_backslashes(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        return chr(int(found[1] or found[2], 16)) if found[1] or found[2] else found[3]

    return _ESCAPE.sub(plain, text)
