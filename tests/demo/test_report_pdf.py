"""The text, size and speed of the reports."""

from __future__ import annotations

import dataclasses
import re

import pypdfium2
import pytest

from jdp_scraper.demo.lot import Lot, Vehicle
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.report_pdf import LABELS, ReportPress, disposition, values_of
from jdp_scraper.pdf.circumstances import given_file_name

VEHICLES = Lot(DemoOptions(vehicles=60)).vehicles
PRESS = ReportPress(1, "jdpower")


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


@pytest.mark.parametrize("vehicle", VEHICLES[:12], ids=lambda vehicle: vehicle.reference)
def test_a_report_names_its_vehicle_and_its_values(vehicle: Vehicle) -> None:
    pages = pages_of(PRESS.print(vehicle))
    assert re.search(rf"(Stock #|Stock Number|Reference) {vehicle.reference}\r?\n", pages[0])
    assert vehicle.vin in pages[0]
    assert f"{vehicle.year} {vehicle.make} {vehicle.model} {vehicle.trim}" in pages[0]
    for label, dollars in values_of(vehicle, 1).items():
        assert f"{label} ${dollars:,}" in pages[0]


def test_reports_are_of_40_to_70_kb_and_one_to_three_pages() -> None:
    reports = [PRESS.print(vehicle) for vehicle in VEHICLES]
    assert 40_000 <= min(map(len, reports)) <= max(map(len, reports)) <= 70_000
    assert {len(pages_of(report)) for report in reports} == {1, 2, 3}


def test_values_rise_with_the_condition() -> None:
    for vehicle in VEHICLES:
        values = values_of(vehicle, 1)
        assert values["Rough Trade-In"] < values["Average Trade-In"] < values["Clean Trade-In"] < values["Clean Retail"]


def test_all_labels_are_used_and_the_plain_site_has_its_own() -> None:
    text = "".join(page for vehicle in VEHICLES[:5] for page in pages_of(PRESS.print(vehicle)))
    assert all(label in text for label in set(LABELS))
    assert f"Stock No. {VEHICLES[0].reference}" in pages_of(ReportPress(1, "plain").print(VEHICLES[0]))[0]


@pytest.mark.parametrize("reference", ["../../etc/passwd", "A(B)\\", "\u0416\u202e12", "caf\u00e9", "x" * 90])
def test_any_reference_can_be_read_back(reference: str) -> None:
    vehicle = dataclasses.replace(VEHICLES[0], reference=reference)
    assert reference in pages_of(PRESS.print(vehicle))[0]


@pytest.mark.parametrize("name", ["165530.pdf", "A/B 12.pdf", 'quo"te.pdf', "caf\u00e9.pdf", "line\r\nSet-Cookie: a=b"])
def test_any_file_name_passes_through_the_header(name: str) -> None:
    header = disposition("inline", name)
    assert header.isascii() and header.isprintable()
    assert given_file_name(header) == name
