"""The generated inventory: what the portal says it has."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from .options import DemoOptions
from .vin import make_vin

FIRST_REFERENCE = 165530
# One model has a letter that UTF-8 and cp1252 write differently; it is the third vehicle of every lot.
ACCENTED = ("WDD", "Mercedes-Benz", "C-Class Coup\u00e9", "C 300 4MATIC")
MODELS = (
    ("1FT", "Ford", "F-150", "XLT SuperCrew"), ("1G1", "Chevrolet", "Malibu", "LT"),
    ("1HG", "Honda", "Accord", "Sport 1.5T"),
    ("4T1", "Toyota", "Camry", "SE"), ("5YF", "Toyota", "Corolla", "LE"), ("JN8", "Nissan", "Rogue", "SV AWD"),
    ("3GC", "Chevrolet", "Silverado 1500", "Custom"), ("1C4", "Jeep", "Grand Cherokee", "Limited 4WD"),
    ("KM8", "Hyundai", "Tucson", "SEL"), ("5XY", "Kia", "Sorento", "EX"), ("JM3", "Mazda", "CX-5", "Grand Touring"),
    ("4S4", "Subaru", "Outback", "Premium"), ("WBA", "BMW", "3 Series", "330i xDrive"),
    ("1C6", "Ram", "1500", "Big Horn"),
    ("3VW", "Volkswagen", "Jetta", "1.4T S & SEL"), ("5J6", "Honda", "CR-V", "EX-L"), ACCENTED,
)  # fmt: skip


@dataclass(frozen=True)
class Vehicle:
    """One vehicle on the lot; `key` is what its addresses hold, and tells nothing."""

    reference: str
    vin: str
    year: int
    make: str
    model: str
    trim: str
    mileage: int
    key: str
    number: int

    def as_mapping(self) -> dict[str, object]:
        """Give all fields as a mapping that JSON can hold."""
        return asdict(self)


class Lot:
    """All vehicles in inventory order.

    A smaller lot of the same seed is the beginning of a larger one, but for duplicates and blank references: these are
    at its end.
    """

    def __init__(self, options: DemoOptions) -> None:
        self._seed = options.seed
        self._stream = _vehicles(options.seed, options.references)
        vehicles = [next(self._stream) for _ in range(options.vehicles)]
        self.vehicles: Sequence[Vehicle] = _with_blanks(_with_duplicates(vehicles, options), options)

    @cached_property
    def by_key(self) -> Mapping[str, Vehicle]:
        """All vehicles by their key."""
        return {vehicle.key: vehicle for vehicle in self.vehicles}

    def containing(self, text: str) -> Sequence[Vehicle]:
        """Give the vehicles whose reference contains a text, case aside; all of them for an empty one."""
        if not text:
            return self.vehicles
        wanted = text.casefold()
        return [vehicle for vehicle in self.vehicles if wanted in vehicle.reference.casefold()]

    def named(self, reference: str) -> Sequence[Vehicle]:
        """Give the vehicles with exactly this reference."""
        return [vehicle for vehicle in self.vehicles if vehicle.reference == reference]

    def another(self, vehicle: Vehicle) -> Vehicle:
        """Give a neighbor of a vehicle: the next one, else the one before, else itself where it is alone."""
        for other in (*self.vehicles[vehicle.number + 1 :][:1], *self.vehicles[:2]):
            if other.vin != vehicle.vin:
                return other
        return vehicle

    def change(self, remove: Sequence[str] = (), rename: Mapping[str, str] | None = None, add: int = 0) -> None:
        """Take vehicles away, give others a new reference, and put new ones at the end, as between two days."""
        gone, names = set(remove), rename or {}
        kept = [vehicle for vehicle in self.vehicles if vehicle.reference not in gone]
        kept = [replace(one, reference=names.get(one.reference, one.reference)) for one in kept]
        kept += [next(self._stream) for _ in range(add)]
        self.vehicles = kept
        self.__dict__.pop("by_key", None)


def _vehicles(seed: int, extra: Sequence[str]) -> Iterator[Vehicle]:
    source = random.Random(f"lot:{seed}")
    references = _references(random.Random(f"references:{seed}"), extra)
    for number, reference in enumerate(references):
        maker, make, model, trim = ACCENTED if number == 2 else source.choice(MODELS)
        year = source.randint(2012, 2025)
        vin = make_vin(maker, year, 100000 + number, source)
        mileage = max(12, int((2026 - year) * source.gauss(11500, 2500)))
        key = hashlib.blake2s(f"{seed}:{vin}".encode(), digest_size=8).hexdigest()
        yield Vehicle(reference, vin, year, make, model, trim, mileage, key, number)


def _references(source: random.Random, extra: Sequence[str]) -> Iterator[str]:
    # The pair that a "contains" filter and a careless look into a PDF mix up stands on every lot, however small.
    yield str(FIRST_REFERENCE)
    yield f"{FIRST_REFERENCE}A"
    yield from extra
    number = FIRST_REFERENCE
    while True:
        number += source.randint(1, 3)
        yield str(number)
        if source.random() < 0.08:
            yield f"{number}{source.choice('ABCX')}"


def _with_duplicates(vehicles: list[Vehicle], options: DemoOptions) -> list[Vehicle]:
    # The copies stand at the end, so that the two of a kind are on different pages of a larger lot.
    for number in range(min(options.duplicates, (len(vehicles) - 2) // 2)):
        place = len(vehicles) - 1 - number
        vehicles[place] = replace(vehicles[place], reference=vehicles[2 + number].reference)
    return vehicles


def _with_blanks(vehicles: list[Vehicle], options: DemoOptions) -> list[Vehicle]:
    last = len(vehicles) - 1 - options.duplicates
    for place in range(last, max(last - options.blank_references, 1), -1):
        vehicles[place] = replace(vehicles[place], reference="")
    return vehicles
