"""Tables as text: in ASCII for the console, in Markdown for the documentation; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Row = Sequence[str]


@dataclass(frozen=True)
class Table:
    """A title, a head and rows of as many cells."""

    title: str
    head: Row
    rows: Sequence[Row]

    def ascii(self) -> str:
        """Return it with columns of even width, numbers to the right."""
        lines = [self.head, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        text = [self.title, *(_line(line, widths) for line in lines)]
        text.insert(2, "  ".join("-" * width for width in widths))
        return "\n".join(text) + "\n"

    def markdown(self) -> str:
        """Return it as a Markdown section."""
        rule = "|" + "---|" * len(self.head)
        body = [f"| {' | '.join(line)} |" for line in self.rows]
        return "\n".join([f"### {self.title}", "", f"| {' | '.join(self.head)} |", rule, *body]) + "\n"


def _line(cells: Row, widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]).rstrip()


def number(value: float | None, digits: int) -> str:
    """Return a figure, or a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"
