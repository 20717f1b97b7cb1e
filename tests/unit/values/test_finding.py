"""Single pages on which it is easy to be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from jdp_scraper.pdf.value_rules import ValueRules
from jdp_scraper.values.extract import extract_file
from jdp_scraper.values.finding import Finder
from jdp_scraper.values.rule import Rule
from tests.unit.pdf.reports import blank, drawn

VIN = "1FTEW1E54LFA12345"
RULES = json.dumps(ValueRules().to_json())
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(*texts: tuple[int, int, str], rules: str = RULES) -> dict[str, Any]:
        def draw(canvas: Canvas) -> None:
            for x, y, text in texts:
                canvas.drawString(x, y, text)

        (tmp_path / "one.pdf").write_bytes(drawn(draw))
        return extract_file(str(tmp_path / "one.pdf"), rules)

    return read


def column(*texts: str, x: int = 60) -> list[tuple[int, int, str]]:
    return [(x, 700 - 20 * number, text) for number, text in enumerate(texts)]


def test_labels_and_values_in_one_text(read: Read) -> None:
    told = read(*column("Stock # 165530A", f"VIN: {VIN}", "Make: Ford", "Clean Retail $ 21,450"))
    assert told["values"] == {"reference": "165530A", "vin": VIN, "make": "Ford", "clean_retail": "21450.00"}


@pytest.mark.parametrize(
    "text",
    [
        "Make sure of it",
        "The mileage 12,000 is assumed",
        "Year of the ox",
        "Model and trim may differ",
        "Mileage: about 12,000",
        "VIN: 1FTEW1E51LFA12345",  # its check digit is wrong
        "Year: 3021",
        "Clean Retail 21,45",
        "Report Date: 13/13/2026",
        "Model: N/A",
    ],
)
def test_what_only_looks_like_a_value_is_none(read: Read, text: str) -> None:
    assert read(*column("A report", text))["values"] == {}


def test_a_label_is_found_in_whatever_order_the_page_draws_its_words(read: Read) -> None:
    told = read((92, 700, "nUmBeR"), (200, 700, "A1"), (60, 640, "A report"), (60, 700, "STOCK"))
    assert told["values"] == {"reference": "A1"}


def test_a_page_is_passed_over_unless_it_holds_all_words_of_a_label_or_of_a_tables_sides() -> None:
    told = json.loads(RULES)
    finder = Finder({name: Rule.from_json(rule) for name, rule in told["fields"].items()}, told["dates"])
    assert not finder.may_find("A vehicle in clean condition, a reliable number")
    assert finder.may_find("Number of the Vehicle, its identification")
    assert not finder.may_find("Clean, Average and Rough are conditions")
    assert finder.may_find("Retail\r\nsome words between\r\nCLEAN")


def test_a_field_that_a_page_shows_twice_in_two_ways_is_not_known(read: Read) -> None:
    told = read(*column("Mileage: 12,000", "Mileage: 13,000", "Year: 2020", "Year: 2020"))
    assert told["values"] == {"year": 2020}


def test_an_empty_field_takes_nothing_from_its_neighbors(read: Read) -> None:
    labels = column("Make", "Model", "Trim", "Mileage", "Color")
    told = read(*labels, (200, 700, "Ford"), (200, 660, "XLT"), (200, 640, "12,000"), (200, 620, "red"))
    assert told["values"] == {"make": "Ford", "trim": "XLT", "mileage": 12000}


def test_a_text_that_may_be_beside_or_below_is_not_known(read: Read) -> None:
    assert read((60, 700, "Model"), (200, 700, "Color"), (60, 685, "F-150"), (200, 685, "red"))["values"] == {}


def test_the_head_of_a_table_is_read_downwards(read: Read) -> None:
    heads = [(60 + 100 * place, 700, text) for place, text in enumerate(("Year", "Make", "Model", "Color"))]
    values = [(60 + 100 * place, 685, text) for place, text in enumerate(("2020", "Ford", "F-150", "red"))]
    assert read(*heads, *values)["values"] == {"year": 2020, "make": "Ford", "model": "F-150"}


def test_a_currency_sign_in_a_column_of_its_own_belongs_to_the_amount(read: Read) -> None:
    told = read((60, 700, "Clean Retail"), (200, 700, "$"), (260, 700, "21,450"))
    assert told["values"] == {"clean_retail": "21450.00"}


def test_the_title_is_told_apart_from_other_lines_that_begin_with_a_year(read: Read) -> None:
    assert read(*column("2020 Ford F-150 XLT", "Something"))["titles"] == [(2020, "Ford F-150 XLT")]


def own(fields: Mapping[str, Any], **more: Any) -> str:
    return json.dumps(ValueRules.model_validate({"fields": fields} | more).to_json())


def test_a_user_adds_fields_of_any_kind(read: Read) -> None:
    rules = own(
        {
            "color": {"labels": ["Color"]},
            "doors": {"labels": ["Doors"], "type": "number"},
            "auction": {"type": "money", "cross": [["Auction"], ["Average"]]},
            "region": {"pattern": r"Region (\w+) applies"},
            "clean_retail": {"type": "money", "labels": ["Retail, Clean"]},
        },
        dates=["%d.%m.%Y"],
    )
    told = read(
        *column("Color: red", "Doors: 4", "The Region West applies here", "Retail, Clean: $5", "Report Date: 2.1.2026"),
        *((200, 500, "Average"), (300, 500, "High"), (60, 480, "Auction"), (200, 480, "$1,200"), (300, 480, "$9")),
        rules=rules,
    )
    assert told["values"] == {
        "color": "red",
        "doors": 4,
        "auction": "1200.00",
        "region": "West",
        "clean_retail": "5.00",
        "report_date": "2026-01-02",
    }


def test_where_a_rule_says_on_which_side_nothing_else_counts(read: Read) -> None:
    page = ((60, 700, "Model"), (200, 700, "Color"), (60, 685, "F-150"), (200, 685, "red"))
    for side, value in (("below", "F-150"), ("beside", "Color")):
        rules = own({"model": {"labels": ["Model"], "at": side}})
        assert read(*page, rules=rules)["values"] == {"model": value}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"File": {"labels": ["File"]}}, "lower-case"),
        ({"error": {"labels": ["Error"]}}, "another column"),
        ({"vin": {"labels": ["VIN"]}}, "must be of the type 'vin'"),
        ({"color": {}}, "needs labels, cross or pattern"),
        ({"color": {"labels": ["#"]}}, "letter or digit"),
        ({"color": {"pattern": "no group"}}, "one group"),
        ({"color": {"pattern": "("}}, "no regular expression"),
        ({"color": {"cross": [["A"]]}}, "two lists"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ValueRules.model_validate({"fields": fields})


def test_a_file_without_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(blank())
    assert "no text" in extract_file(str(tmp_path / "scan.pdf"), RULES)["fault"]


def test_a_file_that_is_gone_says_so_and_has_no_hash(tmp_path: Path) -> None:
    assert extract_file(str(tmp_path / "no.pdf"), RULES) == {"fault": "cannot be read: No such file or directory"}
