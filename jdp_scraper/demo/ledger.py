"""What the portal saw: the truth that a run's own account of itself is held against."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .lot import Vehicle


@dataclass
class Ledger:
    """Counts of everything that matters; maps of vehicles are by VIN, as a reference may stand twice.

    `cookies` are all values given out, so that a test can look for them where they must not be.
    `opened_at` and `created_at` are seconds on a clock that only grows; `answering_s` tells for how many of the seconds
    before the first vehicle's opening the portal was busy with one request or more.
    """

    started: float = field(default_factory=time.time)
    requests: int = 0
    sign_ins: int = 0
    signed_in_at: float = 0.0
    sign_outs: int = 0
    expiries: int = 0
    license_accepted: int = 0
    exports: int = 0
    grid_callbacks: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    vehicle_opens: Counter[str] = field(default_factory=Counter)
    opened_at: list[float] = field(default_factory=list)
    reports_created: Counter[str] = field(default_factory=Counter)
    created_at: list[float] = field(default_factory=list)
    reports_asked: Counter[str] = field(default_factory=Counter)
    reports_signed_out: int = 0
    foreign_requests: int = 0
    foreign_with_cookie: int = 0
    static: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    references: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    in_flight: int = 0
    peak_in_flight: int = 0
    answering_s: float = 0.0
    _answering: int = field(default=0, repr=False)
    _answering_since: float = field(default=0.0, repr=False)

    def signed_in(self) -> None:
        """Count a sign-in that worked, and note when: its answer leaves at this moment."""
        self.sign_ins += 1
        self.signed_in_at = time.time()

    def opened(self, vehicle: Vehicle) -> None:
        """Count the opening of a vehicle's page, under its reference."""
        self.vehicle_opens[vehicle.reference] += 1
        if not self.opened_at and self._answering:
            self.answering_s += time.monotonic() - self._answering_since
        self.opened_at.append(time.monotonic())

    def created(self, vehicle: Vehicle) -> None:
        """Count a report made ready."""
        self.reports_created[vehicle.vin] += 1
        self.created_at.append(time.monotonic())
        self.references[vehicle.vin] = vehicle.reference

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request, which is being answered while the context lasts."""
        self.requests += 1
        self._answering += 1
        if self._answering == 1:
            self._answering_since = time.monotonic()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering and not self.opened_at:
                self.answering_s += time.monotonic() - self._answering_since

    @contextmanager
    def report(self, vehicle: Vehicle) -> Iterator[None]:
        """Count a request for a report's PDF, in flight while the context lasts."""
        self.reports_asked[vehicle.vin] += 1
        self.references[vehicle.vin] = vehicle.reference
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1

    def as_mapping(self, open_sessions: int) -> dict[str, Any]:
        """Give all counts, and the number of sessions open now, as a mapping that JSON can hold."""
        public = {name: value for name, value in self.__dict__.items() if not name.startswith("_")}
        return {**public, "open_sessions": open_sessions}
