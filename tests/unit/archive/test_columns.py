"""Which values the pages show, and how they are written."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from jdp_scraper.archive.columns import (
    MINUS,
    NOTHING,
    Kind,
    columns_of,
    difference,
    headline_of,
    kept_columns,
    money_columns,
    newest_value,
    written,
)
from jdp_scraper.archive.model import Report, Run, Value, Vehicle

RUN = Run("a", datetime(2026, 11, 1, tzinfo=UTC))


def vehicle(*values: dict[str, Value]) -> Vehicle:
    return Vehicle("k", "s", "1", reports=tuple(Report(RUN, values=one) for one in values))


def test_built_in_columns_stand_in_their_order_and_before_a_users_own() -> None:
    columns = columns_of([vehicle({"auction": "12.00", "clean_retail": "9.00", "rough_trade_in": "1.00"})])
    assert [one.name for one in columns] == ["rough_trade_in", "clean_retail", "auction"]
    assert columns[-1].label == "Auction"


def test_what_no_report_has_or_the_page_tells_elsewhere_is_no_column() -> None:
    told: dict[str, Value] = {"vin": "X", "reference": "1", "file": "a.pdf", "clean_loan": None, "note": "x"}
    assert [one.name for one in columns_of([vehicle(told)])] == ["note"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["12.00", "-3.50"], Kind.MONEY),
        ([3, 4], Kind.NUMBER),
        (["A", "12.00"], Kind.TEXT),
        (["12.0"], Kind.TEXT),
        ([True], Kind.TEXT),
    ],
)
def test_a_users_column_is_money_or_a_number_only_where_every_value_is(values: list[Value], kind: Kind) -> None:
    assert [one.kind for one in columns_of([vehicle(*({"own": value} for value in values))])] == [kind]


def test_retail_is_the_headline_and_a_narrow_index_keeps_it_with_the_clean_trade_in() -> None:
    columns = columns_of([vehicle({"rough_trade_in": "1.00", "clean_trade_in": "1.00", "clean_retail": "1.00"})])
    headline = headline_of(columns)
    assert headline is not None
    assert headline.name == "clean_retail"
    assert kept_columns(columns) == {"clean_retail", "clean_trade_in"}
    assert headline_of(()) is None


def test_an_archive_without_values_has_no_columns_of_money() -> None:
    assert money_columns(columns_of([vehicle({}), Vehicle("l", "l", "2")])) == ()


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("12345.00", Kind.MONEY, "12,345"),
        ("12345.50", Kind.MONEY, "12,345.50"),
        ("-7.00", Kind.MONEY, f"{MINUS}7"),
        (204533, Kind.NUMBER, "204,533"),
        (None, Kind.MONEY, NOTHING),
        ("", Kind.TEXT, NOTHING),
        ("12345.00", Kind.TEXT, "12345.00"),
        ("no number", Kind.MONEY, "no number"),
        ("NaN", Kind.MONEY, "NaN"),
        (True, Kind.TEXT, "yes"),
    ],
)
def test_a_value_is_written_for_people(value: Value, kind: Kind, text: str) -> None:
    assert written(value, kind) == text


def test_a_difference_shows_its_sign() -> None:
    assert [difference(Decimal(one)) for one in (1200, 0, "-0.50")] == ["+1,200", "0", f"{MINUS}0.50"]


def test_the_newest_value_is_that_of_the_last_report_that_has_one() -> None:
    columns = columns_of([vehicle({"clean_loan": "1.00"})])
    assert newest_value(vehicle({"clean_loan": "1.00"}, {"clean_loan": None}, {}), columns[0]) == "1.00"
