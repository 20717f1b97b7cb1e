"""What the archive's pages are made of: frozen, complete, and without a clock, so that equal input makes equal bytes.

Whoever builds the archive makes one ``Archive`` of the catalog; pages, feeds and search index are functions of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

# As in values.jsonl: money is a string with two digits behind the point, a number of other kind is an int.
Value: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run, or a folder of PDFs taken as one; ``started`` has its time zone.

    ``whole`` says that it was meant to bring the whole inventory: only then is a vehicle gone that it does not have.
    """

    name: str
    started: datetime
    portal: str = ""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """What one run has of a vehicle.

    ``pdf`` and ``thumbnail`` are paths from the archive's root, with ``/`` and not percent-encoded, and ``size`` is in
    bytes of that PDF; ``sha256`` is that of the PDF in the run's folder. ``error`` is why there is no PDF, or why its
    values could not be read; ``flags`` are one line each. ``values`` are in their columns' order, without those of
    the vehicle itself.
    """

    run: Run
    status: str = "done"
    error: str | None = None
    flags: tuple[str, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)
    pdf: str | None = None
    thumbnail: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle over all runs; ``key`` is unique in the archive, ``slug`` too and safe as a file's name.

    ``reports`` are oldest to newest, one a run at most; mileage is in miles; ``text`` is that of the newest PDF.
    """

    key: str
    slug: str
    reference: str
    vin: str | None = None
    year: int | None = None
    make: str | None = None
    model: str | None = None
    trim: str | None = None
    mileage: int | None = None
    reports: tuple[Report, ...] = ()
    text: str = ""

    @property
    def description(self) -> str:
        """Year, make, model and trim as far as they are known, in one line."""
        return " ".join(str(part) for part in (self.year, self.make, self.model, self.trim) if part)

    @property
    def newest(self) -> Report | None:
        """The report of the vehicle's last run."""
        return self.reports[-1] if self.reports else None

    @property
    def shown(self) -> Report | None:
        """The newest report that has a PDF."""
        return next((one for one in reversed(self.reports) if one.pdf), None)


@dataclass(frozen=True, slots=True)
class Archive:
    """All vehicles in the order in which the index lists them, and all runs, oldest to newest."""

    title: str
    portal: str
    runs: tuple[Run, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
