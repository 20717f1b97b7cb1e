"""Reads one PDF's values, in a worker process: JSON values in, JSON values out."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jdp_scraper.pdf.opening import MAX_CHARACTERS, Refused, load, opened, sha256_of, text_pages, too_long
from jdp_scraper.pdf.plain_text import has_marks
from jdp_scraper.pdf.whole import MAX_BYTES
from jdp_scraper.values.finding import Finder, Shown
from jdp_scraper.values.layout import Line, lines_of
from jdp_scraper.values.rule import Rule
from jdp_scraper.values.typed import Typed

MAX_PAGES = 200
_READ_AT_ONCE = 1 << 20
_MOST_TITLES = 5
_YEAR = re.compile(r"[0-9]{4}")
_LIKE = 0.1  # of a line's height
_UNFINISHED = re.compile(r"[,;(-]$|(?:^| )[a-z]+$|(?:\S+ ){5}\S*[^.!?:]$")  # a sentence that goes on
_LOWER = re.compile(r"[a-z]{2,} ")
_LONGEST_TITLE = 200  # a pattern may take its time on a longer text


class _Reader(NamedTuple):
    finder: Finder
    title: re.Pattern[str] | None


def extract_file(path: str, rules: str) -> dict[str, Any]:
    """Return the ``values`` and ``titles`` of a file with its ``sha256``, or its ``fault``.

    ``values`` holds the fields that were found, by name; ``titles`` are pairs of year and what follows it. A fault
    comes with a hash where it is the content's, and without one where the file could not be read as a whole.
    """
    try:
        if _waits(path):
            return {"fault": "cannot be read: it is no file"}
        data = load(Path(path))
    except OSError as error:
        return {"fault": f"cannot be read: {error.strerror or error}"}
    except Refused as refusal:
        return {"fault": str(refusal), "sha256": pdf_sha256(path)}
    told: dict[str, Any] = {"sha256": sha256_of(data)}
    try:
        return told | _read(data, _reader(rules))
    except Refused as refusal:
        return told | {"fault": str(refusal)}


def pdf_sha256(path: str) -> str | None:
    """Return the hash of a file; ``None`` where it cannot be read, or is larger than a PDF may be."""
    return file_sha256(path, MAX_BYTES)


def file_sha256(path: str, max_bytes: int | None = None) -> str | None:
    """Return the hash of a file; ``None`` where it cannot be read, or is larger than ``max_bytes``."""
    try:
        if _waits(path):
            return None
        with Path(path).open("rb") as file:
            if max_bytes is None:
                return hashlib.file_digest(file, "sha256").hexdigest()
            digest, left = hashlib.sha256(), max_bytes
            while part := file.read(_READ_AT_ONCE):  # counted, as it may grow meanwhile
                left -= len(part)
                if left < 0:
                    return None
                digest.update(part)
            return digest.hexdigest()
    except OSError:
        return None


def _waits(path: str) -> bool:
    """Tell whether to open a path may take for ever: a pipe by the name of a PDF, say; raises ``OSError``."""
    return not stat.S_ISREG(Path(path).stat().st_mode)


@lru_cache(maxsize=8)
def _reader(rules: str) -> _Reader:
    told = json.loads(rules)
    fields = {name: Rule.from_json(rule) for name, rule in told["fields"].items()}
    return _Reader(Finder(fields, told["dates"]), re.compile(told["title"]) if told["title"] else None)


def _read(data: bytes, reader: _Reader) -> dict[str, Any]:
    """Return what the pages say of the first vehicle; what two of them, or one, say in two ways is not known.

    A page of several vehicles says nothing, and where another one begins, reading ends.
    """
    found: dict[str, Typed | None] = {}
    vehicle: dict[tuple[str, int], Typed] = {}
    titles: list[tuple[int, str]] = []
    characters = 0
    with opened(data, MAX_PAGES) as document:
        for _, text_page in text_pages(document):
            characters += text_page.count_chars()
            if characters > MAX_CHARACTERS:
                raise too_long()
            text = text_page.get_text_range()
            if not reader.finder.may_find(text) and (titles or reader.title is None):
                continue
            lines = lines_of(text_page, text)
            shown = reader.finder.shown(lines)
            if shown.several:
                continue
            if any(vehicle.get(key, value) != value for key, value in shown.vehicle.items()):
                break
            vehicle |= shown.vehicle
            _add(found, shown)
            titles = titles or list(dict.fromkeys(_titles(lines, reader.title)))[:_MOST_TITLES]
    if not characters:
        raise Refused("it holds no text, as a scan")
    return {"values": {name: value for name, value in found.items() if _is_readable(value)}, "titles": titles}


def _is_readable(value: Typed | None) -> bool:
    return value is not None and not (isinstance(value, str) and has_marks(value))


def _add(found: dict[str, Typed | None], shown: Shown) -> None:
    """Add what a further page says to what is ``found``: ``None`` is a field that no later page can tell."""
    for name, values in shown.values.items():
        if values:
            value = values.pop() if len(values) == 1 else None
            found[name] = value if found.get(name, value) == value else None
    for name in shown.unknown:
        found.setdefault(name, None)


def _titles(lines: Sequence[Line], title: re.Pattern[str] | None) -> Iterator[tuple[int, str]]:
    """Yield each line that has the form of a title, all of it, unless it is part of a sentence."""
    for number, line in enumerate(lines) if title is not None else ():
        if len(line.cells) > 1 or len(line.text) > _LONGEST_TITLE or has_marks(line.text) or title is None:
            continue
        match = title.match(line.text)
        if match is None or _YEAR.fullmatch(match["year"]) is None or line.text.endswith("."):
            continue
        if number and _run_on(lines[number - 1], line) and _UNFINISHED.search(lines[number - 1].text):
            continue
        if number + 1 < len(lines) and _run_on(line, lines[number + 1]) and _LOWER.match(lines[number + 1].text):
            continue
        yield int(match["year"]), match["rest"]


def _run_on(line: Line, lower: Line) -> bool:
    """Tell whether two lines may be of one text."""
    near = abs(line.height - lower.height) < _LIKE * line.height
    return near and line.bottom - lower.top < 1.5 * line.height
