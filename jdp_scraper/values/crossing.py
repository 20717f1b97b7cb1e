"""Finds what stands where a table's row and column meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jdp_scraper.values.around import CURRENCY, apart
from jdp_scraper.values.layout import Cell, Line
from jdp_scraper.values.typed import read_as

_TABLE_ENDS = 3  # of a line's height: a wider gap sets another thing apart


class Crossings:
    """The lines of a page as rows of tables; ``known`` are the names of rows and columns of all fields."""

    def __init__(self, lines: Sequence[Line], known: frozenset[str]) -> None:
        self._lines = lines
        self._names = [[name_of(line.text[cell.start : cell.end]) for cell in line.cells] for line in lines]
        self._all = frozenset(name for names in self._names for name in names)
        self._known = known

    def texts(self, ones: frozenset[str], others: frozenset[str]) -> Iterator[str]:
        """Yield what stands where names of the two kinds meet, whichever of them are the rows."""
        if self._all.isdisjoint(ones) or self._all.isdisjoint(others):
            return
        yield from self._of(ones, others)
        yield from self._of(others, ones)

    def _of(self, rows: frozenset[str], columns: frozenset[str]) -> Iterator[str]:
        """Yield what stands in each row of such a name under the nearest head of such a name.

        A table that goes on with another amount in a row of a foreign name, as an adjusted one, yields nothing.
        """
        head: Line | None = None
        last: Line | None = None
        told: list[str] = []
        for line, names in zip(self._lines, self._names, strict=True):
            if last is not None and last.bottom - line.top > _TABLE_ENDS * line.height:
                yield from told
                head, told = None, []
            last = line
            if len(names) > 1 and head is not None and names[0] in rows:
                if len(texts := _under(head, columns, line)) == 1:
                    told += texts
            elif any(name in columns for name in names):
                yield from told
                head, told = line if sum(name in columns for name in names) == 1 else None, []
            elif told and head is not None and len(names) > 1 and names[0] not in self._known:
                texts = _under(head, columns, line)
                if any(text not in told and read_as("money", text) is not None for text in texts):
                    head, told = None, []
        yield from told


def name_of(text: str) -> str:
    """Return a name as rows and columns are compared by it."""
    return text.strip(" :").casefold()


def _under(head: Line, columns: frozenset[str], line: Line) -> list[str]:
    """Return what stands in a row under the head of such a name, without signs of currency."""
    (column,) = [cell for cell in head.cells if name_of(head.text[cell.start : cell.end]) in columns][:1]
    own = [cell for cell in line.cells[1:] if _nearest(cell, head.cells) is column]
    return [text for cell in own if (text := line.text[cell.start : cell.end]) not in CURRENCY]


def _nearest(cell: Cell, heads: Sequence[Cell]) -> Cell | None:
    """Return the head under which a cell stands; none where two may be meant."""
    ordered = sorted(heads, key=lambda head: apart(cell, head))
    if len(ordered) > 1 and apart(cell, ordered[0]) == apart(cell, ordered[1]):
        return None
    best = ordered[0]
    wide = max(best.right - best.left, cell.right - cell.left)
    return best if apart(cell, best) <= wide else None
