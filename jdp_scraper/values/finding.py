"""Finds values on a page by where they stand: beside a label, below it, or where a table's row and column meet.

Two readings of one label that differ are decided by what else the page shows (a table's head, a colon, where other
labels have their values); where nothing decides, there is no value: none is better than a wrong one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Literal, NamedTuple

from jdp_scraper.pdf.labels import whole_word
from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.values.layout import Cell, Line
from jdp_scraper.values.rule import Rule
from jdp_scraper.values.typed import TEXT_TYPES, Typed, read_as

Side = Literal["beside", "below"]
_SEPARATOR = re.compile(r"( ?[:#.]+)*( [-\u2013](?= ))? ?")
_CURRENCY = {"$", "USD", "US$"}
_FARTHEST = 1.5  # of a label's height, from its foot to the head of what stands below it
_TABLE_ENDS = 3  # of a line's height: a wider gap sets another thing apart
_HEAD = 3  # labels side by side that are a table's head whatever else stands in the line
_DECISIVE = 3  # times as many labels on one side as on the other


class Label(NamedTuple):
    """A label on a line, in cell number ``cell``; ``token`` is where what stands behind it in that cell begins.

    ``until``: where that ends. ``marked``: a colon or the like sets it off. ``whole``: the cell holds nothing else.
    """

    fields: tuple[str, ...]
    line: int
    cell: int
    start: int
    token: int
    until: int
    marked: bool
    colon: bool
    whole: bool


class Finder:
    """The rules of a portal's reports, made ready for its pages."""

    def __init__(self, fields: Mapping[str, Rule], dates: Sequence[str]) -> None:
        self.fields = fields
        self.dates = dates
        named: dict[str, list[str]] = {}
        for name, rule in fields.items():
            for label in rule.labels:
                named.setdefault(plain(label), []).append(name)
        ordered = sorted(named, key=lambda label: (-len(label), label))
        self._names = [tuple(named[label]) for label in ordered]
        self._labels = _any_of(ordered)
        self.crosses = {
            name: tuple(frozenset(_name(plain(label)) for label in labels) for labels in rule.cross)
            for name, rule in fields.items()
            if rule.cross
        }
        self._first_words = tuple({label.split(" ")[0].casefold() for label in ordered})
        crossed = (f"{one} {other}" for ones, others in self.crosses.values() for one, other in product(ones, others))
        self._words = tuple({tuple(told.casefold().split(" ")) for told in (*ordered, *crossed)})
        self.patterns = {name: re.compile(rule.pattern) for name, rule in fields.items() if rule.pattern}

    def may_find(self, text: str) -> bool:
        """Tell whether a text holds all words of any label, wherever they stand: a look that costs next to nothing."""
        folded = plain(text).casefold()
        return bool(self.patterns) or any(all(word in folded for word in words) for words in self._words)

    def names_a_label(self, text: str) -> bool:
        """Tell whether a text holds a label: its end cannot be told then."""
        folded = text.casefold()
        return any(word in folded for word in self._first_words) and self._labels.search(text) is not None

    def values(self, lines: Sequence[Line]) -> dict[str, set[Typed]]:
        """Return all values of each field that a page shows."""
        return _Page(self, lines).values()

    def labels_of(self, line: Line, number: int) -> Iterator[Label]:
        """Yield the labels of a line: at the start of a cell, or set off by a colon."""
        folded = line.text.casefold()
        if not any(word in folded for word in self._first_words):
            return
        found = []
        for match in self._labels.finditer(line.text):
            cell = line.cell_at(match.start())
            separator = _SEPARATOR.match(line.text, match.end(), max(match.end(), line.cells[cell].end))
            marks = separator.group() if separator else ""
            if match.start() == line.cells[cell].start or ":" in marks:
                found.append((match, cell, marks))
        for place, (match, cell, marks) in enumerate(found):
            token, end = match.end() + len(marks), line.cells[cell].end
            following = found[place + 1] if place + 1 < len(found) else None
            until = following[0].start() if following and following[1] == cell else end
            marked = match.group()[-1] in ":#." or bool(marks.strip())
            whole = match.start() == line.cells[cell].start and token >= end
            yield Label(
                self._names[(match.lastindex or 1) - 1],
                *(number, cell, match.start(), min(token, until), until),
                *(marked, ":" in marks or match.group()[-1] == ":", whole),
            )


