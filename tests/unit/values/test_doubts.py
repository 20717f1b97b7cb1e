"""Pages as many portals print them, on which a value may be another's: it is right there, or it is none."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from jdp_scraper.errors import ValuesError
from jdp_scraper.pdf.value_rules import ValueRules
from jdp_scraper.values.extract import extract_file
from jdp_scraper.values.table import columns_of
from jdp_scraper.values.title import from_titles
from jdp_scraper.vehicle import Vehicle
from tests.unit.pdf.reports import drawn

VIN, OTHER_VIN = "1FTEW1E54LFA12345", "1M8GDM9AXKP042788"
RULES = json.dumps(ValueRules().to_json())
Row = str | Sequence[tuple[int, str]]
Values = Callable[..., dict[str, Any]]


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Read pages of rows, each a text at the left or texts at their places."""

    def told(*pages: Sequence[Row], step: int = 20, rules: str = RULES) -> dict[str, Any]:
        def draw(canvas: Canvas) -> None:
            for number, rows in enumerate(pages):
                if number:
                    canvas.showPage()
                canvas.setFont("Helvetica", 10)
                for place, row in enumerate(rows):
                    for x, text in [(60, row)] if isinstance(row, str) else row:
                        canvas.drawString(x, 750 - step * place, text)

        (tmp_path / "one.pdf").write_bytes(drawn(draw))
        return extract_file(str(tmp_path / "one.pdf"), rules)

    return told


@pytest.fixture
def values(told: Callable[..., dict[str, Any]]) -> Values:
    return lambda *rows, step=20: told(rows, step=step)["values"]


# -- several columns ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        [
            [(250, "Base"), (330, "Mileage Adj."), (430, "Adjusted")],
            [(60, "Clean Retail"), (250, "$20,000"), (330, "-$500"), (430, "$19,500")],
        ],
        [[(250, "Last Month"), (350, "This Month")], [(60, "Clean Retail:"), (250, "$19,800"), (350, "$20,000")]],
        [[(200, "Low"), (300, "High")], [(60, "Clean Retail"), (200, "$12,000"), (300, "$14,000")]],
        [[(250, "Current"), (350, "Last month")], [(60, "Clean Retail"), (350, "$19,800")]],  # the current one is empty
        [[(60, "VIN"), (150, VIN), (300, OTHER_VIN)], [(60, "Make"), (150, "Ford"), (300, "Honda")]],
        [
            [(60, "Make"), (150, "Ford"), (250, "Honda")],
            [(60, "Mileage"), (150, "45,000"), (250, "12,000")],
        ],
    ],
)
def test_a_value_in_one_of_several_columns_is_not_known(values: Values, rows: list[Row]) -> None:
    assert values(*rows) == {}


def test_equal_values_in_several_columns_are_one(values: Values) -> None:
    assert values([(60, "Year"), (150, "2020"), (250, "2020")]) == {"year": 2020}


def test_a_column_of_a_known_label_is_no_column_of_values(values: Values) -> None:
    rows = [(60, "Clean Loan"), (150, "$9,000"), (320, "Clean Retail"), (420, "$12,000")]
    assert values(rows) == {"clean_loan": "9000.00", "clean_retail": "12000.00"}


