"""An even pace, and the waits that the portal asks for."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.work.pace import LONGEST_ASKED_S, Pace, Throttle


@given(per_minute=st.integers(1, 600), steps=st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_however_the_workers_come_no_two_are_closer_than_the_pace(per_minute: int, steps: list[float]) -> None:
    pace, now, begun = Pace(per_minute), 0.0, []
    for step in steps:
        now += step
        now += max(0.0, pace.wait_s(now))
        pace.began(now)
        begun.append(now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(begun)]
    assert all(gap >= 60 / per_minute - 1e-6 for gap in gaps)


def test_without_a_pace_nobody_waits() -> None:
    pace = Pace(0)
    pace.began(5.0)
    assert pace.wait_s(5.0) <= 0
    assert pace.wait_s(5.0, spacing_s=2.0) == 2.0


def test_the_wait_that_is_asked_for_is_kept_and_bounded() -> None:
    throttle = Throttle(limit_s=900)
    assert throttle.throttled(30, began=0, now=10)
    assert throttle.until == 40
    throttle.throttled(5, began=0, now=11)
    assert throttle.until == 40, "a shorter wait does not shorten a longer one"
    throttle.throttled(1e9, began=0, now=12)
    assert throttle.until == 12 + LONGEST_ASKED_S


@pytest.mark.parametrize("asked", [None, 0.0])
def test_without_a_wait_the_back_off_doubles_from_round_to_round(asked: float | None) -> None:
    throttle, now, waits = Throttle(limit_s=900), 0.0, []
    for _ in range(7):
        throttle.throttled(asked, began=now, now=now)
        throttle.throttled(asked, began=now - 1, now=now + 0.1)  # another page's, begun before
        waits.append(throttle.until - now)
        now = throttle.until + 1
    assert waits == [2, 4, 8, 16, 32, 60, 60]


def test_a_report_ends_the_rounds() -> None:
    throttle = Throttle(limit_s=900)
    for now in (0.0, 100.0):
        throttle.throttled(None, began=now, now=now)
    assert throttle.tentative
    throttle.succeeded()
    assert not throttle.tentative
    throttle.throttled(None, began=200, now=200)
    assert throttle.until == 202


def test_throttling_without_any_report_comes_to_an_end() -> None:
    throttle = Throttle(limit_s=900)
    throttle.throttled(None, began=0, now=0)
    throttle.throttled(None, began=899, now=899)
    assert not throttle.is_over(899)
    assert throttle.is_over(900)
    throttle.succeeded()
    assert not throttle.is_over(10_000)
