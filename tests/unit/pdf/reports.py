"""Real PDFs for these tests, drawn with reportlab."""

from __future__ import annotations

import io
from collections.abc import Callable

from reportlab.lib.pagesizes import LETTER
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table

VIN = "1FTEW1E50LFA12345"
OTHER_VIN = "1C4RJFBG5FC123450"


def drawn(draw: Callable[[Canvas], None], **options: object) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=LETTER, **options)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def beside(reference: str, vin: str = VIN, label: str = "Stock #:") -> bytes:
    """Each label with its value on the same line."""

    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 740, "Vehicle valuation")
        canvas.drawString(72, 700, f"{label} {reference}")
        canvas.drawString(72, 680, f"VIN: {vin}")
        canvas.drawString(72, 640, "Clean Retail $ 21,450")

    return drawn(draw)


def filled(reference: str, lines: int) -> bytes:
    """Labels and values, and so many lines of some hundred characters each, fifty at most."""

    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 740, f"Stock #: {reference}")
        canvas.drawString(72, 730, f"VIN: {VIN}")
        canvas.setFont("Helvetica", 8)
        for line in range(lines):
            canvas.drawString(72, 710 - 13 * line, f"{line}: {'valuation ' * 10}")

    return drawn(draw)


def above(reference: str, vin: str = VIN) -> bytes:
    """Each label on the line above its value."""

    def draw(canvas: Canvas) -> None:
        for y, line in enumerate(["Stock Number", reference, "VIN", vin, "Mileage", "54,321"]):
            canvas.drawString(72, 700 - 14 * y, line)

    return drawn(draw)


def table(reference: str, vin: str = VIN) -> bytes:
    """Labels and values in the cells of a table, one pair a row."""
    buffer = io.BytesIO()
    rows = [["Stock #", reference], ["VIN", vin], ["Mileage", "54,321"]]
    SimpleDocTemplate(buffer, pagesize=LETTER).build([Table(rows)])
    return buffer.getvalue()


def blank(pages: int = 1) -> bytes:
    """Pages without any text."""

    def draw(canvas: Canvas) -> None:
        for _ in range(pages):
            canvas.rect(72, 72, 100, 100)
            canvas.showPage()

    return drawn(draw)


def encrypted(reference: str) -> bytes:
    return drawn(lambda canvas: canvas.drawString(72, 700, f"Stock # {reference}"), encrypt="secret")


def endless() -> bytes:
    """A small file whose page draws ten forms of ten forms, eight deep: hundreds of millions of letters to read."""

    def draw(canvas: Canvas) -> None:
        canvas.beginForm("F0")
        canvas.drawString(1, 1, "x")
        canvas.endForm()
        for level in range(1, 9):
            canvas.beginForm(f"F{level}")
            for _ in range(10):
                canvas.doForm(f"F{level - 1}")
            canvas.endForm()
        canvas.doForm("F8")

    return drawn(draw)