# -- several rows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        [
            [(160, "Clean Trade-In"), (260, "Clean Loan"), (350, "Clean Retail")],
            [(60, "Base Value"), (160, "$18,000"), (260, "$17,000"), (350, "$20,000")],
            [(60, "Mileage Adj."), (160, "-$500"), (260, "-$500"), (350, "-$500")],
            [(60, "Adjusted"), (160, "$17,500"), (260, "$16,500"), (350, "$19,500")],
        ],
        [
            [(60, "Month"), (160, "Clean Trade-In"), (260, "Clean Retail")],
            [(60, "Sep 2026"), (160, "$10,000"), (260, "$12,000")],
            [(60, "Oct 2026"), (160, "$9,500"), (260, "$11,500")],
        ],
        [
            [(60, "Year"), (120, "Make"), (200, "Model"), (280, "Mileage")],
            [(60, "2019"), (120, "Honda"), (200, "Accord"), (280, "12,345")],
            [(60, "2018"), (120, "Honda"), (200, "Civic"), (280, "22,345")],
        ],
        [
            [(60, "Stock #"), (120, "Make"), (200, "Model"), (280, "Mileage")],
            [(60, "1001"), (120, "Ford"), (200, "F-150")],
            [(60, "1002"), (120, "Honda"), (200, "Civic"), (280, "15,000")],
        ],
        [
            [(160, "Rough"), (260, "Average"), (360, "Clean")],
            [(60, "Trade-In"), (160, "$10,000"), (260, "$12,000"), (360, "$15,000")],
            [(60, "Mileage adj."), (160, "-$100"), (260, "-$120"), (360, "-$150")],
        ],
        [[(60, "Clean Retail")], [(60, "25,000")], [(60, "20,000")], [(60, "15,000")]],
    ],
)
def test_a_column_that_goes_on_with_another_value_tells_none(values: Values, rows: list[Row]) -> None:
    assert values(*rows) == {}


def test_two_tables_of_which_one_says_that_there_is_no_value_tell_none(values: Values) -> None:
    def table(value: str) -> list[Row]:
        return [[(160, "Trade-In"), (260, "Retail")], [(60, "Clean"), (160, value), (260, "$12,000")]]

    assert values(*table("$10,000"), "", "", *table("N/A")) == {"clean_retail": "12000.00"}


# -- captions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [14, 20, 26, 32])
def test_a_caption_below_its_value_takes_nothing_from_the_next_row(
    told: Callable[..., dict[str, Any]], gap: int, tmp_path: Path
) -> None:
    cards = [
        [("$20,000", "Clean Retail"), ("$18,000", "Clean Loan")],
        [("$17,000", "Clean Trade-In"), ("$15,000", "Average Trade-In")],
        [("$12,000", "Rough Trade-In"), ("45,000", "Mileage")],
    ]

    def draw(canvas: Canvas) -> None:
        for row, pairs in enumerate(cards):
            for place, (value, label) in enumerate(pairs):
                canvas.drawString(60 + 150 * place, 750 - (13 + gap) * row, value)
                canvas.drawString(60 + 150 * place, 738 - (13 + gap) * row, label)

    (tmp_path / "cards.pdf").write_bytes(drawn(draw))
    assert extract_file(str(tmp_path / "cards.pdf"), RULES)["values"] == {}


# -- several vehicles and pages ----------------------------------------------------------------------------------------


def test_a_page_of_another_vehicle_ends_reading(told: Callable[..., dict[str, Any]]) -> None:
    pages = [
        ["Stock #: 1001", "Clean Retail: $20,000"],
        ["Clean Loan: $9,000"],
        ["Stock #: 1002", "Mileage: 45,000"],
        ["Clean Trade-In: $9,000"],
    ]
    assert told(*pages)["values"] == {"reference": "1001", "clean_retail": "20000.00", "clean_loan": "9000.00"}


@pytest.mark.parametrize("label", ["Stock #: ", "VIN: "])
def test_a_page_of_two_vehicles_tells_nothing(told: Callable[..., dict[str, Any]], label: str) -> None:
    one, other = (VIN, OTHER_VIN) if label == "VIN: " else ("1001", "1002")
    page = [[(60, label + one), (320, label + other)], [(60, "Mileage: N/A"), (320, "Mileage: 45,000")]]
    assert told(page, [f"{label}{one}", "Year: 2020"])["values"] == {
        "vin" if label == "VIN: " else "reference": one,
        "year": 2020,
    }


def test_pages_that_differ_in_a_value_tell_none(told: Callable[..., dict[str, Any]]) -> None:
    pages = [["Clean Loan: $8,888", "Year: 2020"], ["Stock #: 1001", "Clean Loan: $20,000", "Year: 2020"]]
    assert told(*pages)["values"] == {"reference": "1001", "year": 2020}


