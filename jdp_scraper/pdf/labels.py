"""Finds labels such as ``Stock #`` in a report's text, and reads what stands behind each of them.

What stands behind a label is compared with a value that is known, never cut out first: a reference may hold spaces,
and only the inventory knows where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from jdp_scraper.pdf.plain_text import plain

Kind = Literal["reference", "vin"]
MARKS = ":#.-"
_SHOWN = 40  # characters of the PDF that a message quotes
_LONGEST_GAP = 40  # separators behind a label; a hostile PDF can hold a million


@dataclass(frozen=True, slots=True)
class Place:
    """A label in a text; ``end`` is where the label ends, ``token`` where the separators behind it end."""

    text: str
    kind: Kind
    label: str
    start: int
    end: int
    token: int

    def names(self, value: str) -> int | None:
        """Return where ``value`` ends if it stands behind the label as a whole token, else ``None``."""
        return self._end_of(value, self._starts())

    def may_name(self, value: str) -> bool:
        """Tell whether ``value`` stands behind the label in any reading, also in one that ``names`` refuses."""
        return self._end_of(value, range(self.end, self.token + 1)) is not None

    def shown(self) -> str:
        """Return the word behind the label, cut to what a message can hold; empty at the end of the text."""
        first = self._first_mark(self.token)
        start = self.token if first == self.end else first
        return self.text[start : start + _SHOWN].partition(" ")[0]

    def _end_of(self, value: str, starts: Iterable[int]) -> int | None:
        for start in starts:
            stop = start + len(value)
            if self.text.startswith(value, start) and self.text[stop : stop + 1] in ("", " "):
                return stop
        return None

    def _starts(self) -> Iterator[int]:
        """Yield every position at which a value can begin: behind the separators, or at one of their marks.

        A mark that touches its label belongs to the label: ``No.5`` says nothing of ``.5``. A ``.`` or ``-`` that
        touches the token alone belongs to the token: ``# .5`` says nothing of ``5``.
        """
        for position in range(self.end, self.token + 1):
            if self.text[position : position + 1] == " ":
                continue
            first = self._first_mark(position)
            touches_label = first == self.end
            if touches_label and position < self.token:
                continue
            if touches_label or not any(mark in ".-" for mark in self.text[first:position]):
                yield position

    def _first_mark(self, position: int) -> int:
        """Return where the run of marks begins that ends at ``position``."""
        while position > self.end and self.text[position - 1] in MARKS:
            position -= 1
        return position


def find_places(text: str, reference_labels: Sequence[str], vin_labels: Sequence[str]) -> list[Place]:
    """Return the labels in ``text`` (spelled by ``plain``) in their order; of two that overlap the longer one."""
    if not reference_labels and not vin_labels:
        return []
    expression, kinds = _compiled(tuple(reference_labels), tuple(vin_labels))
    places = []
    for found in expression.finditer(text):
        token = found.end()
        last = min(len(text), token + _LONGEST_GAP)
        while token < last and (text[token] == " " or text[token] in MARKS):
            token += 1
        kind = kinds[(found.lastindex or 1) - 1]
        places.append(Place(text, kind, found.group(), found.start(), found.end(), token))
    return places


@lru_cache(maxsize=32)
def _compiled(reference_labels: tuple[str, ...], vin_labels: tuple[str, ...]) -> tuple[re.Pattern[str], list[Kind]]:
    """Return one expression for all labels, the longest first, and the kind of each of its groups."""
    labels: list[tuple[str, Kind]] = [(plain(label), "reference") for label in reference_labels]
    labels += [(plain(label), "vin") for label in vin_labels]
    labels.sort(key=lambda pair: -len(pair[0]))
    expression = "|".join(f"({whole_word(label)})" for label, _ in labels)
    return re.compile(expression, re.IGNORECASE), [kind for _, kind in labels]


def whole_word(label: str) -> str:
    """Return an expression for a label (spelled by ``plain``) that fails inside a longer word.

    ``Stock #`` may be printed ``Stock#``.
    """
    middle = ""
    for word in label.split(" "):
        between = " " if middle and middle[-1].isalnum() and word[0].isalnum() else " ?"
        middle += (between if middle else "") + re.escape(word)
    before = r"(?<!\w)" if label[0].isalnum() else ""
    after = r"(?!\w)" if label[-1].isalnum() else ""
    return before + middle + after
