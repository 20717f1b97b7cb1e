"""Reads ``values.jsonl``: what was read out of each PDF, an object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jdp_scraper.catalog.entries import Value

# Columns that are told in another place, or of the vehicle itself.
_NO_VALUES = {
    *("reference", "vin", "year", "make", "model", "trim", "mileage"),
    *("file", "sha256", "error", "flags"),
}


@dataclass(frozen=True, slots=True)
class ValuesRow:
    """One PDF's values: of the vehicle in fields of its own, all others in ``values``, in their order."""

    reference: str | None = None
    vin: str | None = None
    year: int | None = None
    make: str | None = None
    model: str | None = None
    trim: str | None = None
    mileage: int | None = None
    error: str | None = None
    flags: tuple[str, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)
    sha256: str | None = None


NONE = ValuesRow()


def read_values(path: Path) -> tuple[dict[str, ValuesRow], int]:
    """Return the rows by their ``file``, and how many lines cannot be read; blocks, raises ``OSError``."""
    rows: dict[str, ValuesRow] = {}
    bad = 0
    for line in path.read_bytes().splitlines():
        try:
            told = json.loads(line.decode("utf-8", "surrogatepass"))  # what it is need not be found out for each
            file = str(told["file"])  # asked for first: it fails where the line is no object
            rows[file] = _row(told)
        except (ValueError, TypeError, KeyError, RecursionError):
            bad += bool(line.strip())
    return rows, bad


def _row(told: Mapping[str, Any]) -> ValuesRow:
    flags = told.get("flags")
    return ValuesRow(
        reference=_text(told.get("reference")),
        vin=_text(told.get("vin")),
        year=_number(told.get("year")),
        make=_text(told.get("make")),
        model=_text(told.get("model")),
        trim=_text(told.get("trim")),
        mileage=_number(told.get("mileage")),
        error=_text(told.get("error")),
        flags=tuple(str(flag) for flag in flags) if isinstance(flags, list) else (),
        values={
            name: value
            for name, value in told.items()
            if name not in _NO_VALUES and (value is None or isinstance(value, (str, int, float)))
        },
        sha256=_text(told.get("sha256")),
    )


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
