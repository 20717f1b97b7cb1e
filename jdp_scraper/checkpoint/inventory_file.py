"""The run's own inventory as CSV in UTF-8, from which a resumed run works; any reference comes back as it was."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from jdp_scraper.errors import InventoryError
from jdp_scraper.vehicle import Vehicle

COLUMNS = ("reference", "vin", "year", "make", "model", "mileage")


def to_csv(vehicles: Iterable[Vehicle]) -> bytes:
    """Return the vehicles as CSV; what the portal does not tell is an empty field."""
    text = io.StringIO(newline="")
    # Everything is quoted, so that spaces, quotes and line ends within a reference need no rule of their own.
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(COLUMNS)
    for vehicle in vehicles:
        values = (getattr(vehicle, column) for column in COLUMNS)
        writer.writerow("" if value is None else value for value in values)
    return text.getvalue().encode("utf-8", "surrogatepass")


def from_csv(content: bytes) -> list[Vehicle]:
    """Return the vehicles that ``to_csv`` wrote; an empty field is ``None``; raises ``InventoryError``."""
    try:
        text = io.StringIO(content.decode("utf-8", "surrogatepass"), newline="")
        rows = list(csv.reader(text, strict=True))
        if not rows or tuple(rows[0]) != COLUMNS:
            raise _unreadable("its columns are not a run's")
        return [_vehicle(row) for row in rows[1:]]
    except (ValueError, csv.Error) as error:
        raise _unreadable(str(error)) from error


def _vehicle(row: list[str]) -> Vehicle:
    reference, vin, year, make, model, mileage = row
    return Vehicle(reference, vin or None, _number(year), make or None, model or None, _number(mileage))


def _number(text: str) -> int | None:
    return int(text) if text else None


def _unreadable(why: str) -> InventoryError:
    return InventoryError(f"the run's inventory.csv cannot be read: {why}")
