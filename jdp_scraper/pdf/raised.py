"""Finds the characters that a page draws smaller or off the line of the number that they touch, as a footnote's mark.

The text alone does not tell them: ``165530`` with a raised ``1`` reads ``1655301``, which may be another vehicle. Marks
of the character set itself are told by ``plain``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ctypes import PYFUNCTYPE, addressof, c_int, c_void_p, cast, sizeof
from struct import Struct
from typing import Any, TypeAlias

from pypdfium2 import raw

from jdp_scraper.pdf.plain_text import UNREADABLE

Box: TypeAlias = tuple[float, float, float, float]  # left, top, right and bottom

_ENDS = ":#"  # beside white space: a label that touches its value may be of another size
_DIGIT = re.compile(r"\d")
_REST = re.compile(rf"[^\s{_ENDS}]*")
_SMALL = 0.85  # of the highest character before; style sheets make what is raised 0.83 as high
_OFF = 0.15  # of the height of the highest character, from its foot to another one's
_SAME_LINE = 0.2  # of its height that a character shares with the highest one; letters of another line touch at most
# A page has hundreds of characters to ask for: with plain addresses, a call costs half of what it does with types.
_LOOSE_BOX = PYFUNCTYPE(c_int, c_void_p, c_int, c_void_p)(cast(raw.FPDFText_GetLooseCharBox, c_void_p).value or 0)
_BOX = Struct("4f")  # FS_RECTF


def boxes(text_page: Any, places: Sequence[int]) -> list[Box]:
    """Return the box of the character at each place in a page's text, as high as its font; of no box all are 0."""
    found = (raw.FS_RECTF * len(places))()
    page, at, size = addressof(text_page.raw.contents), addressof(found), sizeof(raw.FS_RECTF)
    for number, place in enumerate(places):
        _LOOSE_BOX(page, place, at + number * size)
    return list(_BOX.iter_unpack(found))


def without_raised(text_page: Any, text: str) -> str:
    """Return a page's text with ``UNREADABLE`` for each letter or digit that is drawn as a mark at a number."""
    words = list(_numbers(text))
    places = [place for start, end in words for place in range(start, end)]
    if len(text) != text_page.count_chars():  # some characters have no place in the text, or the other way round
        places = [raw.FPDFText_GetCharIndexFromTextIndex(text_page, place) for place in places]
    found = boxes(text_page, places)
    hidden = []
    first = 0
    for start, end in words:
        word = found[first : first + end - start]
        hidden += [start + number for number in _raised(word) if text[start + number].isalnum()]
        first += end - start
    if not hidden:
        return text
    characters = list(text)
    for place in hidden:
        characters[place] = UNREADABLE
    return "".join(characters)


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each word begins and ends that holds a digit, and more than that."""
    end = 0
    while (digit := _DIGIT.search(text, end)) is not None:
        start = digit.start()
        while start > end and not text[start - 1].isspace() and text[start - 1] not in _ENDS:
            start -= 1
        rest = _REST.match(text, digit.end())
        end = rest.end() if rest is not None else digit.end()
        if end - start > 1:
            yield start, end


def _raised(word: Sequence[Box]) -> Iterator[int]:
    """Yield the numbers of the boxes that are no part of the word.

    What stands before the highest character may be smaller: of a VIN the last digits are often set larger.
    """
    if len({(top, bottom) for _, top, _, bottom in word}) == 1:
        return  # as in nearly all words
    heights = [top - bottom for _, top, _, bottom in word]
    height = max(heights)
    highest = heights.index(height)
    _, top, _, bottom = word[highest]
    for number, (_, other_top, _, other_bottom) in enumerate(word):
        if min(top, other_top) - max(bottom, other_bottom) <= _SAME_LINE * heights[number]:
            continue  # on another line, written upwards, or without a box
        small = number > highest and heights[number] < _SMALL * height
        if small or abs(other_bottom - bottom) > _OFF * height:
            yield number
