"""Which reports are of one vehicle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.catalog.entries import ReportEntry, RunEntry, VehicleEntry
from jdp_scraper.catalog.identity import vehicles_of

VIN = "1FTFW1ET5DFC10312"
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
Lines = list[tuple[str, str | None]]


def run_of(number: int, portal: str = "jdpower") -> RunEntry:
    started = FIRST + timedelta(days=7 * number)
    return RunEntry(Path(f"/runs/{number}"), f"{started:%Y-%m-%d}", portal, "me", started, whole=True)


def vehicles(*runs: Lines) -> list[VehicleEntry]:
    return vehicles_of(
        (run_of(number), [ReportEntry(place, reference, vin) for place, (reference, vin) in enumerate(lines)])
        for number, lines in enumerate(runs)
    )


def seen(vehicle: VehicleEntry) -> list[str]:
    return [f"{path.name}:{report.reference}" for path, report in vehicle.reports]


def test_a_vehicle_is_known_by_its_vin_under_another_reference_too() -> None:
    (one,) = vehicles([("1", VIN.lower())], [("2", f"{VIN} ")])
    assert seen(one) == ["0:1", "1:2"]
    assert (one.reference, one.vin) == ("2", VIN)


@pytest.mark.parametrize("vin", ["N/A", "UNKNOWN", "-", "0", "0" * 17, "1" * 17, "VIN1", "12345"])
def test_what_is_no_vin_makes_no_vehicle_of_two(vin: str) -> None:
    two = vehicles([("1", vin)], [("2", vin)])
    assert sorted(map(seen, two)) == [["0:1"], ["1:2"]]
    (one,) = vehicles([("1", vin)], [("1", vin)])
    assert seen(one) == ["0:1", "1:1"]


@pytest.mark.parametrize("vin", ["N/A", "0", None])
def test_where_a_vin_is_not_told_it_is_that_of_the_reference(vin: str | None) -> None:
    (one,) = vehicles([("1", vin)], [("1", VIN)])
    assert (seen(one), one.vin) == (["0:1", "1:1"], VIN)


def test_a_reference_that_was_given_to_another_vehicle_is_another_page() -> None:
    new, old = vehicles([("1", "VINONE1")], [("1", "VINTWO2")])
    assert (seen(old), seen(new)) == (["0:1"], ["1:1"])
    assert (old.slug, new.slug) == ("1", "1~VINTWO2")


def test_without_a_vin_the_reference_decides_where_it_is_one_vehicle_s_alone() -> None:
    (one,) = vehicles([("1", None)], [("1", "VIN1")])
    assert seen(one) == ["0:1", "1:1"]
    assert len(vehicles([("1", "VIN1")], [("1", "VIN2")], [("1", None)])) == 3


def test_a_reference_of_another_portal_is_another_vehicle_s_unless_a_vin_says_so() -> None:
    def told(vin: str | None) -> int:
        runs = [(run_of(number, portal), [ReportEntry(0, "1", vin)]) for number, portal in enumerate(("a", "b"))]
        return len(vehicles_of(runs))

    assert told(None) == 2
    assert told(VIN) == 1
    assert told("VIN1") == 2


def test_what_a_run_has_twice_are_two_vehicles_in_every_run() -> None:
    found = vehicles([("1", "VIN"), ("2", "VIN")], [("1", "VIN")])
    assert sorted(map(seen, found)) == [["0:1", "1:1"], ["0:2"]]
    assert len(vehicles([("1", "VIN"), ("1", "VIN")])) == 2


def test_those_of_the_newest_run_come_first_in_its_order_and_then_those_that_are_gone() -> None:
    found = vehicles([("1", "A"), ("2", "B"), ("3", "C")], [("3", "C"), ("1", "A")])
    assert [one.reference for one in found] == ["3", "1", "2"]


def test_what_is_told_of_a_vehicle_is_the_newest_that_is_known() -> None:
    old = ReportEntry(0, "1", "VIN1", 2020, "Ford", "F-150", "XL", 1000)
    new = ReportEntry(0, "1", "VIN1", None, "Ford", "F-150", None, 2000)
    (one,) = vehicles_of([(run_of(0), [old]), (run_of(1), [new])])
    assert (one.year, one.trim, one.mileage) == (2020, "XL", 2000)


HOSTILE = st.sampled_from(["1", "1~2", '["vin","1"]', "../x", "CON", "con", "", "\ud800", "a/b"])
LINES = st.lists(st.tuples(HOSTILE, st.sampled_from([None, "1", "2", '["vin"', "1~2", VIN])), max_size=6)


@given(st.lists(LINES, max_size=4))
def test_no_report_is_lost_none_counts_twice_and_a_run_has_one_of_a_vehicle(runs: list[Lines]) -> None:
    found = vehicles(*runs)
    counted = [(path, report.place) for one in found for path, report in one.reports]
    assert sorted(counted) == sorted(
        (run_of(number).path, place) for number, lines in enumerate(runs) for place in range(len(lines))
    )
    for one in found:
        assert len({path for path, _ in one.reports}) == len(one.reports)
        assert [path for path, _ in one.reports] == sorted(path for path, _ in one.reports)
    assert len({one.key for one in found}) == len({one.slug.lower() for one in found}) == len(found)
