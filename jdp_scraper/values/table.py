"""The table of values: its columns, and a row for each file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jdp_scraper.errors import ValuesError
from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.pdf.value_rules import BUILT_IN, FieldType
from jdp_scraper.values.title import from_titles
from jdp_scraper.values.typed import Typed
from jdp_scraper.vehicle import Vehicle

ABOUT_THE_FILE = ("file", "sha256", "error")
_COMPARED = ("reference", "vin", "year", "make", "model", "mileage")


@dataclass(frozen=True)
class Row:
    """One file's values by column; ``flags`` are one line each for what contradicts the inventory."""

    values: Mapping[str, Typed | None]
    flags: tuple[str, ...] = ()
    vehicle: Vehicle | None = None

    @cached_property
    def line(self) -> str:
        """All of it as JSON in one line; ``flags`` come last."""
        return json.dumps(dict(self.values) | {"flags": self.flags})

    @property
    def error(self) -> str | None:
        """Why nothing could be read, where it could not."""
        told = self.values["error"]
        return None if told is None else str(told)


@dataclass(slots=True)
class Table:
    """``columns``: the type of each column by its name, in their order."""

    columns: dict[str, FieldType] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def not_found(self) -> dict[str, int]:
        """Return in how many files that could be read each field was not found, where there were any."""
        read = [row for row in self.rows if row.error is None]
        counts = {name: sum(row.values.get(name) is None for row in read) for name in self.fields()}
        return {name: count for name, count in counts.items() if count}

    def fields(self) -> list[str]:
        """Return the columns that are values."""
        return [name for name in self.columns if name not in ABOUT_THE_FILE]

    def flagged(self) -> Iterator[tuple[str, str]]:
        """Yield each flag with the name of its file."""
        yield from ((str(row.values["file"]), flag) for row in self.rows for flag in row.flags)


def columns_of(rules: Sequence[Mapping[str, FieldType]]) -> dict[str, FieldType]:
    """Return the columns for such fields: the built-in ones, what is told of a file, and then a user's own.

    Raises ``ValuesError`` where two profiles mean different things by one name.
    """
    columns: dict[str, FieldType] = {name: rule.type for name, rule in BUILT_IN.items()}
    columns |= dict.fromkeys(ABOUT_THE_FILE, "text")
    for name, kind in (item for own in rules for item in own.items()):
        if name not in BUILT_IN and columns.setdefault(name, kind) != kind:
            raise ValuesError(
                f"the field {name} is {columns[name]!r} in one profile and {kind!r} in another: they have no table in "
                "common; name one of them, or leave out --out"
            )
    return columns


def row_of(file: str, told: Mapping[str, Any], columns: Mapping[str, FieldType], vehicle: Vehicle | None) -> Row:
    """Return the row of a file from what ``extract_file`` has told."""
    found: dict[str, Typed] = dict(told.get("values", {}))
    title = from_titles(told.get("titles", ()), vehicle)
    if found.get("year", title.get("year")) == title.get("year"):  # else the title is of something else
        found = title | found
    about = {"file": file, "sha256": told.get("sha256"), "error": told.get("fault")}
    values = {name: about[name] if name in about else found.get(name) for name in columns}
    return Row(values, tuple(_flags(values, vehicle)) if vehicle is not None else (), vehicle)


def _flags(values: Mapping[str, Typed | None], vehicle: Vehicle) -> Iterator[str]:
    for name in _COMPARED:
        told, known = values.get(name), getattr(vehicle, name)
        if told is None or known is None or told == known:  # equal most times, which needs no other spelling
            continue
        if plain(str(told)).casefold() != plain(str(known)).casefold():
            yield f"{name}: the report says {str(told)!a}, the inventory {str(known)!a}"