@pytest.mark.parametrize("empty", ["N/A", "", "-", "Not available"])
def test_a_field_that_a_page_leaves_empty_is_not_filled_by_a_later_one(
    told: Callable[..., dict[str, Any]], empty: str
) -> None:
    pages = [["Stock #: 1001", f"Clean Retail: {empty}"], ["Example", "Clean Retail: $9,000"]]
    assert told(*pages)["values"] == {"reference": "1001"}


# -- words before and behind -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Extra Clean Trade-In: $14,000",
        "Average Annual Mileage: 12,000",
        "Previous Clean Retail: $19,000",
        "Engine Make: Cummins",
        f"Previous vehicle VIN: {OTHER_VIN}",
        "Make: Ford Body: Pickup",
        "Make: Ford Engine Model: ISX15",
        "Stock #: 165530 Lot: 12",
        "Clean Retail ........................ 3",
        "Mileage . . . . . . . 6,000",
        "Clean Retail 12",
        "Clean Retail 2026",
        "Clean Loan: - $500",
        "Make: the brand of the vehicle.",
        "Model: see above",
        "Model: Sierra, as ordered.",
        "Reference # is required for all claims",
        "Reference: J.D. Power Used Car Guide",
        "Model # W1E",
    ],
)
def test_words_around_a_label_or_value_are_read_too(values: Values, text: str) -> None:
    assert values("A report", text) == {}


def test_labels_in_one_text_tell_what_stands_between_them(values: Values) -> None:
    assert values(f"Stock #: 165530 VIN: {VIN} Year: 2020 | Make: Ford, Mileage: 45,000") == {
        "reference": "165530",
        "vin": VIN,
        "year": 2020,
        "make": "Ford",
        "mileage": 45000,
    }


def test_a_value_that_touches_the_next_label_is_still_the_labels_before_it(values: Values) -> None:
    row = [(60, "VIN:"), (120, VIN), (232, "Clean Loan:"), (320, "$9,000")]
    assert values(row) == {"vin": VIN, "clean_loan": "9000.00"}


@pytest.mark.parametrize(
    "rows",
    [
        ["Clean Retail: $500", "is deducted where the vehicle has no second key."],
        [[(60, "Make:"), (110, "Land")], [(110, "Rover")]],
        ["Model: Grand", "Cherokee"],
        [[(60, "Clean Trade-In"), (400, "5")]],
        ["Trim", "Leather seats, power windows"],
        ["Make", "Acme Printing Co., Dallas"],
    ],
)
def test_a_value_that_goes_on_or_is_a_heading_is_none(values: Values, rows: list[Row]) -> None:
    assert values(*rows, step=12 if len(rows) > 1 and rows[0] != "Clean Retail: $500" else 20) == {}


def test_a_row_of_its_own_below_a_text_is_not_its_end(values: Values) -> None:
    rows = [[(60, "Make"), (150, "Ford")], [(60, "Body"), (150, "Pickup")], [(60, "Year"), (150, "2020")]]
    assert values(*rows, step=12) == {"make": "Ford", "year": 2020}


# -- columns, units and rows -------------------------------------------------------------------------------------------


def test_an_empty_field_takes_nothing_from_the_next_column(values: Values) -> None:
    rows = [
        [(60, "Trim"), (300, "Fuel"), (400, "Gas")],
        [(60, "Make"), (150, "Ford"), (300, "Body"), (400, "Pickup")],
        [(60, "Model"), (300, "Color")],
        [(60, "Mileage"), (150, "45,000"), (300, "Doors"), (400, "4")],
        [(60, "Clean Loan"), (300, "2,200"), (400, "MPG")],
    ]
    assert values(*rows) == {"make": "Ford", "mileage": 45000}


def test_a_text_alone_in_a_line_with_more_behind_it_is_not_known(values: Values) -> None:
    assert values([(60, "Trim"), (300, "Fuel"), (400, "Gas")]) == {}


