"""Finds the labels in a line, and tells which of them say something.

A label counts at the start of a cell; behind other words only where what goes before it is a value of the label before,
or set off: ``Average Annual Mileage: 12,000`` is no mileage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jdp_scraper.pdf.labels import whole_word
from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.values.layout import Line
from jdp_scraper.values.rule import Rule
from jdp_scraper.values.typed import read_as

# Behind a colon a dash is a minus, or says that there is nothing.
_SEPARATOR = re.compile(r"( ?[:#.]+)*((?<!:) [-\u2013](?= ))? ?")
_LEADER = re.compile(r"(?: ?[.\u2026_]){3}")  # leads to a page's number, as in a table of contents
_SET_OFF = " |;,\u2022\u00b7"


class Label(NamedTuple):
    """A label on a line, in cell number ``cell``; ``token`` is where what stands behind it in that cell begins.

    ``fields`` are empty where it says nothing, and only ends what stands before it. ``name`` is the label's number.
    ``until``: where what stands behind it ends. ``marked``: a colon or the like sets it off. ``whole``: the cell holds
    nothing else. ``cut``: what stands behind it ends at a label that says nothing, so that its end is not known.
    """

    fields: tuple[str, ...]
    name: int
    line: int
    cell: int
    start: int
    token: int
    until: int
    marked: bool
    colon: bool
    whole: bool
    cut: bool


class Labels:
    """The labels of all fields."""

    def __init__(self, fields: Mapping[str, Rule], dates: Sequence[str]) -> None:
        self._fields = fields
        self._dates = dates
        named: dict[str, list[str]] = {}
        for name, rule in fields.items():
            for label in rule.labels:
                named.setdefault(plain(label), []).append(name)
        self.all = sorted(named, key=lambda label: (-len(label), label))
        self._names = [tuple(named[label]) for label in self.all]
        self._pattern = _any_of(self.all)
        self._first_words = tuple({label.split(" ")[0].casefold() for label in self.all})

    def in_text(self, text: str) -> bool:
        """Tell whether a text holds a label: its end cannot be told then."""
        folded = text.casefold()
        return any(word in folded for word in self._first_words) and self._pattern.search(text) is not None

    def in_line(self, line: Line, number: int) -> Iterator[Label]:
        """Yield the labels of a line: at the start of a cell, or set off by a colon."""
        folded = line.text.casefold()
        if not any(word in folded for word in self._first_words):
            return
        found: list[tuple[re.Match[str], int, int, str, bool]] = []
        for match in self._pattern.finditer(line.text):
            start, behind = match.span()
            cell = line.cell_at(start)
            separator = _SEPARATOR.match(line.text, behind, max(behind, line.cells[cell].end))
            marks = separator.group() if separator else ""
            first = line.cells[cell].start
            if start != first and ":" not in marks:
                continue
            stands = _LEADER.match(line.text, behind) is None
            if stands and start != first:
                before = found[-1] if found and found[-1][1] >= cell - 1 else None
                begins = first
                if before is not None and before[1] == cell:
                    begins = before[2]
                elif before is not None and before[2] < line.cells[cell - 1].end:
                    before = None  # its value does not stand in this cell
                stands = self._goes_on(before[0] if before is not None else None, line.text[begins:start])
            found.append((match, cell, behind + len(marks), marks, stands))
        for place, (match, cell, token, marks, stands) in enumerate(found):
            start, end = line.cells[cell].start, line.cells[cell].end
            following = found[place + 1] if place + 1 < len(found) and found[place + 1][1] == cell else None
            until = end
            if following is not None:
                until = max(token, len(line.text[: following[0].start()].rstrip(_SET_OFF)))
            name = (match.lastindex or 1) - 1
            colon = ":" in marks or match.group()[-1] == ":"
            fields = self._names[name] if stands else ()
            if "#" in marks:  # a number of it
                fields = tuple(one for one in fields if self._fields[one].type != "text")
            yield Label(
                fields,
                *(name, number, cell, match.start(), min(token, until), until),
                *(match.group()[-1] in ":#." or bool(marks.strip()), colon),
                *(match.start() == start and token >= end, following is not None and not following[4]),
            )

    def _goes_on(self, before: re.Match[str] | None, text: str) -> bool:
        """Tell whether a text between the label before, if any, and another one is no part of the other's name."""
        value = text.strip().rstrip(_SET_OFF)
        if not value or before is None:
            return not value
        for name in self._names[(before.lastindex or 1) - 1]:
            kind = self._fields[name].type
            if (kind != "text" or value != text.strip()) and read_as(kind, value, self._dates) is not None:
                return True
        return False


def _any_of(labels: Sequence[str]) -> re.Pattern[str]:
    """Return an expression with a group for each label; an earlier one goes before a later one.

    It looks at the first letter before it tries them all, which most places in a text do not get past.
    """
    if not labels:
        return re.compile(r"(?!)")
    first = "".join(sorted({re.escape(label[0]) for label in labels}))
    groups = "|".join(f"({whole_word(label)})" for label in labels)
    return re.compile(f"(?=[{first}])(?:{groups})", re.IGNORECASE)
