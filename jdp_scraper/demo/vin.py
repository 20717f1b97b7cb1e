"""Vehicle identification numbers with a right check digit."""

from __future__ import annotations

import random

# The alphabet of ISO 3779: no I, O, Q. Values of characters and weights of places are those of 49 CFR 565.15.
ALPHABET = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
_VALUES = dict(zip(ALPHABET, (*range(10), *range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)), strict=True))
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_YEARS = "ABCDEFGHJKLMNPRSTVWXY"
_FIRST_YEAR = 2010


def check_digit(vin: str) -> str:
    """Give the check digit (place 9) that belongs to a VIN of 17 characters, whatever stands in that place now."""
    rest = sum(_VALUES[character] * weight for character, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def make_vin(maker: str, year: int, serial: int, source: random.Random) -> str:
    """Make a valid VIN of a maker (three characters), a year (2010 to 2030) and a serial number; the rest is drawn."""
    described = "".join(source.choices(ALPHABET, k=5))
    plant = source.choice("ABCDEFGHJKLMNPRSTUVWXYZ")
    raw = f"{maker}{described}0{_YEARS[year - _FIRST_YEAR]}{plant}{serial:06d}"
    return raw[:8] + check_digit(raw) + raw[9:]
