"""The table of values as a workbook, with the changes and what contradicts the inventory on sheets of their own."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from jdp_scraper.pdf.value_rules import FieldType
from jdp_scraper.values.changes import COLUMNS as CHANGE_COLUMNS
from jdp_scraper.values.changes import Change
from jdp_scraper.values.table import Table

_NUMBER_FORMATS: dict[str, str] = {"money": "#,##0.00", "miles": "#,##0", "number": "#,##0", "date": "yyyy-mm-dd"}
_NARROWEST, _WIDEST = 8, 42
_MOST_CHARACTERS = 32_767  # in a cell
_FIRST_DAY = "1900-03-01"  # of those that a spreadsheet counts right
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - of no meaning: the same values give the same bytes


def workbook(table: Table, changed: Sequence[Change] | None) -> bytes:
    """Return the workbook's bytes. Every text is written as one, so that none can be a formula or a link."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _MADE})
    sheets = _Sheets(book)
    rows = ([(row.values[name], kind) for name, kind in table.columns.items()] for row in table.rows)
    sheets.add("values", list(table.columns), list(rows))
    if changed is not None:
        sheets.add("changes", CHANGE_COLUMNS, [_change_cells(change) for change in changed])
    if flagged := [[(file, "text"), (flag, "text")] for file, flag in table.flagged()]:
        sheets.add("flags", ("file", "flag"), flagged)
    book.close()
    return buffer.getvalue()


def _change_cells(change: Change) -> list[tuple[Any, FieldType]]:
    numbers = {"before", "after", "difference"}
    return [(getattr(change, name), change.kind if name in numbers else "text") for name in CHANGE_COLUMNS]


class _Sheets:
    def __init__(self, book: Any) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._formats = {kind: book.add_format({"num_format": form}) for kind, form in _NUMBER_FORMATS.items()}

    def add(self, name: str, head: Sequence[str], rows: Sequence[Sequence[tuple[Any, str]]]) -> None:
        sheet = self._book.add_worksheet(name)
        for column, title in enumerate(head):
            sheet.write_string(0, column, title, self._head)
            told = [row[column][0] for row in rows]
            sheet.set_column(column, column, _width([title + "  ", *(str(one) for one in told if one is not None)]))
        for number, row in enumerate(rows, start=1):
            for column, (value, kind) in enumerate(row):
                self._write(sheet, number, column, value, kind)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(rows)), len(head) - 1)

    def _write(self, sheet: Any, row: int, column: int, value: Any, kind: str) -> None:
        form = self._formats.get(kind)
        if value is None:
            return
        if kind == "date" and value >= _FIRST_DAY:
            sheet.write_datetime(row, column, date.fromisoformat(value), form)
        elif kind == "money":
            sheet.write_number(row, column, float(Decimal(value)), form)
        elif isinstance(value, int):
            sheet.write_number(row, column, value, form)
        else:
            text = str(value).encode("utf-8", "backslashreplace").decode()  # a file's name may hold anything
            sheet.write_string(row, column, text[:_MOST_CHARACTERS])


def _width(texts: Iterable[str]) -> int:
    return max(_NARROWEST, min(_WIDEST, 2 + max(map(len, texts))))
