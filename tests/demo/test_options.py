"""Switches and their command line."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from jdp_scraper.demo.command import add_arguments, options_from
from jdp_scraper.demo.fault_table import BY_CHANCE, KINDS
from jdp_scraper.demo.faults import FaultBook
from jdp_scraper.demo.latency import TABLE, Latency
from jdp_scraper.demo.lot import Lot
from jdp_scraper.demo.options import DemoOptions


def parse(*arguments: str) -> DemoOptions:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return options_from(parser.parse_args(arguments))


def book(rates: dict[str, float] | None = None, seed: int = 1) -> FaultBook:
    made = FaultBook({name: kind.points for name, kind in KINDS.items()}, BY_CHANCE, seed)
    made.set_rates(rates or {})
    return made


def test_the_command_line_sets_what_it_names_and_nothing_else() -> None:
    options = parse(
        "--site", "plain", "--lockout", "7", "--csv-bom", "--reference", "A/B 12", "--fault", "hang@pdf=0.5"
    )
    assert options == DemoOptions(
        site="plain", lockout_s=7.0, csv_bom=True, references=("A/B 12",), fault_rate={"hang@pdf": 0.5}
    )
    assert parse() == DemoOptions()


def test_all_options_pass_through_json() -> None:
    options = DemoOptions(vehicles=7, tab="form", references=("x",), fault_rate={"reset": 0.1})
    assert DemoOptions().changed(options.as_mapping()) == options
    assert parse("--options", '{"vehicles": 7}', "--tab", "link") == DemoOptions(vehicles=7, tab="link")


@pytest.mark.parametrize(
    "values",
    [
        {"site": "other"}, {"vehicles": -1}, {"vehicles": "7"}, {"page_size": 0}, {"down": 1}, {"seed": True},
        {"fault_rate": {"hang": 2}}, {"vehicles": 300_000}, {"references": ["a"], "vehicles": 2}, {"nonsense": 1},
    ],
)  # fmt: skip
def test_a_senseless_value_is_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(values))}:"):
        DemoOptions().changed(values)


def test_each_time_is_from_0_8_to_1_3_of_its_figure() -> None:
    latency = Latency(3)
    for table, steps in TABLE.items():
        for step, figure in steps.items():
            drawn = [latency.draw(table, step) for _ in range(200)]
            assert 0.8 * figure <= min(drawn) <= max(drawn) <= 1.3 * figure
    assert latency.draw("none", "pdf") == 0


def test_chance_depends_on_the_request_and_not_on_the_order_of_requests() -> None:
    vehicles = Lot(DemoOptions(vehicles=100)).vehicles
    one, other = book({"error_500": 0.3}), book({"error_500": 0.3})
    forward = {vehicle.vin: one.draw("pdf", (vehicle,)) for vehicle in vehicles}
    backward = {vehicle.vin: other.draw("pdf", (vehicle,)) for vehicle in reversed(vehicles)}
    assert forward == backward
    assert 15 < sum(drawn is not None for drawn in forward.values()) < 45


def test_a_queued_fault_meets_its_vehicle_as_often_as_asked() -> None:
    first, second = Lot(DemoOptions(vehicles=2)).vehicles
    faults = book()
    faults.add("truncated", times=2, match=second.reference)
    assert faults.draw("pdf", (first,)) is None
    assert [faults.draw("pdf", (second,)) is not None for _ in range(3)] == [True, True, False]


def test_a_fault_that_cannot_happen_there_is_refused() -> None:
    for kind, at in (("truncated", "grid"), ("nonsense", "pdf"), ("hang", "nowhere")):
        with pytest.raises(ValueError, match=r"^fault:"):
            book().add(kind, at)
    with pytest.raises(ValueError, match=r"^fault:"):
        book({"nonsense": 0.1})
