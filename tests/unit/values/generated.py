"""Reports of three layouts, drawn with reportlab, with what each says; and files that are no reports."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from reportlab.pdfgen.canvas import Canvas

from jdp_scraper.demo.lot import Lot
from jdp_scraper.demo.options import DemoOptions
from tests.unit.pdf.reports import drawn, encrypted, endless

MONEY = ("rough_trade_in", "average_trade_in", "clean_trade_in", "clean_loan", "clean_retail")
LABELS = {
    "reference": ("Stock #", "Stock Number", "Reference Number"),
    "vin": ("VIN", "Vehicle Identification Number"),
    "year": ("Year", "Model Year"),
    "make": ("Make",),
    "model": ("Model",),
    "trim": ("Trim", "Trim Level"),
    "mileage": ("Mileage", "Odometer"),
    "rough_trade_in": ("Rough Trade-In",),
    "average_trade_in": ("Average Trade-In",),
    "clean_trade_in": ("Clean Trade-In",),
    "clean_loan": ("Clean Loan",),
    "clean_retail": ("Clean Retail",),
    "report_date": ("Report Date", "Date of Report"),
}
FIELDS = tuple(LABELS)


@dataclass(frozen=True)
class Report:
    """``printed`` is each field's text on paper, empty where it has none; ``told`` what has to be read."""

    printed: dict[str, str]
    told: dict[str, str | int | None]


@cache
def reports(count: int, seed: int = 5) -> tuple[Report, ...]:
    """Return reports of the demo portal's vehicles; each field but the first two is missing in one of twelve."""
    source = random.Random(seed)
    return tuple(_report(one, source) for one in Lot(DemoOptions(vehicles=count)).vehicles)


def _report(vehicle: object, source: random.Random) -> Report:
    told: dict[str, str | int | None] = {
        name: getattr(vehicle, name) for name in ("reference", "vin", "year", "make", "model", "trim", "mileage")
    }
    told |= {name: f"{source.randint(400, 90_000)}.{source.choice(('00', '50'))}" for name in MONEY}
    told["report_date"] = f"2026-{source.randint(1, 12):02d}-{source.randint(1, 28):02d}"
    printed = {name: _printed(name, value, source) for name, value in told.items()}
    for name in FIELDS[2:]:
        if source.random() < 1 / 12:
            told[name], printed[name] = None, source.choice(("", "N/A", "-"))
    return Report(printed, told)


def _printed(name: str, value: object, source: random.Random) -> str:
    if name in MONEY:
        dollars = f"{float(str(value)):,.2f}"
        return source.choice((f"${dollars}", f"$ {dollars}", dollars))
    if name == "mileage":
        return source.choice((f"{value:,}", f"{value:,} mi", str(value)))
    if name == "report_date":
        year, month, day = str(value).split("-")
        return source.choice((f"{month}/{day}/{year}", f"{year}-{month}-{day}"))
    return str(value)


def beside(report: Report, source: random.Random) -> bytes:
    """Labels in a column with their values beside them, with and without a colon, some of it in two columns."""
    colon = source.choice((":", ""))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        canvas.drawString(60, 750, "Vehicle Valuation Report")
        for place, name in enumerate(FIELDS):
            column, row = (0, place) if place < 7 else (1, place - 7)
            x, y = 60 + 290 * column, 700 - 20 * row
            canvas.drawString(x, y, source.choice(LABELS[name]) + colon)
            if report.printed[name]:
                canvas.drawString(x + 170, y, report.printed[name])
        canvas.drawString(60, 500, "Make sure that the mileage of 12,000 and the trim are right before you trade.")
        canvas.drawString(60, 480, "Clean retail values assume a vehicle without damage.")

    return drawn(draw)


def above(report: Report, source: random.Random) -> bytes:
    """Boxes side by side, each with its label above its value."""

    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 750, "Vehicle Valuation Report")
        for place, name in enumerate(FIELDS):
            x, y = 60 + 180 * (place % 3), 700 - 50 * (place // 3)
            canvas.setFont("Helvetica", 8)
            canvas.drawString(x, y, source.choice(LABELS[name][:1]))
            canvas.setFont("Helvetica", 11)
            if report.printed[name]:
                canvas.drawString(x, y - 14, report.printed[name])
        canvas.drawString(60, 400, "The values above are as of the date of the report.")

    return drawn(draw)


def table(report: Report, source: random.Random) -> bytes:
    """A table of the vehicle, its labels in the head, and one of values by condition and kind."""
    across = source.random() < 0.5

    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 750, f"Report Date: {report.printed['report_date']}")
        for place, name in enumerate(("reference", "vin")):
            canvas.drawString(60 + 200 * place, 720, f"{LABELS[name][0]}: {report.printed[name]}")
        for place, name in enumerate(("year", "make", "model", "trim", "mileage")):
            x = 60 + 110 * place
            canvas.drawString(x, 690, LABELS[name][0])
            if report.printed[name]:
                canvas.drawString(x, 674, report.printed[name])
        conditions, kinds = ("Rough", "Average", "Clean"), ("Trade-In", "Loan", "Retail")
        rows, columns = (kinds, conditions) if across else (conditions, kinds)
        for place, column in enumerate(columns):
            canvas.drawRightString(240 + 100 * place, 630, column)
        for number, row in enumerate(rows):
            canvas.drawString(60, 612 - 18 * number, row)
            for place, column in enumerate(columns):
                condition, kind = (column, row) if across else (row, column)
                name = f"{condition}_{kind}".lower().replace("-", "_")
                if report.printed.get(name):
                    canvas.drawRightString(240 + 100 * place, 612 - 18 * number, report.printed[name])

    return drawn(draw)


LAYOUTS: Sequence[Callable[[Report, random.Random], bytes]] = (beside, above, table)


def many_pages(pages: int = 2_000) -> bytes:
    def draw(canvas: Canvas) -> None:
        for number in range(pages):
            canvas.drawString(72, 72, f"page {number}")
            canvas.showPage()

    return drawn(draw)


def bomb(gibibytes: int = 2) -> bytes:
    """A small file whose page unfolds twice into so many GiB of spaces and one line of text."""
    once = zlib.compressobj(9)
    block = b" " * (1 << 20)
    inner = b"".join(once.compress(block) for _ in range(1024 * gibibytes)) + once.flush()
    stream = zlib.compress(inner, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    entries = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"xref\n0 5\n0000000000 65535 f \n%btrailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return data + trailer % (entries, len(data))


BROKEN: dict[str, Callable[[], bytes]] = {
    "truncated": lambda: drawn(lambda canvas: canvas.drawString(72, 700, "Stock # 1"))[:-200],
    "encrypted": lambda: encrypted("1"),
    "bomb": bomb,
    "endless": endless,
    "pages": many_pages,
}
