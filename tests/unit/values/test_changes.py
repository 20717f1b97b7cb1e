"""What is told as changed between two runs: each vehicle is held against itself, and a value against the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.values.changes import Before, Change, changes, values_of, written_values
from jdp_scraper.values.files import changes_csv
from jdp_scraper.values.table import Row, Table
from jdp_scraper.values.workbook import Book
from jdp_scraper.vehicle import Vehicle, assign_keys

FORD, DODGE = "1FTFW1ET5DFC10312", "1D7RV1GTXAS100013"
COLUMNS: dict[str, Any] = {"reference": "reference", "clean_retail": "money", "color": "text", "doors": "number"}


def row(vehicle: Vehicle, values: dict[str, Any]) -> Row:
    return Row({"reference": vehicle.reference, "color": None, "doors": None, "error": None} | values, (), vehicle)


def told(before: Mapping[Vehicle, str | None], now: Mapping[Vehicle, str | None]) -> list[tuple[Any, ...]]:
    """Return what changed between two runs; each is its vehicles with their retail values."""
    rows = [[row(vehicle, {"clean_retail": value}) for vehicle, value in run.items()] for run in (before, now)]
    found = changes("now", COLUMNS, assign_keys(now), rows[1], Before(assign_keys(before), values_of(rows[0])))
    return [(one.reference, one.change, one.field, one.before, one.after, one.difference) for one in found]


def test_a_vin_that_stands_twice_in_a_run_is_two_vehicles_in_whichever_order() -> None:
    one, other = Vehicle("1", FORD), Vehicle("2", FORD)
    assert told({one: "10000.00", other: "20000.00"}, {other: "20000.00", one: "10000.00"}) == []
    assert told({one: "10000.00", other: "20000.00"}, {other: "20000.00"}) == [("1", "gone", "", None, None, None)]


def test_a_vehicle_under_another_reference_is_the_same_one_and_its_new_reference_is_told() -> None:
    assert told({Vehicle("1", FORD): "10000.00"}, {Vehicle("7", FORD): "9000.00"}) == [
        ("7", "changed", "reference", "1", "7", None),
        ("7", "changed", "clean_retail", "10000.00", "9000.00", "-1000.00"),
    ]


def test_a_vehicle_whose_vin_only_one_run_tells_is_known_by_its_reference() -> None:
    assert told({Vehicle("1"): "10000.00"}, {Vehicle("1", FORD): "10000.00"}) == []


def test_another_vehicle_under_the_same_reference_is_another_one() -> None:
    assert [one[:2] for one in told({Vehicle("1", FORD): "1.00"}, {Vehicle("1", DODGE): "2.00"})] == [
        ("1", "new"),
        ("1", "gone"),
    ]


@pytest.mark.parametrize("vin", ["N/A", "UNKNOWN", "-", "0", "0" * 17, "X1"])
def test_what_is_no_vin_makes_no_vehicle_of_two(vin: str) -> None:
    one, other = Vehicle("1001", vin), Vehicle("2002", vin)
    assert [line[:2] for line in told({one: "1.00"}, {other: "2.00"})] == [("2002", "new"), ("1001", "gone")]
    assert told({one: "1.00"}, {one: "2.00"}) == [("1001", "changed", "clean_retail", "1.00", "2.00", "1.00")]


def test_a_vehicle_whose_vin_was_a_makeshift_before_is_known_by_its_reference() -> None:
    assert told({Vehicle("1", "N/A"): "1.00"}, {Vehicle("1", FORD): "1.00"}) == []
    assert len(told({Vehicle("1", "X1"): "1.00"}, {Vehicle("1", "X2"): "1.00"})) == 2


def test_a_value_that_was_not_found_before_is_a_change_without_a_difference() -> None:
    vehicle = Vehicle("1", FORD)
    assert told({vehicle: None}, {vehicle: "9000.00"}) == [("1", "changed", "clean_retail", None, "9000.00", None)]
    assert told({vehicle: "9000.00"}, {vehicle: None}) == [("1", "changed", "clean_retail", "9000.00", None, None)]


def test_what_was_written_by_other_rules_is_no_news_and_breaks_nothing(tmp_path: Path) -> None:
    vehicle = Vehicle("1", FORD)
    lines = [
        {"file": "a.pdf", "error": None, "clean_retail": "12.5.7", "doors": "four"},
        {"file": "b.pdf", "error": None, "clean_retail": "10000.00", "doors": True, "color": 3},
    ]
    path = tmp_path / "values.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "ascii")
    other = Vehicle("2", DODGE)
    earlier = written_values(path, {"a.pdf": vehicle, "b.pdf": other}, COLUMNS)
    now = [row(one, {"clean_retail": "9000.00", "doors": 4, "color": "red"}) for one in (vehicle, other)]
    keyed = assign_keys([vehicle, other])
    found = list(changes("now", COLUMNS, keyed, now, Before(keyed, earlier)))
    assert [(one.reference, one.field, one.difference) for one in found] == [("2", "clean_retail", "-1000.00")]
    assert changes_csv(found).count(b"\n") == 2
    assert Book(Table()).content(found)


def test_a_reference_that_is_a_formula_is_defused() -> None:
    assert b"\nnow,'=1+1,," in changes_csv([Change("now", "=1+1", "", "new")])
