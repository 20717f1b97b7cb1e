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
from jdp_scraper.values.typed import Typed, is_typed
from jdp_scraper.vehicle import Vehicle, tells_alone, told_vin

Values = Mapping[str, Typed | None]
Identity = tuple[str, str | None]  # a vehicle's own: reference and VIN
COLUMNS = ("run", "reference", "vin", "change", "field", "before", "after", "difference")
# By which a vehicle is known (a new reference is told by the inventories), and what differs between any two reports.
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
    values: Mapping[Identity, Values]


def values_of(rows: Iterable[Row]) -> dict[Identity, Values]:
    """Return the values of each vehicle whose report could be read."""
    return {row.vehicle.identity: row.values for row in rows if row.vehicle is not None and row.error is None}


def written_values(
    path: Path, vehicles: Mapping[str, Vehicle], columns: Mapping[str, FieldType]
) -> dict[Identity, Values]:
    """Return the same from a ``values.jsonl``; ``vehicles`` are by the ``file`` of their rows.

    A line that cannot be read counts as none, as does a value that is none of its column's type: the column may have
    been of another type then. Blocks, raises ``OSError``.
    """
    found: dict[Identity, Values] = {}
    for line in path.read_bytes().splitlines():
        try:
            row = json.loads(line)
            vehicle = vehicles.get(row["file"])
            if vehicle is not None and row["error"] is None:
                told = ((name, row[name]) for name in columns if name in row)
                found[vehicle.identity] = {name: one for name, one in told if is_typed(columns[name], one)}
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

    A vehicle is new or gone by the two inventories, whatever was fetched of them. A column that the run before did not
    have is no news.
    """
    now = values_of(rows)
    known = _matched(inventory.values(), before.inventory.values())
    for vehicle in inventory.values():
        told = run, vehicle.reference, vehicle.vin or ""
        same = known.get(vehicle.identity)
        if same is None:
            yield Change(*told, "new")
            continue
        if plain(same.reference) != plain(vehicle.reference):
            yield Change(*told, "changed", "reference", "reference", same.reference, vehicle.reference)
        values, earlier = now.get(vehicle.identity, {}), before.values.get(same.identity, {})
        for name, kind in columns.items():
            if name not in _NO_NEWS and name in values and name in earlier and values[name] != earlier[name]:
                yield Change(*told, "changed", name, kind, earlier[name], values[name])
    still = {vehicle.identity for vehicle in known.values()}
    for vehicle in before.inventory.values():
        if vehicle.identity not in still:
            yield Change(run, vehicle.reference, vehicle.vin or "", "gone")


def _matched(now: Iterable[Vehicle], before: Iterable[Vehicle]) -> dict[Identity, Vehicle]:
    """Return each vehicle's own one of the run before, by its identity now.

    It is the one of the same VIN, among several of these the one of the same reference; and the one of the same
    reference where either run does not tell the VIN, or both tell the same that alone would name no vehicle.
    """
    found: dict[Identity, Vehicle] = {}
    here, there = list(now), list(before)
    for key in (_both, _vin, _reference):
        left: dict[object, list[Vehicle]] = {}
        for one in reversed(there):
            left.setdefault(key(one), []).append(one)
        for vehicle in here:
            alike = left.get(key(vehicle)) if key(vehicle) else None
            if alike and not (key is _reference and _told(alike[-1]) and _told(vehicle)):
                found[vehicle.identity] = alike.pop()
        taken = {one.identity for one in found.values()}
        here = [one for one in here if one.identity not in found]
        there = [one for one in there if one.identity not in taken]
    return found


def _told(vehicle: Vehicle) -> str:
    return told_vin(plain(vehicle.vin or ""))


def _vin(vehicle: Vehicle) -> str:
    return vin if tells_alone(vin := _told(vehicle)) else ""


def _reference(vehicle: Vehicle) -> str:
    return plain(vehicle.reference)


def _both(vehicle: Vehicle) -> tuple[str, str]:
    return _reference(vehicle), _told(vehicle)
