"""The search index of the archive's index page: every word, and the rows in whose vehicle or report it stands.

It is a script and not JSON: a page that lies on the disk may load a script beside it, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jdp_scraper.archive.model import Archive, Vehicle
from jdp_scraper.archive.static_files import FOLDER

MAX_TEXT = 200_000
_MAX_WORD = 40
_FEW = 0.1  # of all rows; with more of them changed the index is made anew
_BEGIN = "globalThis.reportText="
_END = ";\n"
_FORMAT = "2"
_WORD = re.compile(r"[^\W_]+")
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3})")  # begins with the comma, which is quick to be looked for
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Search:
    """What is searched: ``texts`` of the vehicles, in the order of the index's rows.

    ``path`` is the search index's, from the archive's root, by what it is made of: pages name it before it is made.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        digest = hashlib.sha256(f"{_FORMAT} {unicodedata.unidata_version}".encode())
        for text in texts:
            digest.update(text.encode("utf-8", "surrogatepass"))
            digest.update(b"\0")
        self.path = f"{FOLDER}/search.{digest.hexdigest()[:12]}.js"

    @classmethod
    def of(cls, archive: Archive) -> Search:
        """Return what is searched in an archive; a huge report's text is cut."""
        return cls([_searched(vehicle) for vehicle in archive.vehicles])


def search_index(texts: Sequence[str]) -> bytes:
    """Make the script of texts that are the rows', in order: a line a word, sorted, and its rows.

    Rows are written as gaps in base 36, counted from behind the row before; ``+n`` says that n more follow at once.
    """
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        for word in words_of(text):
            rows.setdefault(word, []).append(row)
    return _script({word: _runs(found) for word, found in rows.items()})


def changed_search_index(script: bytes, before: Sequence[str], texts: Sequence[str]) -> bytes | None:
    """Make the script of ``texts`` of the one that was made of as many texts ``before``.

    Returns ``None`` where so many differ that it is quicker to make it anew; raises ``ValueError`` or ``TypeError``
    where ``script`` is none.
    """
    changes = [(row, *both) for row, both in enumerate(zip(before, texts, strict=True)) if both[0] != both[1]]
    if len(changes) > len(texts) * _FEW:
        return None
    told = _words_of_script(script)
    rows: dict[str, set[int]] = {}
    for row, old, new in changes:
        were, are = words_of(old), words_of(new)
        for word in were ^ are:
            if word not in rows:
                rows[word] = set(_rows(told.get(word, "")))
            (rows[word].add if word in are else rows[word].discard)(row)
    told |= {word: _runs(sorted(found)) for word, found in rows.items()}
    return _script({word: runs for word, runs in told.items() if runs})


def _script(runs: Mapping[str, str]) -> bytes:
    # The page looks words up by halves, in the order of UTF-16 units, which is how a script compares strings.
    words = sorted(runs, key=None if all(map(str.isascii, runs)) else _utf_16)
    return f"{_BEGIN}{json.dumps(chr(10).join(f'{word} {runs[word]}' for word in words))}{_END}".encode("ascii")


def _words_of_script(script: bytes) -> dict[str, str]:
    text = script.decode("ascii")
    told = json.loads(text.removeprefix(_BEGIN).removesuffix(_END))
    if not isinstance(told, str):
        raise TypeError("this is no search index")
    return {word: runs for word, _, runs in (line.partition(" ") for line in told.split("\n") if line)}


def _utf_16(word: str) -> bytes:
    return word.encode("utf-16-be")


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


def _rows(runs: str) -> Iterator[int]:
    """Yield the rows of which ``_runs`` has told."""
    after = 0
    for run in runs.split():
        gap, _, more = run.partition("+")
        first = after + int(gap, 36)
        after = first + (int(more, 36) if more else 0) + 1
        yield from range(first, after)


def _base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
