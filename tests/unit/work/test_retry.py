"""Whether and when a failed task comes back: values, made of the error and of what was tried."""

from __future__ import annotations

import warnings

import pytest

from jdp_scraper import errors
from jdp_scraper.errors import Action, VehicleError
from jdp_scraper.work.retry import LONGEST_WAIT_S, GiveUp, Retry, RetryPolicy, Stop

pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")


class Hopeless(VehicleError):
    """Not worth another try."""

    action = Action.GIVE_UP


@pytest.mark.parametrize("error", [errors.PageLost(), errors.ReportBroken(), errors.WrongVehicle()])
def test_one_vehicle_s_error_is_tried_again_until_the_retries_are_used_up(error: VehicleError) -> None:
    policy = RetryPolicy.of(max_retries=2, first_wait_s=0)
    assert [policy.decide(error, attempt) for attempt in (1, 2, 3)] == [Retry(0.0), Retry(0.0), GiveUp()]


def test_without_retries_the_first_failure_is_final() -> None:
    assert RetryPolicy.of(0, 2).decide(errors.PageLost(), 1) == GiveUp()


@pytest.mark.parametrize(
    "error",
    [errors.PortalDown(), errors.DiskFull(), errors.BrowserLost(), errors.WrongCredentials(), RuntimeError("a bug")],
)
def test_what_is_no_single_vehicle_s_fault_stops_the_run(error: Exception) -> None:
    assert RetryPolicy.of(2, 0).decide(error, 1) == Stop()
    assert RetryPolicy.of(0, 0).decide(error, 1) == Stop()


def test_a_hopeless_task_is_given_up_at_once() -> None:
    assert RetryPolicy.of(9, 0).decide(Hopeless(), 1) == GiveUp()


def test_an_expired_session_that_is_not_mended_is_a_failure_like_any() -> None:
    policy = RetryPolicy.of(1, 0)
    assert [policy.decide(errors.SessionExpired(), attempt) for attempt in (1, 2)] == [Retry(0.0), GiveUp()]


@pytest.mark.parametrize(("attempt", "least"), [(1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0)])
def test_the_back_off_doubles_with_less_than_a_second_of_chance(attempt: int, least: float) -> None:
    policy = RetryPolicy.of(9, 2)
    for _ in range(50):
        decision = policy.decide(errors.PageLost(), attempt)
        assert isinstance(decision, Retry) and decision.counts
        assert least <= decision.after_s <= least + 1


def test_chance_is_never_longer_than_the_first_wait() -> None:
    policy = RetryPolicy.of(9, 0.25)
    waits = [policy.decide(errors.PageLost(), 1) for _ in range(50)]
    assert all(isinstance(one, Retry) and 0.25 <= one.after_s <= 0.5 for one in waits)


def test_the_back_off_has_an_end() -> None:
    decision = RetryPolicy.of(100, 2).decide(errors.PageLost(), 90)
    assert isinstance(decision, Retry)
    assert LONGEST_WAIT_S <= decision.after_s <= LONGEST_WAIT_S + 1


def test_a_portal_that_asks_for_a_longer_wait_gets_it() -> None:
    policy = RetryPolicy.of(2, 0.5)
    assert policy.decide(errors.ReportRefused(retry_after_s=30), 1) == Retry(30)


def test_a_portal_that_asks_for_a_shorter_wait_does_not_shorten_it() -> None:
    decision = RetryPolicy.of(2, 4).decide(errors.ReportRefused(retry_after_s=1), 1)
    assert isinstance(decision, Retry) and decision.after_s >= 4


@pytest.mark.parametrize("asked", [float("inf"), 10_000_000.0])
def test_a_portal_cannot_put_a_vehicle_off_for_ever(asked: float) -> None:
    decision = RetryPolicy.of(2, 0.5).decide(errors.ReportRefused(retry_after_s=asked), 1)
    assert isinstance(decision, Retry) and decision.after_s <= 24 * 3600


def test_the_policy_uses_nothing_that_its_library_will_take_away() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(RetryPolicy.of(2, 2).decide(errors.PageLost(), 1), Retry)
