from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.errors import ReportUnproven
from jdp_scraper.pdf.circumstances import Circumstances, given_file_name, prove_by
from jdp_scraper.pdf.proof import ProofRule
from jdp_scraper.vehicle import Vehicle

VIN = "1FTEW1E50LFA12345"
VEHICLE = Vehicle("165530", VIN)
BOTH = ProofRule(reference_labels=("Stock #",), without_text=("address", "file_name"))
ORIGIN = "https://portal.test"


def proven(address: str = "", file_name: str = "", vehicle: Vehicle = VEHICLE, rule: ProofRule = BOTH) -> str | None:
    try:
        return prove_by(Circumstances(True, address, file_name), vehicle, rule)
    except ReportUnproven:
        return None


@pytest.mark.parametrize(
    "address",
    [
        "/report/165530",
        "/report/165530.pdf",
        "/report/165530.PDF?x=1",
        "/GetPdf?stock=165530&x=1",
        "/GetPdf?stock=%31%365530",
        f"/GetPdf?vin={VIN.lower()}",
        f"/files/Report_{VIN}_2026.pdf",
    ],
)
def test_an_address_that_holds_the_vehicle_by_itself_counts(address: str) -> None:
    assert proven(address=ORIGIN + address) == "page and address"


@pytest.mark.parametrize(
    "address",
    [
        "/GetPdf?reportId=93ab",
        "/report/165530A",
        "/report/1655301",
        "/report/165530-A",
        "/report/165530_A.pdf",
        "/report/165530%20A",
        "/report/165530+A",
        "/report/A%2F165530",
        f"/GetPdf?vin={VIN}7",
        "/GetPdf#165530",
        "//165530:80/x",
        "http://[165530",
        "",
    ],
)
def test_an_address_in_which_it_is_a_part_of_something_else_does_not(address: str) -> None:
    assert proven(address=address if "[" in address else ORIGIN + address) is None


def test_the_portal_s_name_is_no_part_of_the_address_that_counts() -> None:
    assert proven(address="https://165530/report.pdf") is None


@pytest.mark.parametrize("name", ["165530.pdf", "165530", f"Valuation_{VIN}.pdf", f"valuation {VIN.lower()}.pdf"])
def test_a_file_name_that_is_the_vehicle_s_counts(name: str) -> None:
    assert proven(file_name=name) == "page and file name"


@pytest.mark.parametrize("name", ["report.pdf", "165530A.pdf", "165530 A.pdf", "A-165530.pdf", "165530.1.pdf", ""])
def test_any_other_file_name_does_not(name: str) -> None:
    assert proven(file_name=name) is None


@given(st.text("Aa0-_+~", max_size=4), st.text("Aa0-_+~", max_size=4).filter(bool))
def test_whatever_touches_the_reference_makes_it_another_one(before: str, behind: str) -> None:
    assert proven(file_name=f"{before}165530{behind}") is None
    assert proven(file_name=f"{behind}165530{before}.pdf") is None


@pytest.mark.parametrize("reference", ["7", "2019", "ABCDEF"])
def test_a_reference_that_chance_could_put_there_does_not_count(reference: str) -> None:
    assert proven(address=f"{ORIGIN}/report/{reference}", vehicle=Vehicle(reference, VIN)) is None
    assert proven(address=f"{ORIGIN}/report/{VIN}", vehicle=Vehicle(reference, VIN)) == "page and address"


def test_of_two_references_that_look_the_same_only_the_vin_counts() -> None:
    came = Circumstances(True, f"{ORIGIN}/165530", "")
    with pytest.raises(ReportUnproven):
        prove_by(came, VEHICLE, BOTH, ("165530",))
    assert prove_by(Circumstances(True, f"{ORIGIN}/{VIN}", ""), VEHICLE, BOTH, ("165530",)) == "page and address"


def test_each_way_counts_only_where_the_rule_names_it() -> None:
    by_name = BOTH.model_copy(update={"without_text": ("file_name",)})
    assert proven(address=f"{ORIGIN}/165530", rule=by_name) is None
    assert proven(file_name="165530.pdf", rule=by_name) == "page and file name"
    assert proven(f"{ORIGIN}/165530", "165530.pdf", rule=BOTH.model_copy(update={"without_text": ()})) is None


def test_nothing_counts_where_the_page_did_not_show_reference_and_vin() -> None:
    with pytest.raises(ReportUnproven, match="did not show both"):
        prove_by(Circumstances(False, f"{ORIGIN}/{VIN}", f"{VIN}.pdf"), VEHICLE, BOTH)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('inline; filename="165530.pdf"', "165530.pdf"),
        ("attachment; filename=165530.pdf", "165530.pdf"),
        ("attachment; filename*=UTF-8''caf%C3%A9%20165530.pdf", "caf\u00e9 165530.pdf"),
        ("attachment; filename*=no-such-code''165530.pdf", "165530.pdf"),
        ("inline", ""),
        ("", ""),
        ('attachment; filename="', '"'),
    ],
)
def test_the_name_of_a_file_is_read_from_its_header(header: str, name: str) -> None:
    assert given_file_name(header) == name


@given(st.text())
def test_no_header_breaks_the_reading(header: str) -> None:
    assert isinstance(given_file_name(header), str)
