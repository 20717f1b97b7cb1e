"""Where the words of a page stand: lines from top to bottom, and in each the cells that a wide gap sets apart.

Positions are in points from the lower left corner of the page. The order in which a PDF draws its words says nothing of
where they stand, so lines are made of positions alone.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from pypdfium2 import raw

from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.pdf.raised import boxes, without_raised

_GAP = 0.7  # of a line's height; a space is about 0.25 of it, and one in justified text may be twice that
_SAME_LINE = 0.5  # of the lower word's height
_WORD = re.compile(r"\S+")
_left, _start = attrgetter("left"), attrgetter("start")


class Word(NamedTuple):
    """A word in the spelling of ``plain``, with its box; its height is its font's."""

    text: str
    left: float
    bottom: float
    right: float
    top: float


class Cell(NamedTuple):
    """Words of a line without a wide gap between them; ``start`` and ``end`` are places in the line's text."""

    start: int
    end: int
    left: float
    right: float


class Line:
    """Words side by side, a space between two of them in ``text``; ``height`` is that of the highest word."""

    __slots__ = ("bottom", "cells", "height", "text", "top")

    def __init__(self, words: Sequence[Word]) -> None:
        ordered = sorted(words, key=_left)
        self.text = " ".join([word.text for word in ordered])
        self.bottom = min([word.bottom for word in ordered])
        self.top = max([word.top for word in ordered])
        self.height = self.top - self.bottom
        self.cells = _cells(ordered)

    def cell_at(self, place: int) -> int:
        """Return the number of the cell that holds a place in the text."""
        return bisect_right(self.cells, place, key=_start) - 1


def lines_of(text_page: Any, text: str) -> list[Line]:
    """Return the lines of a page, whose text is given, from top to bottom."""
    lines: list[list[Word]] = []
    top = bottom = 0.0  # of the first word of the line that is being filled
    for word in sorted(_words(text_page, text), key=_height_on_page, reverse=True):
        _, _, low, _, high = word
        shared = (top if top < high else high) - (bottom if bottom > low else low)
        if lines and shared > _SAME_LINE * min(top - bottom, high - low):
            lines[-1].append(word)
        else:
            lines.append([word])
            top, bottom = high, low
    return [Line(words) for words in lines]


def _height_on_page(word: Word) -> float:
    return word.top + word.bottom


def _cells(words: Sequence[Word]) -> list[Cell]:
    """Return the cells of a line, whose words are given from left to right."""
    cells = []
    text, left, bottom, right, top = words[0]
    start, end, height = 0, len(text), top - bottom
    for text, word_left, bottom, word_right, top in words[1:]:
        last_height, height = height, top - bottom
        if word_left - right > _GAP * (last_height if last_height > height else height):
            cells.append(Cell(start, end, left, right))
            start, left = end + 1, word_left
        end += 1 + len(text)
        right = word_right
    cells.append(Cell(start, end, left, right))
    return cells


def _words(text_page: Any, text: str) -> Iterator[Word]:
    characters = without_raised(text_page, _characters(text_page, text))
    found = [(match.group(), *match.span()) for match in _WORD.finditer(characters)]
    firsts = boxes(text_page, [start for _, start, _ in found])
    lasts = boxes(text_page, [end - 1 for _, _, end in found])
    for (part, _, _), (left, top, _, bottom), (_, last_top, right, last_bottom) in zip(
        found, firsts, lasts, strict=True
    ):
        # A word that is broken over two lines, or written upwards, has no place in a line; nor has one without a box.
        shared = min(top, last_top) - max(bottom, last_bottom)
        if right > left and shared > (top - bottom) / 2 > 0:
            spelled = part if part.isascii() and part.isprintable() else plain(part).replace(" ", "")
            if spelled:
                yield Word(spelled, left, bottom, right, top)


def _characters(text_page: Any, text: str) -> str:
    """Return a page's text with one character for each of pdfium's, so that places in it are pdfium's own."""
    count = text_page.count_chars()
    if len(text) == count:
        return text
    units = (raw.FPDFText_GetUnicode(text_page, index) for index in range(count))
    return "".join(chr(unit) if 0 < unit < 0x110000 else " " for unit in units)
