"""The key of a task: reference, and VIN where the reference stands twice."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from jdp_scraper.vehicle import Vehicle, assign_keys

REFERENCES = st.sampled_from(["1", "1~", "1~A", "1~B", "1~A~2", "2", "~"])
VEHICLES = st.lists(
    st.builds(Vehicle, REFERENCES, st.sampled_from([None, "", "A", "B", "A~2"]), year=st.integers(0, 1))
)


def test_a_reference_that_stands_once_is_the_key() -> None:
    vehicles = [Vehicle("165530", "VIN1"), Vehicle("165530A", "VIN2")]
    assert list(assign_keys(vehicles)) == ["165530", "165530A"]


def test_a_reference_that_stands_twice_is_told_apart_by_its_vin() -> None:
    first, second = Vehicle("7", "VIN1"), Vehicle("7", "VIN2")
    assert assign_keys([first, second]) == {"7": first, "7~VIN2": second}


def test_a_line_that_repeats_a_vehicle_gets_no_second_key() -> None:
    first = Vehicle("7", "VIN1", year=2020)
    assert assign_keys([first, Vehicle("7", "VIN1", year=2021), Vehicle("7", None), Vehicle("7", None)]) == {
        "7": first,
        "7~": Vehicle("7", None),
    }


def test_a_key_that_looks_like_a_reference_does_not_take_its_place() -> None:
    vehicles = [Vehicle("7~B"), Vehicle("7", "A"), Vehicle("7", "B")]
    assert assign_keys(vehicles) == {"7~B": vehicles[0], "7": vehicles[1], "7~B~2": vehicles[2]}


@given(VEHICLES)
@example([Vehicle("7~B"), Vehicle("7", "A"), Vehicle("7", "B"), Vehicle("7~B", "X"), Vehicle("7~B~2")])
def test_every_vehicle_has_one_key_of_its_own_in_inventory_order(vehicles: list[Vehicle]) -> None:
    keyed = assign_keys(vehicles)
    identities = [vehicle.identity for vehicle in keyed.values()]
    assert identities == list(dict.fromkeys(vehicle.identity for vehicle in vehicles))
    assert all(key.startswith(vehicle.reference) for key, vehicle in keyed.items())


@given(VEHICLES, VEHICLES)
def test_vehicles_added_at_the_end_change_no_key(before: list[Vehicle], added: list[Vehicle]) -> None:
    keyed = assign_keys(before)
    assert list(assign_keys(before + added).items())[: len(keyed)] == list(keyed.items())
