"""Whether reports are the page's or the session's, as told by wrong PDFs."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.vehicle import Vehicle
from jdp_scraper.work.binding import Binding, Passage


def vehicle(number: int) -> Vehicle:
    return Vehicle(f"1655{number:02}", f"1HGCM82633A0{number:05}")


def vin(of: Vehicle) -> list[str]:
    return [str(of.vin)]


def crossing(binding: Binding, first: int = 1, second: int = 2) -> tuple[Passage, Passage]:
    """Two pages: the second one's vehicle is opened between the first one's and its report."""
    one = binding.enter(vehicle(first))
    binding.opened(one)
    two = binding.enter(vehicle(second))
    binding.opened(two)
    binding.leave(one)
    binding.leave(two)
    return one, two


def test_three_reports_of_vehicles_that_were_opened_meanwhile_narrow_and_cost_nothing() -> None:
    binding, narrow = Binding(), []
    passages = [crossing(binding, number, number + 1)[0] for number in (1, 3, 5)]
    for passage, number in zip(passages, (2, 4, 6), strict=True):
        assert binding.wrong(passage, vin(vehicle(number)))
        narrow.append(binding.narrow)
    assert narrow == [False, False, True]
    assert binding.mismatches == 3


def test_a_report_of_a_vehicle_that_nobody_had_open_is_a_failure_like_any() -> None:
    binding = Binding()
    for _ in range(9):
        one, _ = crossing(binding)
        assert not binding.wrong(one, vin(vehicle(77)))
    assert not binding.narrow


def test_the_second_page_s_vehicle_was_opened_last_and_the_first_one_is_no_rival() -> None:
    binding = Binding()
    _, two = crossing(binding)
    assert not binding.wrong(two, vin(vehicle(1)))


def test_a_page_that_was_still_opening_may_have_been_opened_last() -> None:
    binding = Binding()
    one = binding.enter(vehicle(1))
    two = binding.enter(vehicle(2))
    assert binding.wrong(one, vin(vehicle(2)))
    assert binding.wrong(two, vin(vehicle(1)))


def test_neighbors_by_chance_do_not_narrow_where_crossed_reports_are_right() -> None:
    binding = Binding()
    for _ in range(3):
        one, _ = crossing(binding)
        binding.right(one)
    for _ in range(3):
        one, _ = crossing(binding)
        assert not binding.wrong(one, vin(vehicle(2)))
    assert not binding.narrow


def test_few_wrong_reports_among_many_that_another_page_could_have_spoilt_do_not_narrow() -> None:
    binding = Binding()
    for _ in range(20):
        one = binding.enter(vehicle(1))
        binding.opened(one)
        two = binding.enter(vehicle(2))  # its opening may or may not come before the first one's report
        binding.leave(one)
        binding.leave(two)
        binding.right(one)
    for number in range(1, 7, 2):
        one, _ = crossing(binding, number, number + 1)
        assert binding.wrong(one, vin(vehicle(number + 1)))
    assert not binding.narrow
    for number in range(11, 17, 2):
        one, _ = crossing(binding, number, number + 1)
        binding.wrong(one, vin(vehicle(number + 1)))
    assert binding.narrow


def test_two_whose_reports_are_swapped_are_tried_free_a_few_times_and_narrow_nothing_alone() -> None:
    binding = Binding()
    for _ in range(40):
        one = binding.enter(vehicle(1))
        binding.enter(vehicle(2))
        binding.right(one)
    free = 0
    for _ in range(20):
        one, _ = crossing(binding)
        free += binding.wrong(one, vin(vehicle(2)))
    assert (free, binding.narrow) == (3, False)


def test_a_right_report_that_nobody_crossed_says_nothing() -> None:
    binding = Binding()
    for _ in range(9):
        _, two = crossing(binding)
        binding.right(two)
    for _ in range(3):
        one, _ = crossing(binding)
        assert binding.wrong(one, vin(vehicle(2)))
    assert binding.narrow


def test_what_was_begun_before_the_narrowing_goes_free_and_what_came_after_does_not() -> None:
    binding = Binding()
    before, _ = crossing(binding, 5, 6)
    for _ in range(3):
        one, _ = crossing(binding)
        binding.wrong(one, vin(vehicle(2)))
    after = binding.enter(vehicle(7))
    assert binding.wrong(before, vin(vehicle(77)))
    assert after.alone and not binding.wrong(after, vin(vehicle(6)))


def test_without_a_vin_the_reference_tells() -> None:
    binding = Binding()
    one = binding.enter(Vehicle("165530"))
    binding.enter(Vehicle("165530A"))
    assert not binding.wrong(one, ["165530"])
    assert binding.wrong(one, ["165530A"])


def simulate(seed: int, bound: str, pages: int, wrong_rate: float) -> tuple[Binding, int]:
    """Pages that open and ask in any order; returns the binding and how many wrong reports were counted."""
    chance, binding, counted = random.Random(seed), Binding(), 0
    at_work: list[tuple[Passage, bool]] = []
    last, number = vehicle(0), 0
    for _ in range(600):
        if len(at_work) < (1 if binding.narrow else pages) and chance.random() < 0.5:
            number += 1
            at_work.append((binding.enter(vehicle(number % 100)), False))
            continue
        if not at_work:
            continue
        place = chance.randrange(len(at_work))
        passage, opened = at_work[place]
        if not opened:
            last = passage.vehicle
            binding.opened(passage)
            at_work[place] = (passage, True)
            continue
        at_work.pop(place)
        binding.leave(passage)
        got = last if bound == "session" else passage.vehicle
        if chance.random() < wrong_rate:
            got = vehicle((int(passage.vehicle.reference[-2:]) + 1) % 100)  # a neighbor, most likely open elsewhere
        if got == passage.vehicle:
            binding.right(passage)
        else:
            counted += not binding.wrong(passage, vin(got))
    return binding, counted


@given(seed=st.integers(0, 10_000), pages=st.integers(2, 8))
def test_on_a_session_s_portal_it_narrows_and_no_wrong_report_counts(seed: int, pages: int) -> None:
    binding, counted = simulate(seed, "session", pages, 0)
    assert binding.narrow
    assert counted == 0


@given(seed=st.integers(0, 10_000), pages=st.integers(2, 8))
def test_on_a_page_s_portal_no_wrong_report_comes_and_it_stays_wide(seed: int, pages: int) -> None:
    binding, counted = simulate(seed, "page", pages, 0)
    assert not binding.narrow and counted == 0


def test_neighbors_by_chance_count_and_seldom_narrow() -> None:
    outcomes = [simulate(seed, "page", 5, 0.05) for seed in range(100)]
    assert sum(binding.narrow for binding, _ in outcomes) <= 5
    assert all(counted for binding, counted in outcomes if not binding.narrow)