class _Page:
    def __init__(self, finder: Finder, lines: Sequence[Line]) -> None:
        self._finder = finder
        self._lines = lines
        self._labels = [list(finder.labels_of(line, number)) for number, line in enumerate(lines)]
        self._known: dict[tuple[str, str], Typed | None] = {}

    def values(self) -> dict[str, set[Typed]]:
        found: dict[str, set[Typed]] = {name: set() for name in self._finder.fields}
        for labels in self._labels:
            for label in labels:
                for name in label.fields:
                    self._add(found, name, self._at_label(label, self._finder.fields[name]))
        for name, (ones, others) in self._finder.crosses.items():
            for rows, columns in ((ones, others), (others, ones)):
                if self._names.isdisjoint(rows) or self._names.isdisjoint(columns):
                    continue
                for text in self._crossings(rows, columns):
                    self._add(found, name, self._read(self._finder.fields[name], text))
        if self._finder.patterns:
            text = " ".join(line.text for line in self._lines)
            for name, pattern in self._finder.patterns.items():
                for match in pattern.finditer(text):
                    self._add(found, name, self._read(self._finder.fields[name], match[1] or ""))
        return found

    def _add(self, found: dict[str, set[Typed]], name: str, value: Typed | None) -> None:
        if value is not None:
            found[name].add(value)

    def _read(self, rule: Rule, text: str | None) -> Typed | None:
        if text is None:
            return None
        key = rule.type, text  # a page's style asks for most texts once more
        if key not in self._known:
            ended = text.endswith(":") or (rule.type in TEXT_TYPES and self._finder.names_a_label(text))
            self._known[key] = None if ended else read_as(rule.type, text, self._finder.dates)
        return self._known[key]

    # -- labels --------------------------------------------------------------------------------------------------------

    def _at_label(self, label: Label, rule: Rule) -> Typed | None:
        text = self._beside(label, rule)
        if rule.at != "any":
            return self._read(rule, text if rule.at == "beside" else self._below(label))
        beside, below = self._read(rule, text), self._read(rule, self._below(label))
        if label.colon:
            return beside if text is not None or self._style == "beside" else below
        if self._in_head(label):
            return below
        if beside is not None and below is not None:
            told = {"beside": beside, "below": below}
            return beside if beside == below else told.get(self._style or "")
        if below is None:
            return beside if self._style != "below" or label.marked else None
        # Nothing of the kind stands beside it: on a page that has its values there, this one is missing.
        missing = self._style == "beside" and (text is not None or rule.type in TEXT_TYPES)
        return None if missing else below

    def _beside(self, label: Label, rule: Rule) -> str | None:
        """Return what stands behind a label in its cell, or in the next one; ``None`` where there is nothing."""
        line = self._lines[label.line]
        inline = line.text[label.token : label.until].strip()
        if inline:
            return inline if label.marked or rule.type not in TEXT_TYPES or _is_number(inline, rule) else None
        if label.until < line.cells[label.cell].end:
            return None  # another label follows at once
        following = [self._cell_text(label.line, number) for number in range(label.cell + 1, len(line.cells))][:2]
        if len(following) == 2 and following[0] in _CURRENCY and following[1]:
            return f"{following[0]}{following[1]}"
        return following[0] or None if following else None

    def _cell_text(self, line: int, number: int) -> str:
        """Return a cell's text up to its first label."""
        cell = self._lines[line].cells[number]
        starts = [label.start for label in self._labels[line] if label.cell == number]
        return self._lines[line].text[cell.start : min([cell.end, *starts])].strip()

    def _below(self, label: Label) -> str | None:
        if not label.whole:
            return None
        line = self._lines[label.line]
        cell = line.cells[label.cell]
        for number in range(label.line + 1, len(self._lines)):
            lower = self._lines[number]
            if line.bottom - lower.top > _FARTHEST * line.height:
                return None
            for place, under in enumerate(lower.cells):
                if min(cell.right, under.right) > max(cell.left, under.left):
                    text = self._cell_text(number, place)
                    return text if text and _apart(cell, under) <= line.height else None
        return None

    def _in_head(self, label: Label) -> bool:
        """Tell whether a label is one of three or more side by side, or of a line with nothing else in it."""
        whole = {other.cell for other in self._labels[label.line] if other.whole}
        first = last = label.cell
        while first - 1 in whole:
            first -= 1
        while last + 1 in whole:
            last += 1
        alone = len(whole) == len(self._lines[label.line].cells)
        return label.whole and last > first and (alone or last - first >= _HEAD - 1)

    @cached_property
    def _style(self) -> Side | None:
        """On which side of its labels this page has its values, as told by those that cannot be mistaken."""
        votes: Counter[Side] = Counter()
        for label in (label for labels in self._labels for label in labels):
            rule = self._finder.fields[label.fields[0]]
            if rule.type in TEXT_TYPES:
                continue
            beside = self._read(rule, self._beside(label, rule))
            below = self._read(rule, self._below(label))
            if (beside is None) != (below is None):
                votes["beside" if below is None else "below"] += 1
        most = votes.most_common()
        if not most or (len(most) == 2 and most[0][1] < _DECISIVE * most[1][1]):
            return None
        return most[0][0]

    # -- tables --------------------------------------------------------------------------------------------------------

    @cached_property
    def _cell_names(self) -> list[list[str]]:
        return [[_name(line.text[cell.start : cell.end]) for cell in line.cells] for line in self._lines]

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(name for names in self._cell_names for name in names)

    def _crossings(self, rows: frozenset[str], columns: frozenset[str]) -> Iterator[str]:
        """Yield what stands in each row of such a name under the nearest head of such a name."""
        head: Line | None = None
        last: Line | None = None
        for line, names in zip(self._lines, self._cell_names, strict=True):
            if last is not None and last.bottom - line.top > _TABLE_ENDS * line.height:
                head = None
            last = line
            if len(names) > 1 and head is not None and names[0] in rows:
                (column,) = [cell for cell in head.cells if _name(head.text[cell.start : cell.end]) in columns][:1]
                own = [cell for cell in line.cells[1:] if _nearest(cell, head.cells) is column]
                texts = [line.text[cell.start : cell.end] for cell in own]
                if len(told := [text for text in texts if text not in _CURRENCY]) == 1:
                    yield told[0]
            elif any(name in columns for name in names):
                head = line if sum(name in columns for name in names) == 1 else None


