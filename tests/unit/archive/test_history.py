"""What reports say when they are held against each other and against the runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from jdp_scraper.archive.columns import BUILT_IN
from jdp_scraper.archive.history import Standing, changes, latest_change, news, standing
from jdp_scraper.archive.model import Report, Run, Vehicle

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
RUNS = tuple(Run(f"run-{week}", FIRST + timedelta(weeks=week), "jdpower") for week in range(3))
RETAIL = next(one for one in BUILT_IN if one.name == "clean_retail")


def report(week: int, retail: str | None = "100.00", sha256: str | None = None, **more: object) -> Report:
    values = {} if retail is None else {"clean_retail": retail, "report_date": f"2026-11-0{week + 1}"}
    return replace(Report(RUNS[week], values=values, sha256=sha256 or f"file {week}"), **more)  # type: ignore[arg-type]


def vehicle(*reports: Report) -> Vehicle:
    return Vehicle("k", "s", "1", reports=reports)


def test_a_report_of_another_day_with_the_same_values_is_no_news() -> None:
    told = [(place, new) for place, _, new in news(vehicle(report(0), report(1), report(2, "110.00")))]
    assert told == [(0, True), (2, False)]


def test_without_values_the_files_are_compared() -> None:
    same = vehicle(report(0, None, "a"), report(1, None, "a"), report(2, None, "b"))
    assert [place for place, _, _ in news(same)] == [0, 2]


def test_a_report_that_failed_is_no_news_and_hides_none() -> None:
    lost = Report(RUNS[1], "failed", "no answer")
    assert [place for place, _, _ in news(vehicle(report(0), lost, report(2)))] == [0]
    assert [place for place, _, _ in news(vehicle(report(0), lost, report(2, "90.00")))] == [0, 2]


def test_a_change_skips_the_reports_that_do_not_have_the_value() -> None:
    told = vehicle(report(0, "100.00"), report(1, None), report(2, "90.00"))
    (change,) = changes(told.reports, 2, [RETAIL])
    assert (change.before, change.after, change.difference) == (Decimal("100.00"), Decimal("90.00"), Decimal("-10.00"))
    assert latest_change(told, RETAIL) == change


def test_a_first_value_has_no_difference() -> None:
    assert latest_change(vehicle(report(0)), RETAIL).difference is None
    assert latest_change(vehicle(), RETAIL).after is None


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ((report(0), report(1), report(2)), Standing.CURRENT),
        ((report(0), report(1), report(2, "90.00")), Standing.CHANGED),
        ((report(2),), Standing.NEW),
        ((report(0), report(1)), Standing.GONE),
        ((report(1), report(2, None, status="failed", sha256=None)), Standing.FAILED),
        ((report(1), report(2, None, status="todo")), Standing.OPEN),
        ((), Standing.OPEN),
    ],
)
def test_where_a_vehicle_stands(reports: tuple[Report, ...], expected: Standing) -> None:
    assert standing(vehicle(*reports), RUNS) is expected


def test_in_the_first_run_nothing_is_new() -> None:
    assert standing(vehicle(report(0)), RUNS[:1]) is Standing.CURRENT


def test_a_run_of_some_vehicles_makes_no_other_one_gone() -> None:
    some = replace(RUNS[2], whole=False)
    assert standing(vehicle(report(0), report(1)), (*RUNS[:2], some)) is Standing.CURRENT


def test_a_run_of_another_portal_makes_no_vehicle_gone() -> None:
    other = replace(RUNS[2], portal="plain")
    assert standing(vehicle(report(0), report(1)), (*RUNS[:2], other)) is Standing.CURRENT
