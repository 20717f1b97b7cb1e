"""What the catalog knows of a run and of each report in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import TypeAlias, TypeVar

# As in values.jsonl: money is a string with two digits behind the point.
Value: TypeAlias = str | int | float | bool | None
T = TypeVar("T")
TOO_LARGE = 1 << 63  # numbers from here on, such as a mileage of twenty digits in a portal's export, are none
_TOLD = attrgetter("year", "make", "model", "trim", "mileage")
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run or a folder of PDFs; ``whole`` says that it was meant to bring the whole inventory.

    ``account`` is a hash. ``rehearsal``: its portal is one of this machine, as the demo portal is.
    """

    path: Path
    name: str
    portal: str
    account: str
    started: datetime
    whole: bool
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """What one run has of a vehicle, at its ``place`` in the run's order.

    ``file`` is the PDF's path from the run's folder, with its ``size`` in bytes and ``sha256``, as it lies there now;
    ``None`` where there is none that may be shown, and ``error`` tells why. ``status`` is done, failed or todo.
    ``values`` are those of the table of values that are not of the vehicle itself.
    """

    place: int
    reference: str
    vin: str | None = None
    year: int | None = None
    make: str | None = None
    model: str | None = None
    trim: str | None = None
    mileage: int | None = None
    status: str = "done"
    error: str | None = None
    flags: tuple[str, ...] = ()
    file: str | None = None
    size: int | None = None
    sha256: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VehicleEntry:
    """A vehicle over all runs: ``key`` and ``slug`` are its own, the slug is safe as a file's name.

    ``reports`` are (run's path, report), oldest to newest, one a run; what is told of the vehicle is the newest known.
    """

    key: str
    slug: str
    reference: str
    vin: str | None
    reports: tuple[tuple[Path, ReportEntry], ...]
    year: int | None
    make: str | None
    model: str | None
    trim: str | None
    mileage: int | None

    @classmethod
    def of(
        cls, key: str, slug: str, reference: str, vin: str | None, reports: Iterable[tuple[Path, ReportEntry]]
    ) -> VehicleEntry:
        """Return the vehicle of these reports, with what they tell of it."""
        found = tuple(reports)
        told = zip(*(_TOLD(report) for _, report in reversed(found)), strict=True)
        return cls(key, slug, reference, vin, found, *map(first, told))


def first(values: Iterable[T | None]) -> T | None:
    """Return the first value that is known."""
    for value in values:  # not by a generator: it is asked for each of many vehicles
        if value is not None:
            return value
    return None


def to_json(content: object) -> str:
    """Return JSON values as ASCII text, the same for the same content."""
    return _encode(content)