def _any_of(labels: Sequence[str]) -> re.Pattern[str]:
    """Return an expression with a group for each label; an earlier one goes before a later one.

    It looks at the first letter before it tries them all, which most places in a text do not get past.
    """
    if not labels:
        return re.compile(r"(?!)")
    first = "".join(sorted({re.escape(label[0]) for label in labels}))
    groups = "|".join(f"({whole_word(label)})" for label in labels)
    return re.compile(f"(?=[{first}])(?:{groups})", re.IGNORECASE)


def _name(text: str) -> str:
    return text.strip(" :").casefold()


def _apart(one: Cell, other: Cell) -> float:
    """Return how far two cells are from standing in one column: by left edges, right edges or middles."""
    left, right = other.left - one.left, other.right - one.right
    return min(abs(left), abs(right), abs(left + right) / 2)


def _nearest(cell: Cell, heads: Sequence[Cell]) -> Cell | None:
    """Return the head under which a cell stands; none where two may be meant."""
    ordered = sorted(heads, key=lambda head: _apart(cell, head))
    if len(ordered) > 1 and _apart(cell, ordered[0]) == _apart(cell, ordered[1]):
        return None
    best = ordered[0]
    wide = max(best.right - best.left, cell.right - cell.left)
    return best if _apart(cell, best) <= wide else None


def _is_number(text: str, rule: Rule) -> bool:
    """Tell whether a text behind a label that nothing sets off can be a reference: one word with a digit."""
    return rule.type == "reference" and " " not in text and any(character.isdigit() for character in text)
