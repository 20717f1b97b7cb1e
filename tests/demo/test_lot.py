"""The generated inventory."""

from __future__ import annotations

import csv
import io

import pytest

from jdp_scraper.demo.export_csv import export_csv
from jdp_scraper.demo.lot import Lot
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.vin import check_digit


def test_check_digit_is_that_of_a_known_vin() -> None:
    assert check_digit("1M8GDM9A_KP042788".replace("_", "0")) == "X"
    assert check_digit("11111111111111111") == "1"


def test_every_vin_is_valid_and_stands_once() -> None:
    vehicles = Lot(DemoOptions(vehicles=20_000)).vehicles
    assert all(check_digit(vehicle.vin) == vehicle.vin[8] for vehicle in vehicles)
    assert len({vehicle.vin for vehicle in vehicles}) == len({vehicle.key for vehicle in vehicles}) == 20_000


def test_references_are_six_digits_some_with_a_letter_and_stand_once() -> None:
    references = [vehicle.reference for vehicle in Lot(DemoOptions(vehicles=2000)).vehicles]
    assert len(set(references)) == 2000
    assert all(reference[:6].isdecimal() and len(reference) <= 7 for reference in references)
    assert any(reference[6:].isalpha() for reference in references[2:])


def test_the_pair_that_a_filter_mixes_up_is_on_the_smallest_lot() -> None:
    lot = Lot(DemoOptions(vehicles=10))
    assert [vehicle.reference for vehicle in lot.vehicles[:2]] == ["165530", "165530A"]
    assert [vehicle.reference for vehicle in lot.containing("165530")] == ["165530", "165530A"]


def test_a_seed_gives_the_same_lot_again_and_a_small_one_begins_a_large_one() -> None:
    small, large = Lot(DemoOptions(vehicles=30, seed=7)), Lot(DemoOptions(vehicles=60, seed=7))
    assert list(small.vehicles) == list(large.vehicles[:30])
    assert small.vehicles[0].vin != Lot(DemoOptions(vehicles=1, seed=8)).vehicles[0].vin


def test_duplicates_share_a_reference_but_no_vin() -> None:
    lot = Lot(DemoOptions(vehicles=50, duplicates=2))
    first, second = lot.named(lot.vehicles[2].reference)
    assert first.vin != second.vin
    assert len({vehicle.reference for vehicle in lot.vehicles}) == 48


def test_references_of_the_options_and_blank_ones_are_on_the_lot() -> None:
    lot = Lot(DemoOptions(vehicles=20, references=("../../etc/passwd", "CON"), blank_references=3, duplicates=1))
    references = [vehicle.reference for vehicle in lot.vehicles]
    assert references[2:4] == ["../../etc/passwd", "CON"]
    assert references.count("") == 3


def test_a_changed_lot_loses_renames_and_gains_vehicles() -> None:
    lot = Lot(DemoOptions(vehicles=10))
    vins = [vehicle.vin for vehicle in lot.vehicles]
    lot.change(remove=["165530"], rename={"165530A": "700000"}, add=2)
    assert [vehicle.vin for vehicle in lot.vehicles[:9]] == vins[1:]
    assert lot.vehicles[0].reference == "700000"
    assert len(lot.vehicles) == len(lot.by_key) == 11


@pytest.mark.parametrize(
    ("options", "encoding", "begins"),
    [
        (DemoOptions(), "utf-8", b"Year"),
        (DemoOptions(csv_bom=True), "utf-8-sig", b"\xef\xbb\xbfYear"),
        (DemoOptions(csv_encoding="cp1252"), "cp1252", b"Year"),
    ],
)
def test_the_export_has_the_lot_in_its_encoding(options: DemoOptions, encoding: str, begins: bytes) -> None:
    vehicles = Lot(options).vehicles
    body = export_csv(vehicles, options)
    rows = list(csv.DictReader(io.StringIO(body.decode(encoding), newline="")))
    assert body.startswith(begins)
    assert [row["Reference Number"] for row in rows] == [vehicle.reference for vehicle in vehicles]
    assert rows[2]["Model"] == "C-Class Coup\u00e9"


def test_a_column_can_be_left_out_of_the_export() -> None:
    body = export_csv(Lot(DemoOptions()).vehicles, DemoOptions(csv_without="Reference Number"))
    assert body.splitlines()[0] == b"Year,Make,Model,Trim,VIN,Mileage"
