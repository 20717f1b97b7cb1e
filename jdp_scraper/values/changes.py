"""What has changed since the run before: vehicles new and gone, and each value before and after."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.pdf.value_rules import FieldType
from jdp_scraper.values.table import ABOUT_THE_FILE, Row
from jdp_scraper.values.typed import Typed
from jdp_scraper.vehicle import Vehicle

COLUMNS = ("run", "reference", "vin", "change", "field", "before", "after", "difference")
# By which a vehicle is known, and what differs between any two reports.
_NO_NEWS = {"reference", "vin", "report_date", *ABOUT_THE_FILE}
_NUMBERS = {"money", "miles", "number", "year"}


@dataclass(frozen=True, slots=True)
class Change:
    """A vehicle that is new or gone, or one value of one that is in both runs."""

    run: str
    reference: str
    vin: str
    change: Literal["new", "gone", "changed"]
    field: str = ""
    kind: FieldType = "text"
    before: Typed | None = None
    after: Typed | None = None

    @property
    def difference(self) -> Typed | None:
        """After less before, in the form of the field: money with two digits."""
        if self.kind not in _NUMBERS or self.before is None or self.after is None:
            return None
        less = Decimal(str(self.after)) - Decimal(str(self.before))
        return f"{less:.2f}" if self.kind == "money" else int(less)


@dataclass(frozen=True, slots=True)
class Before:
    """The run before: whose vehicles it knew, and the values of those that it has fetched."""

    inventory: Mapping[str, Vehicle]
    values: Mapping[str, Mapping[str, Typed | None]]  # by `identity`


def identity(vehicle: Vehicle) -> str:
    """Return what a vehicle is known by from run to run: its VIN, else its reference."""
    return plain(vehicle.vin or "").upper() or plain(vehicle.reference)


def values_of(rows: Iterable[Row]) -> dict[str, Mapping[str, Typed | None]]:
    """Return the values of each vehicle whose report could be read."""
    return {identity(row.vehicle): row.values for row in rows if row.vehicle is not None and row.error is None}


def written_values(path: Path, vehicles: Mapping[str, Vehicle]) -> dict[str, Mapping[str, Typed | None]]:
    """Return the same from a ``values.jsonl``; ``vehicles`` are by the ``file`` of their rows.

    A line that cannot be read counts as none; blocks, raises ``OSError``.
    """
    found: dict[str, Mapping[str, Typed | None]] = {}
    for line in path.read_bytes().splitlines():
        try:
            row = json.loads(line)
            vehicle = vehicles.get(row["file"])
            if vehicle is not None and row["error"] is None:
                found[identity(vehicle)] = {name: one for name, one in row.items() if isinstance(one, str | int)}
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def changes(
    run: str,
    columns: Mapping[str, FieldType],
    inventory: Mapping[str, Vehicle],
    rows: Iterable[Row],
    before: Before,
) -> Iterator[Change]:
    """Yield what is new or changed in the order of the inventory, then what is gone in the order of the one before.

    A vehicle is new or gone by the two inventories, whatever was fetched of them.
    """
    known = {identity(vehicle) for vehicle in before.inventory.values()}
    now = values_of(rows)
    here = {identity(vehicle): vehicle for vehicle in inventory.values()}
    for key, vehicle in here.items():
        if key not in known:
            yield Change(run, vehicle.reference, vehicle.vin or "", "new")
        elif key in now and key in before.values:
            for name, kind in columns.items():
                old, new = before.values[key].get(name), now[key].get(name)
                if name not in _NO_NEWS and old != new:
                    yield Change(run, vehicle.reference, vehicle.vin or "", "changed", name, kind, old, new)
    for vehicle in before.inventory.values():
        if identity(vehicle) not in here:
            yield Change(run, vehicle.reference, vehicle.vin or "", "gone")