@pytest.mark.parametrize(
    "row",
    [
        [(60, "Mileage"), (200, "45"), (225, "thousand")],
        [(60, "Clean Retail"), (200, "12,345"), (240, "K")],
        [(60, "Mileage"), (200, "45,000"), (240, "km")],
        [(60, "Clean Retail:"), (200, "12,345"), (240, "CAD")],
        [(60, "Clean Retail"), (200, "$12,345"), (250, "to"), (275, "$13,000")],
    ],
)
def test_a_foreign_unit_in_the_next_cell_makes_it_no_value(values: Values, row: Row) -> None:
    assert values(row) == {}


def test_a_unit_in_the_next_cell_belongs_to_the_number(values: Values) -> None:
    assert values([(60, "Mileage"), (200, "45,000"), (245, "mi")]) == {"mileage": 45000}


def test_a_row_of_miles_among_amounts_is_an_adjustment(values: Values) -> None:
    rows = [("Base Value", "$18,000"), ("Mileage", "500"), ("Options", "1,250"), ("Clean Retail", "$19,750")]
    assert values(*([(60, label), (200, value)] for label, value in rows)) == {"clean_retail": "19750.00"}


# -- titles ------------------------------------------------------------------------------------------------------------

TRUCK = Vehicle("165530", VIN, 2021, "Ford", "F-150")


@pytest.mark.parametrize(
    "rest",
    [
        "Valuation Report",
        "XLT Stock # 165530",
        f"XLT VIN {VIN}",
        f"XLT {VIN}",
        "XLT - 45,000 miles",
        "(continued)",
        "continued",
        "1500 SLT",
        "recall notice",
    ],
)
def test_what_follows_the_model_is_no_trim_where_it_says_more(rest: str) -> None:
    assert from_titles([(2021, f"Ford F-150 {rest}")], TRUCK) == {"year": 2021, "make": "Ford", "model": "F-150"}


@pytest.mark.parametrize("trim", ["XLT", "1.4T S & SEL", "330i xDrive", "XLT SuperCrew 4WD", "C 300 4MATIC"])
def test_what_follows_the_model_is_the_trim(trim: str) -> None:
    assert from_titles([(2021, f"Ford F-150 {trim}")], TRUCK)["trim"] == trim


def test_a_title_of_another_year_than_the_inventorys_tells_nothing() -> None:
    assert from_titles([(2026, "Ford F-150 XLT")], TRUCK) == {}
    assert from_titles([(2026, "Ford dealers may not use it")], None) == {}


@pytest.mark.parametrize(
    "rows",
    [
        ["All rights reserved. Data as of January 31,", "2026 Ford dealers"],
        ["2026 Ford dealers may use it."],
        ["2026 Ford dealers", "may not use it."],
        [[(60, "2026 Ford"), (300, "Page 1")]],
    ],
)
def test_a_part_of_a_sentence_is_no_title(told: Callable[..., dict[str, Any]], rows: list[Row]) -> None:
    assert told(["Stock #: 1", *rows])["titles"] == []


def test_a_title_without_a_year_in_digits_is_passed_over(told: Callable[..., dict[str, Any]]) -> None:
    rules = json.dumps(ValueRules(title=r"^(?P<year>\S+) (?P<rest>.+)$").to_json())
    assert told(["Valuation Report", "2020 Ford F-150"], rules=rules)["titles"] == [(2020, "Ford F-150")]


# -- profiles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", ["%m/%d", "%Q", "%B %Y", "2026", ""])
def test_a_format_that_does_not_tell_a_whole_date_is_refused(one: str) -> None:
    with pytest.raises(ValueError, match="dates"):
        ValueRules(dates=(one,))


@pytest.mark.parametrize("one", ["%d.%m.%Y", "%m/%d/%y", "%B %d, %Y", "%Y-%m-%d %H:%M"])
def test_a_format_of_a_whole_date_is_taken(one: str) -> None:
    assert ValueRules(dates=(one,)).dates == (one,)


def test_two_profiles_that_mean_different_things_by_a_name_have_no_table_in_common() -> None:
    with pytest.raises(ValuesError, match="the field grade is 'money' in one profile and 'text' in another"):
        columns_of([{"grade": "money"}, {"grade": "text"}])
    assert columns_of([{"grade": "money"}, {"grade": "money", "vin": "vin"}])["grade"] == "money"
