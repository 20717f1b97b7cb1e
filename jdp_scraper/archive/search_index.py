"""The search index of the archive's index page: every word, and the rows in whose vehicle or report it stands.

It is a script and not JSON: a page that lies on the disk may load a script beside it, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

from jdp_scraper.archive.model import Archive, Vehicle
from jdp_scraper.archive.static_files import FOLDER

MAX_TEXT = 200_000
_MAX_WORD = 40
_FORMAT = "1"
_WORD = re.compile(r"[^\W_]+")
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3})")  # begins with the comma, which is quick to be looked for
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def search_texts(archive: Archive) -> list[str]:
    """Return what is searched of each vehicle, in the order of the index's rows; a huge report's text is cut."""
    return [_searched(vehicle) for vehicle in archive.vehicles]


def search_index_path(archive: Archive) -> str:
    """Return the path of the index from the archive's root, by what it is made of: pages name it before it is made."""
    digest = hashlib.sha256(_FORMAT.encode())
    for text in search_texts(archive):
        digest.update(text.encode("utf-8", "replace"))
        digest.update(b"\0")
    return f"{FOLDER}/search.{digest.hexdigest()[:12]}.js"


def search_index(texts: Sequence[str]) -> bytes:
    """Make the script of texts that are the rows', in order: a line a word, sorted, and its rows.

    Rows are written as gaps in base 36, counted from behind the row before; ``+n`` says that n more follow at once.
    """
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        for word in words_of(text):
            rows.setdefault(word, []).append(row)
    # The page looks words up by halves, in the order of UTF-16 units, which is how a script compares strings.
    lines = [f"{word} {_runs(rows[word])}" for word in sorted(rows, key=lambda word: word.encode("utf-16-be"))]
    return f"globalThis.reportText={json.dumps(chr(10).join(lines))};\n".encode("ascii")


def search_index_in_worker(texts: list[str]) -> str:
    """As ``search_index``, for a worker process: plain values in, plain values out."""
    return search_index(texts).decode("ascii")


def words_of(text: str) -> set[str]:
    """Return the words of a text in the spelling of the search: no case, no accents, no commas within numbers."""
    if not text.isascii():
        spread = unicodedata.normalize("NFKD", text)
        text = "".join(mark for mark in spread if not unicodedata.category(mark).startswith(("M", "Cs")))
    words = set(_WORD.findall(_THOUSANDS.sub("", text).lower()))
    return {word for word in words if len(word) <= _MAX_WORD}


def _searched(vehicle: Vehicle) -> str:
    own = (vehicle.reference, vehicle.vin or "", vehicle.description)
    return "\n".join((*own, vehicle.text[:MAX_TEXT]))


def _runs(rows: Iterable[int]) -> str:
    told: list[list[int]] = []
    after = 0
    for row in rows:
        if told and row == after:
            told[-1][1] += 1
        else:
            told.append([row - after, 0])
        after = row + 1
    return " ".join(_base_36(gap) + (f"+{_base_36(more)}" if more else "") for gap, more in told)


def _base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
