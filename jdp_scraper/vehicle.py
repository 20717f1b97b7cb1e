"""A vehicle as the inventory tells of it, and the key under which a run knows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")  # ISO 3779


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


def told_vin(vin: str | None) -> str:
    """Return a VIN in one spelling; nothing for what stands there where none is known: ``N/A``, ``-``, ``0000``."""
    told = (vin or "").strip().upper()
    return told if any(character in "123456789" for character in told) else ""


def tells_alone(vin: str) -> bool:
    """Tell whether a VIN (of ``told_vin``) names its vehicle under any reference; a short or made-up one is many's.

    The check digit is not asked for: outside of North America there is none.
    """
    return _VIN.fullmatch(vin) is not None and len(set(vin)) > 2


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
