"""A vehicle as the inventory tells of it, and the key under which a run knows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One line of the inventory; mileage in miles. ``None`` is what the portal does not tell."""

    reference: str
    vin: str | None = None
    year: int | None = None
    make: str | None = None
    model: str | None = None
    mileage: int | None = None

    @property
    def identity(self) -> tuple[str, str | None]:
        """Reference and VIN together: the same reference may stand on two vehicles."""
        return self.reference, self.vin


def assign_keys(vehicles: Iterable[Vehicle]) -> dict[str, Vehicle]:
    """Give each vehicle the key of its task, in inventory order.

    The first of a reference is known by the reference alone, a further one by ``<reference>~<VIN>``. A line that
    repeats both reference and VIN is the same vehicle and gets no second key.
    """
    keyed: dict[str, Vehicle] = {}
    seen: set[tuple[str, str | None]] = set()
    for vehicle in vehicles:
        if vehicle.identity in seen:
            continue
        seen.add(vehicle.identity)
        base = vehicle.reference if vehicle.reference not in keyed else f"{vehicle.reference}~{vehicle.vin or ''}"
        key, number = base, 2
        while key in keyed:
            key, number = f"{base}~{number}", number + 1
        keyed[key] = vehicle
    return keyed
