"""What stands around a label on a page: beside it, below it, above it, and in the column of its value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jdp_scraper.values.labelling import Label
from jdp_scraper.values.layout import Cell, Line

CURRENCY = frozenset({"$", "USD", "US$"})
FARTHEST = 1.5  # of a line's height, from its foot to the head of what stands below it in the same column
_PITCH = 0.5  # of a line's height, between two lines of one text
_TABLE_ENDS = 3  # of a line's height: a wider gap sets another thing apart
_HEAD = 3  # labels side by side that are a table's head whatever else stands in the line
_NEAR = 3  # of a line's height, from a number to its unit in the next cell
_UNIT = 10  # characters
_OWN_LABEL = re.compile(r"[^:]{1,40}:( |$)")
_GOES_ON = re.compile(r"[a-z]{2,}\b|[a-z] ")


class Found(NamedTuple):
    """A text by a label, and the cells that hold it, from number ``first`` to ``last`` of line number ``line``."""

    text: str
    line: int
    first: int
    last: int


class Around:
    """The lines of a page with their labels."""

    def __init__(self, lines: Sequence[Line], labels: Sequence[Sequence[Label]]) -> None:
        self.lines = lines
        self.labels = labels
        self._beside: dict[tuple[int, int], Found | None] = {}

    def text(self, line: int, number: int) -> str:
        """Return a cell's text up to its first label."""
        cell = self.lines[line].cells[number]
        starts = [label.start for label in self.labels[line] if label.cell == number]
        return self.lines[line].text[cell.start : min([cell.end, *starts])].strip()

    def beside(self, label: Label) -> Found | None:
        """Return what stands behind a label in its cell, or in the next one."""
        key = label.line, label.start
        if key not in self._beside:  # a page's style and columns ask once more
            self._beside[key] = self._found_beside(label)
        return self._beside[key]

    def _found_beside(self, label: Label) -> Found | None:
        line = self.lines[label.line]
        inline = line.text[label.token : label.until].strip()
        if inline:
            return Found(inline, label.line, label.cell, label.cell)
        if label.until < line.cells[label.cell].end or label.cell + 1 == len(line.cells):
            return None  # another label follows at once, or nothing at all
        number = label.cell + 1
        text = self.text(label.line, number)
        if text in CURRENCY and number + 1 < len(line.cells) and (amount := self.text(label.line, number + 1)):
            return Found(f"{text}{amount}", label.line, number, number + 1)
        return Found(text, label.line, number, number) if text else None

    def after(self, found: Found) -> list[str]:
        """Return the texts of the cells behind, up to the next label."""
        texts = []
        for number in range(found.last + 1, len(self.lines[found.line].cells)):
            if not (text := self.text(found.line, number)):
                break
            texts.append(text)
        return texts

    def joined(self, found: Found, *, near: float = _NEAR) -> str | None:
        """Return a text with the short one in the next cell, which may be its unit, where there is one."""
        line = self.lines[found.line]
        if found.last + 1 == len(line.cells) or line.cells[found.last + 1].left - line.cells[found.last].right > (
            near * line.height
        ):
            return None
        unit = self.text(found.line, found.last + 1)
        return f"{found.text} {unit}" if unit and len(unit) <= _UNIT else None

    def is_last(self, found: Found) -> bool:
        """Tell whether nothing follows in the line, or a label."""
        return found.last + 1 == len(self.lines[found.line].cells) or not self.text(found.line, found.last + 1)

    def below(self, label: Label) -> Iterator[Found]:
        """Yield what stands below a label that has its cell for itself, going down the column to a label or a gap."""
        line, cell = self.lines[label.line], self.lines[label.line].cells[label.cell]
        if not label.whole:
            return
        first = True
        for number in range(label.line + 1, len(self.lines)):
            lower = self.lines[number]
            if line.bottom - lower.top > FARTHEST * line.height:
                return
            place = _crossed(cell, lower)
            if place is not None:
                text = self.text(number, place)
                if not text or (first and apart(cell, lower.cells[place]) > line.height):
                    return
                first = False
                yield Found(text, number, place, place)
            if not first:
                line = lower

    def above(self, label: Label) -> str | None:
        """Return what stands directly above such a label."""
        line, cell = self.lines[label.line], self.lines[label.line].cells[label.cell]
        if not label.whole:
            return None
        for number in range(label.line - 1, -1, -1):
            upper = self.lines[number]
            if upper.bottom - line.top > FARTHEST * line.height:
                return None
            place = _crossed(cell, upper)
            if place is not None:
                near = apart(cell, upper.cells[place]) <= line.height
                return (self.text(number, place) or None) if near else None
        return None

    def in_head(self, label: Label) -> bool:
        """Tell whether a label is one of three or more side by side, or of a line with nothing else in it."""
        whole = {other.cell for other in self.labels[label.line] if other.whole}
        first = last = label.cell
        while first - 1 in whole:
            first -= 1
        while last + 1 in whole:
            last += 1
        alone = len(whole) == len(self.lines[label.line].cells)
        return label.whole and last > first and (alone or last - first >= _HEAD - 1)

    def goes_on(self, label: Label, found: Found, *, text: bool) -> bool:
        """Tell whether what was found goes on in the next line: in lower case, or where it is a text, anyhow."""
        if found.line + 1 == len(self.lines):
            return False
        line, lower = self.lines[found.line], self.lines[found.line + 1]
        gap, cell = line.bottom - lower.top, line.cells[found.first]
        if gap > FARTHEST * line.height:
            return False
        same = (place for place, under in enumerate(lower.cells) if abs(under.left - cell.left) <= line.height / 4)
        place = next(same, None)
        told = self.text(found.line + 1, place) if place is not None else ""
        if not told or _OWN_LABEL.match(told):
            return False
        lower_case = _GOES_ON.match(told) is not None
        if found.line == label.line and found.first == label.cell:
            return lower_case or (text and gap <= _PITCH * line.height and len(lower.cells) == 1)
        begun = lower.cells[0].left - line.cells[label.cell].left < line.height or self.labels[found.line + 1]
        return gap <= _PITCH * line.height and not begun and (text or lower_case)

    def rows_above(self, line: int) -> Iterator[int]:
        """Yield the lines of the same table, going up."""
        for number in range(line - 1, -1, -1):
            upper, lower = self.lines[number], self.lines[number + 1]
            if upper.bottom - lower.top > _TABLE_ENDS * lower.height:
                return
            yield number


def apart(one: Cell, other: Cell) -> float:
    """Return how far two cells are from standing in one column: by left edges, right edges or middles."""
    left, right = other.left - one.left, other.right - one.right
    return min(abs(left), abs(right), abs(left + right) / 2)


def overlap(one: Cell, other: Cell) -> bool:
    """Tell whether one of two cells stands at least in part above the other."""
    return min(one.right, other.right) > max(one.left, other.left)


def _crossed(cell: Cell, line: Line) -> int | None:
    return next((place for place, other in enumerate(line.cells) if overlap(cell, other)), None)
