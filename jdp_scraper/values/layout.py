"""Where the words of a page stand: lines from top to bottom, and in each the cells that a wide gap sets apart.

Positions are in points from the lower left corner of the page. The order in which a PDF draws its words says nothing of
where they stand, so lines are made of positions alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pypdfium2 import raw

from jdp_scraper.pdf.plain_text import plain

_GAP = 0.7  # of a line's height; a space is about 0.25 of it, and one in justified text may be twice that
_SAME_LINE = 0.5  # of the lower word's height


class Word(NamedTuple):
    """A word in the spelling of ``plain``, with its box."""

    text: str
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        """The height of its font."""
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class Cell:
    """Words of a line without a wide gap between them; ``start`` and ``end`` are places in the line's text."""

    start: int
    end: int
    left: float
    right: float


class Line:
    """Words side by side, a space between two of them in ``text``."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = sorted(words, key=lambda word: word.left)
        self.text = " ".join(word.text for word in self.words)
        self.bottom = min(word.bottom for word in words)
        self.top = max(word.top for word in words)
        self.starts: list[int] = []
        at = 0
        for word in self.words:
            self.starts.append(at)
            at += len(word.text) + 1
        self.cells = list(self._cells())

    @property
    def height(self) -> float:
        """The height of its largest word."""
        return self.top - self.bottom

    def cell_at(self, place: int) -> int:
        """Return the number of the cell that holds a place in the text."""
        return bisect_right([cell.start for cell in self.cells], place) - 1

    def span(self, start: int, end: int) -> tuple[float, float]:
        """Return left and right of the words that a part of the text touches."""
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, max(start, end - 1)) - 1
        return self.words[first].left, self.words[last].right

    def _cells(self) -> Iterator[Cell]:
        first = 0
        for number, word in enumerate(self.words):
            following = self.words[number + 1] if number + 1 < len(self.words) else None
            if following is None or following.left - word.right > _GAP * max(word.height, following.height):
                end = self.starts[number] + len(word.text)
                yield Cell(self.starts[first], end, self.words[first].left, word.right)
                first = number + 1


def lines_of(text_page: Any, text: str) -> list[Line]:
    """Return the lines of a page, whose text is given, from top to bottom."""
    lines: list[list[Word]] = []
    for word in sorted(_words(text_page, text), key=lambda word: -(word.top + word.bottom)):
        if lines and _is_beside(lines[-1][0], word):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [Line(words) for words in lines]


def _is_beside(one: Word, other: Word) -> bool:
    shared = min(one.top, other.top) - max(one.bottom, other.bottom)
    return shared > _SAME_LINE * min(one.height, other.height)


def _words(text_page: Any, text: str) -> Iterator[Word]:
    text = _characters(text_page, text)
    box = raw.FS_RECTF()
    at = 0
    for part in text.split():
        at = text.index(part, at)
        spelled = part if part.isascii() and part.isprintable() else plain(part)
        if spelled and raw.FPDFText_GetLooseCharBox(text_page, at, box):
            left, bottom, top = box.left, box.bottom, box.top
            whole = len(part) == 1 or raw.FPDFText_GetLooseCharBox(text_page, at + len(part) - 1, box)
            # A word that is broken over two lines, or written upwards, has no place in a line.
            if whole and box.right > left and min(top, box.top) - max(bottom, box.bottom) > (top - bottom) / 2 > 0:
                yield Word(spelled.replace(" ", ""), left, bottom, box.right, top)
        at += len(part)


def _characters(text_page: Any, text: str) -> str:
    """Return a page's text with one character for each of pdfium's, so that places in it are pdfium's own."""
    count = text_page.count_chars()
    if len(text) == count:
        return text
    units = (raw.FPDFText_GetUnicode(text_page, index) for index in range(count))
    return "".join(chr(unit) if 0 < unit < 0x110000 else " " for unit in units)
