"""Whose fault a failure may be."""

from __future__ import annotations

import pytest

from jdp_scraper import errors
from jdp_scraper.errors import VehicleError
from jdp_scraper.work.blame import Blame, asked_wait_s, blame

from ..test_errors import kinds

PORTAL = [
    errors.StepTimeout(),
    errors.PortalAnswered("net::ERR_CONNECTION_REFUSED"),
    errors.PortalAnswered(status=500),
    errors.PortalAnswered(status=503, retry_after_s=5),
    errors.ReportRefused(status=502),
    errors.ReportStatus(status=504),
    errors.ReportUnreachable(),
]
VEHICLE = [
    errors.PortalAnswered(status=404),
    errors.ReportRefused(status=404),
    errors.ReportStatus(status=410),
    errors.VehicleGone(),
    errors.NotShown(),
    errors.VehicleNotListed(),
    errors.WrongVehicle(),
    errors.ReportBroken(),
    errors.ReportMismatch(),
    errors.ReportUnproven(),
    errors.ForeignAddress(),
    errors.PageLost(),
    errors.TaskLost(),
    errors.SessionExpired(),
    errors.TabAstray(),
    VehicleError(),
]


@pytest.mark.parametrize("error", PORTAL, ids=repr)
def test_no_answer_and_server_errors_may_be_the_portal_s(error: VehicleError) -> None:
    assert blame(error) is Blame.PORTAL


@pytest.mark.parametrize("error", VEHICLE, ids=repr)
def test_what_is_wrong_with_one_vehicle_is_its_own(error: VehicleError) -> None:
    assert blame(error) is Blame.VEHICLE


@pytest.mark.parametrize("kind", [errors.PortalAnswered, errors.ReportRefused, errors.ReportStatus])
def test_too_many_requests_are_the_throttle_s_at_any_step(kind: type[VehicleError]) -> None:
    assert blame(kind(status=429)) is Blame.THROTTLE


def test_every_error_of_a_vehicle_is_judged() -> None:
    judged = {type(error) for error in PORTAL + VEHICLE}
    assert set(kinds(VehicleError)) <= judged | {errors.ReportRefused}


@pytest.mark.parametrize(("status", "asked"), [(429, 7.0), (503, 7.0), (500, None), (None, None)])
def test_a_wait_is_asked_of_all_by_two_statuses_alone(status: int | None, asked: float | None) -> None:
    assert asked_wait_s(errors.ReportRefused(status=status, retry_after_s=7.0)) == asked
