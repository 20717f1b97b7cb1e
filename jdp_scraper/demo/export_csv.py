"""The inventory as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from .lot import Vehicle
from .options import DemoOptions

COLUMNS: dict[str, Callable[[Vehicle], object]] = {
    "Year": lambda vehicle: vehicle.year,
    "Make": lambda vehicle: vehicle.make,
    "Model": lambda vehicle: vehicle.model,
    "Trim": lambda vehicle: vehicle.trim,
    "VIN": lambda vehicle: vehicle.vin,
    "Reference Number": lambda vehicle: vehicle.reference,
    "Mileage": lambda vehicle: vehicle.mileage,
}


def export_csv(vehicles: Sequence[Vehicle], options: DemoOptions) -> bytes:
    """Give the vehicles as a CSV file with CRLF ends of line, with the encoding and columns of the options."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    columns = {name: cell for name, cell in COLUMNS.items() if name != options.csv_without}
    writer.writerow(columns)
    writer.writerows([cell(vehicle) for cell in columns.values()] for vehicle in vehicles)
    encoding = "utf-8-sig" if options.csv_bom and options.csv_encoding == "utf-8" else options.csv_encoding
    return text.getvalue().encode(encoding, errors="replace")
