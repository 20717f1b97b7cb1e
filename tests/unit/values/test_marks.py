"""The mark of a footnote is no part of a value, and takes the value with it: what it belongs to cannot be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from jdp_scraper.values.extract import extract_file
from jdp_scraper.values.place import rules_of
from tests.unit.pdf.reports import drawn

RULES, _ = rules_of(None, "jdpower", None)
VALUES = {
    "Mileage": ("mileage", "45000", 45000),
    "Clean Retail": ("clean_retail", "$20,000", "20000.00"),
    "Stock #": ("reference", "165530", "165530"),
    "Clean Loan": ("clean_loan", "$18,000.50", "18000.50"),
    "Model": ("model", "F-150", "F-150"),
}


def read(tmp_path: Path, mark: str, size: float, rise: float) -> dict[str, Any]:
    def draw(canvas: Canvas) -> None:
        for line, (label, (_, value, _)) in enumerate(VALUES.items()):
            text = f"{label}: {value}"
            canvas.setFont("Helvetica", 10)
            canvas.drawString(60, 700 - 20 * line, text)
            canvas.setFont("Helvetica", size)
            canvas.drawString(60 + canvas.stringWidth(text, "Helvetica", 10), 700 - 20 * line + rise, mark)

    path = tmp_path / "1.pdf"
    path.write_bytes(drawn(draw))
    values: dict[str, Any] = extract_file(str(path), RULES)["values"]
    return values


def test_without_marks_each_value_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "", 10, 0) == {name: value for name, _, value in VALUES.values()}


@pytest.mark.parametrize(
    ("mark", "size", "rise"),
    [("1", 6, 3.5), ("1", 8.3, 3), ("50", 6, 3.5), ("a", 6, 3.5), ("\u00b9", 10, 0), ("\u00b3", 10, 0)],
)
def test_a_value_with_a_mark_is_none(mark: str, size: float, rise: float, tmp_path: Path) -> None:
    assert read(tmp_path, mark, size, rise) == {}


def test_a_trade_mark_is_part_of_a_name(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 700, "Model: F-150\u2122")
        canvas.drawString(60, 660, "2021 Ford F-150\u2122")
        canvas.drawString(60, 640, "2021 Ford F-150\u00b9")

    path = tmp_path / "1.pdf"
    path.write_bytes(drawn(draw))
    told = extract_file(str(path), RULES)
    assert told["values"] == {"model": "F-150\u2122"}
    assert told["titles"] == [(2021, "Ford F-150\u2122")]
