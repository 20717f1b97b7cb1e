"""The valuation report of a vehicle, as a PDF of 40 to 70 KB with a text layer."""

from __future__ import annotations

import datetime
import random
from functools import cached_property
from urllib.parse import quote

from .lot import Vehicle
from .pdf_writer import Line, PdfWriter
from .picture import draw_car

# Most reports name the reference "Stock #"; which one says otherwise depends on the vehicle alone.
LABELS = ("Stock #", "Stock #", "Stock #", "Stock Number", "Reference")
PLAIN_LABEL = "Stock No."
_PICTURES = ((280, 190), (300, 200), (320, 220), (336, 230))


def values_of(vehicle: Vehicle, seed: int) -> dict[str, int]:
    """Give a vehicle's values by condition, in whole dollars, the same at every call."""
    source = random.Random(f"values:{seed}:{vehicle.vin}")
    clean = max(900, int((source.randint(24000, 46000) * 0.88 ** (2026 - vehicle.year)) - vehicle.mileage * 0.02))
    return {
        "Rough Trade-In": int(clean * 0.78),
        "Average Trade-In": int(clean * 0.9),
        "Clean Trade-In": clean,
        "Clean Loan": int(clean * 0.93),
        "Clean Retail": int(clean * 1.19) + source.randint(100, 900),
    }


def label_of(vehicle: Vehicle, site: str) -> str:
    """Give the label behind which a vehicle's report has the reference."""
    return PLAIN_LABEL if site == "plain" else LABELS[vehicle.number % len(LABELS)]


def disposition(kind: str, name: str) -> str:
    """Give the header `Content-Disposition` of a file's name, which may hold any characters."""
    if name.isascii() and name.isprintable() and not set(name) & set('"\\'):
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"


class ReportPress:
    """Makes reports; what they share is made once, at the first report of its kind."""

    def __init__(self, seed: int, site: str) -> None:
        self._seed = seed
        self._site = site

    @cached_property
    def _writers(self) -> list[PdfWriter]:
        return [PdfWriter(draw_car(width, height, self._seed)) for width, height in _PICTURES]

    def scan(self, vehicle: Vehicle) -> bytes:
        """Make the report of a vehicle as a scan: a picture, and no text at all."""
        return self._writers[vehicle.number % len(self._writers)].scan()

    def print(self, vehicle: Vehicle, day: datetime.date | None = None, script: str = "") -> bytes:
        """Make the report of a vehicle, dated today or a given day; one to three pages, and a script where given."""
        day = day or datetime.datetime.now().astimezone().date()
        pages = [self._front(vehicle, day), _equipment(vehicle), _terms()][: 1 + vehicle.number % 3]
        return self._writers[vehicle.number % len(self._writers)].write(pages, script)

    def _front(self, vehicle: Vehicle, day: datetime.date) -> list[Line]:
        name = f"{vehicle.year} {vehicle.make} {vehicle.model} {vehicle.trim}"
        lines = [
            Line(40, 740, "Vehicle Valuation Report", 18, bold=True),
            Line(40, 722, f"Report date {day:%m/%d/%Y}"),
            Line(40, 690, name, 13, bold=True),
            # Two text objects side by side: a reader of the text must put label and value together itself.
            Line(40, 670, label_of(vehicle, self._site)),
            Line(140, 670, vehicle.reference),
            Line(40, 655, f"VIN: {vehicle.vin}"),
            Line(40, 640, f"Mileage: {vehicle.mileage:,}"),
            Line(40, 590, "Values", 13, bold=True),
        ]
        for place, (label, dollars) in enumerate(values_of(vehicle, self._seed).items()):
            lines += [Line(40, 570 - 16 * place, label), Line(240, 570 - 16 * place, f"${dollars:,}")]
        number = 100000 + (vehicle.number * 7919) % 900000
        return [*lines, Line(40, 60, f"Demo portal. Report No. {number}. These values are made up.", 8)]


def _equipment(vehicle: Vehicle) -> list[Line]:
    items = ("Power windows", "Cruise control", "Alloy wheels", "Heated seats", "Backup camera", "Keyless entry")
    head = [Line(40, 740, "Equipment", 14, bold=True), Line(40, 720, f"{vehicle.make} {vehicle.model} {vehicle.trim}")]
    return head + [Line(40, 690 - 16 * place, f"{item}: as described") for place, item in enumerate(items * 3)]


def _terms() -> list[Line]:
    text = "Values assume a vehicle in the stated condition with no history of damage and a clear title."
    return [Line(40, 740, "Terms", 14, bold=True)] + [Line(40, 710 - 15 * place, text, 9) for place in range(24)]
