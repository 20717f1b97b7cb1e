"""The circuit breaker against what may happen, at any time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.work.breaker import LONGEST_SPACING_S, Breaker, BreakerRules, Phase, Ruling

RULES = BreakerRules(failures=10, silence_s=15, suspects=3, down_wait_s=900)


def fail(breaker: Breaker, key: str, now: float, *, ahead: bool = False, last_try: bool = False) -> Ruling:
    return breaker.failed(key, now, ahead=ahead, last_try=last_try)


def phase(breaker: Breaker) -> Phase:
    """Return the phase; asked for by a call, since it changes under a type checker's feet."""
    return breaker.phase


def opened() -> Breaker:
    breaker = Breaker(RULES, now=0)
    for number in range(10):
        fail(breaker, str(number), 15 + number / 10)
    assert phase(breaker) is Phase.OPEN
    return breaker


def test_ten_failures_and_fifteen_seconds_without_a_report_open_it() -> None:
    breaker = Breaker(RULES, now=0)
    for number in range(30):
        fail(breaker, str(number), 14.9)
    assert phase(breaker) is Phase.CLOSED, "long enough, but not late enough"
    fail(breaker, "last", 15)
    assert phase(breaker) is Phase.OPEN


def test_nine_failures_do_not_open_it_however_late() -> None:
    breaker = Breaker(RULES, now=0)
    for number in range(9):
        fail(breaker, str(number), 1000)
    assert phase(breaker) is Phase.CLOSED


def test_a_report_begins_the_count_anew() -> None:
    breaker = Breaker(RULES, now=0)
    for number in range(9):
        fail(breaker, str(number), 100)
    breaker.succeeded(101)
    assert breaker.spacing_s == 0
    assert [fail(breaker, str(number), 200) for number in range(3)] == [Ruling.COUNTS, Ruling.COUNTS, Ruling.FREE]


def test_one_or_two_vehicles_that_always_fail_use_up_their_tries_but_not_the_last_without_a_look() -> None:
    breaker = Breaker(RULES, now=0)
    rulings = [fail(breaker, key, now, last_try=now > 2) for now, key in enumerate("ababab")]
    assert rulings == [Ruling.COUNTS] * 3 + [Ruling.LOOK_FIRST] * 3
    assert breaker.looked(well=True) is Ruling.COUNTS
    assert breaker.looked(well=False) is Ruling.FREE
    assert phase(breaker) is Phase.CLOSED


def test_while_it_is_open_nothing_counts_and_a_late_report_does_not_close_it() -> None:
    breaker = opened()
    assert fail(breaker, "x", 20, last_try=True) is Ruling.FREE
    breaker.succeeded(30)
    assert phase(breaker) is Phase.OPEN
    breaker.answered()
    assert phase(breaker) is Phase.HALF_OPEN


def test_half_open_the_one_ahead_is_judged_by_a_look_and_late_ones_go_free() -> None:
    breaker = opened()
    breaker.answered()
    assert fail(breaker, "late", 20) is Ruling.FREE
    assert fail(breaker, "ahead", 21, ahead=True) is Ruling.LOOK_FIRST
    assert breaker.looked(well=True) is Ruling.COUNTS
    assert phase(breaker) is Phase.HALF_OPEN
    assert fail(breaker, "ahead", 22, ahead=True) is Ruling.LOOK_FIRST
    assert breaker.looked(well=False) is Ruling.FREE
    assert phase(breaker) is Phase.OPEN


def test_half_open_a_report_closes_it() -> None:
    breaker = opened()
    breaker.answered()
    breaker.succeeded(40)
    assert (breaker.phase, breaker.spacing_s) == (Phase.CLOSED, 0)


def test_it_is_over_when_no_report_has_come_for_long_since_it_opened() -> None:
    breaker = opened()  # at 15.9
    breaker.answered()
    assert not breaker.is_over(915)
    assert breaker.is_over(916)
    assert not Breaker(RULES, now=0).is_over(1e9)


def test_suspicion_slows_the_workers_down_up_to_a_limit() -> None:
    breaker, spacings = Breaker(RULES, now=0), []
    for number in range(9):
        fail(breaker, str(number), 1)
        spacings.append(breaker.spacing_s)
    assert spacings[:5] == [0, 0, 0.25, 0.5, 1.0]
    assert spacings[5:] == [LONGEST_SPACING_S] * 4


@pytest.mark.parametrize("vehicles", [1, 2, 5, 40])
@pytest.mark.parametrize("tries", [1, 3, 7])
def test_vehicles_that_always_fail_on_a_portal_that_is_well_come_to_an_end(vehicles: int, tries: int) -> None:
    breaker, now, used = Breaker(RULES, now=0), 0.0, dict.fromkeys(map(str, range(vehicles)), 0)
    for key in itertools.cycle(list(used)):
        if used[key] == tries:
            continue
        now += 1 + breaker.spacing_s
        if breaker.phase is Phase.OPEN:
            breaker.answered()
        ruling = fail(breaker, key, now, ahead=True, last_try=used[key] == tries - 1)
        if ruling is Ruling.LOOK_FIRST:
            ruling = breaker.looked(well=True)
        used[key] += ruling is Ruling.COUNTS
        if all(count == tries for count in used.values()):
            break
    assert now < 60 + 4 * vehicles * tries
    assert not breaker.is_over(now)


@given(
    steps=st.lists(st.tuples(st.floats(0.01, 5), st.integers(0, 30), st.booleans()), min_size=30, max_size=200),
    tries=st.integers(1, 4),
)
def test_an_outage_makes_no_vehicle_fail_finally(steps: list[tuple[float, int, bool]], tries: int) -> None:
    """Whatever order the failures of an outage come in, a look that shows the outage keeps each vehicle's last try."""
    breaker, now, used = Breaker(RULES, now=0), 0.0, dict.fromkeys(range(31), 0)
    for step, vehicle, answers in steps:
        now += step
        if answers and breaker.phase is Phase.OPEN:
            breaker.answered()  # the portal comes back for a moment
        ruling = fail(breaker, str(vehicle), now, ahead=True, last_try=used[vehicle] == tries - 1)
        if ruling is Ruling.LOOK_FIRST:
            ruling = breaker.looked(well=False)
        used[vehicle] += ruling is Ruling.COUNTS
    assert max(used.values()) < tries
    assert sum(used.values()) <= 2 * (tries - 1)
