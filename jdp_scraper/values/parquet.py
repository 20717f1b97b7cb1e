"""The table of values as Parquet; needs the extra ``parquet`` (PyArrow)."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow
import pyarrow.parquet

from jdp_scraper.pdf.value_rules import FieldType
from jdp_scraper.values.table import Table
from jdp_scraper.values.typed import Typed

_WHOLE = {"year", "miles", "number"}


def parquet(table: Table) -> bytes:
    """Return the table's bytes: money as decimals with two digits, dates as dates, whole numbers as such."""
    arrays, fields = [], []
    for name, kind in table.columns.items():
        fields.append(pyarrow.field(name, _type(kind)))
        arrays.append(pyarrow.array([_value(row.values[name], kind) for row in table.rows], _type(kind)))
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)), buffer)
    return buffer.getvalue()


def _type(kind: FieldType) -> Any:
    if kind == "money":
        return pyarrow.decimal128(12, 2)
    if kind == "date":
        return pyarrow.date32()
    return pyarrow.int64() if kind in _WHOLE else pyarrow.string()


def _value(value: Typed | None, kind: FieldType) -> Any:
    if value is None:
        return None
    if kind == "money":
        return Decimal(str(value))
    if kind == "date":
        return date.fromisoformat(str(value))
    return value if kind in _WHOLE else str(value).encode("utf-8", "backslashreplace").decode()
