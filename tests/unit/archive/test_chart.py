"""The line of a vehicle's values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.archive.chart import HEIGHT, WIDTH, chart_of
from jdp_scraper.archive.columns import BUILT_IN, Column
from jdp_scraper.archive.model import Report, Run

MONEY = BUILT_IN[:5]
FIRST = datetime(2026, 11, 1, tzinfo=UTC)


def reports(*values: dict[str, str | None], days: int = 7) -> list[Report]:
    return [
        Report(Run(str(place), FIRST + timedelta(days=days * place)), values=one) for place, one in enumerate(values)
    ]


def test_one_value_makes_no_line() -> None:
    assert chart_of(reports({"clean_retail": "100.00"}, {"clean_retail": None}), MONEY) is None
    assert chart_of([], MONEY) is None


def test_a_higher_value_stands_higher_and_a_later_one_further_right() -> None:
    chart = chart_of(reports({"clean_retail": "20000.00"}, {"clean_retail": "21000.00"}), MONEY)
    assert chart is not None
    (line,) = chart.lines
    first, last = line.points
    assert first.x < last.x
    assert first.y > last.y
    assert last.title == "Clean retail, 2026-11-08: $21,000"


def test_runs_stand_apart_by_their_days() -> None:
    some = reports({"clean_retail": "1.00"}, {"clean_retail": "2.00"})
    late = Report(Run("late", FIRST + timedelta(days=28)), values={"clean_retail": "3.00"})
    chart = chart_of([*some, late], MONEY)
    assert chart is not None
    first, second, last = (point.x for point in chart.lines[0].points)
    assert abs((last - second) / (second - first) - 3) < 0.01


amounts = st.decimals(min_value=-200_000, max_value=10_000_000, places=2).map(lambda one: f"{one:.2f}")
tables = st.lists(st.dictionaries(st.sampled_from([one.name for one in MONEY]), amounts), max_size=8)


@given(tables, st.integers(0, 400))
def test_whatever_the_values_everything_lies_within_the_drawing_and_no_names_cover_each_other(
    values: list[dict[str, str | None]], days: int
) -> None:
    columns: tuple[Column, ...] = MONEY
    chart = chart_of(reports(*values, days=days), columns)
    if chart is None:
        assert all(sum(one.get(column.name) is not None for one in values) < 2 for column in columns)
        return
    for line in chart.lines:
        for point in line.points:
            assert chart.left <= point.x <= chart.right
            assert 0 <= point.y <= chart.bottom
    for upper, lower in pairwise(sorted(line.label_y for line in chart.lines)):
        assert lower - upper >= 12
    assert all(0 <= line.label_y <= HEIGHT for line in chart.lines)
    assert all(0 <= mark.at <= WIDTH for mark in chart.dates)
    assert 2 <= len(chart.rows) <= 12
