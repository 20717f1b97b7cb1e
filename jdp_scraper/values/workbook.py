"""The table of values as a workbook, with the changes and what contradicts the inventory on sheets of their own."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from jdp_scraper.pdf.value_rules import FieldType
from jdp_scraper.values.changes import COLUMNS as CHANGE_COLUMNS
from jdp_scraper.values.changes import Change
from jdp_scraper.values.table import Row, Table

_NUMBER_FORMATS: dict[str, str] = {"money": "#,##0.00", "miles": "#,##0", "number": "#,##0", "date": "yyyy-mm-dd"}
_NARROWEST, _WIDEST = 8, 42
_MOST_CHARACTERS = 32_767  # in a cell
_FIRST_DAY = "1900-03-01"  # of those that a spreadsheet counts right
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - of no meaning: the same values give the same bytes


class Book:
    """A workbook of a table that may still grow: ``add`` each further row, and take the ``content`` once.

    Every text is written as one, so that none can be a formula or a link.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._buffer = io.BytesIO()
        self._book = xlsxwriter.Workbook(self._buffer, {"in_memory": True})
        self._book.set_properties({"created": _MADE})
        formats = {kind: self._book.add_format({"num_format": form}) for kind, form in _NUMBER_FORMATS.items()}
        self._formats = self._book.add_format({"bold": True, "bottom": 1}), formats
        self._values = self._sheet("values", list(table.columns))
        for row in table.rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Write a row of the table."""
        self._values.add([(row.values[name], kind) for name, kind in self._table.columns.items()])

    def content(self, changed: Sequence[Change] | None) -> bytes:
        """Write the other sheets, and return the workbook's bytes."""
        sheets = [self._values]
        if changed is not None:
            sheets.append(self._sheet("changes", CHANGE_COLUMNS))
            for change in changed:
                sheets[-1].add(_change_cells(change))
        if flagged := list(self._table.flagged()):
            sheets.append(self._sheet("flags", ("file", "flag")))
            for file, flag in flagged:
                sheets[-1].add([(file, "text"), (flag, "text")])
        for sheet in sheets:
            sheet.finish()
        self._book.close()
        return self._buffer.getvalue()

    def _sheet(self, name: str, head: Sequence[str]) -> _Sheet:
        return _Sheet(self._book.add_worksheet(name), head, *self._formats)


def _change_cells(change: Change) -> list[tuple[Any, FieldType]]:
    numbers = {"before", "after", "difference"}
    return [(getattr(change, name), change.kind if name in numbers else "text") for name in CHANGE_COLUMNS]


class _Sheet:
    def __init__(self, sheet: Any, head: Sequence[str], bold: Any, formats: Mapping[str, Any]) -> None:
        self._sheet = sheet
        self._formats = formats
        self._rows = 0
        self._widths = [len(title) + 2 for title in head]
        for column, title in enumerate(head):
            sheet.write_string(0, column, title, bold)

    def add(self, cells: Iterable[tuple[Any, str]]) -> None:
        self._rows += 1
        for column, (value, kind) in enumerate(cells):
            if value is not None:
                self._widths[column] = max(self._widths[column], len(str(value)))
                self._write(self._rows, column, value, kind)

    def finish(self) -> None:
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, max(_NARROWEST, min(_WIDEST, 2 + width)))
        self._sheet.freeze_panes(1, 0)
        self._sheet.autofilter(0, 0, max(1, self._rows), len(self._widths) - 1)

    def _write(self, row: int, column: int, value: Any, kind: str) -> None:
        sheet, form = self._sheet, self._formats.get(kind)
        if kind == "date" and value >= _FIRST_DAY:
            sheet.write_datetime(row, column, date.fromisoformat(value), form)
        elif kind == "money":
            sheet.write_number(row, column, float(Decimal(value)), form)
        elif isinstance(value, int):
            sheet.write_number(row, column, value, form)
        else:
            text = str(value).encode("utf-8", "backslashreplace").decode()  # a file's name may hold anything
            sheet.write_string(row, column, text[:_MOST_CHARACTERS])
