"""Whose fault a failure may be; every decision about the run's traffic rests on this one table."""

from __future__ import annotations

import enum

from jdp_scraper.errors import NotShown, PortalAnswered, ReportUnreachable, StepTimeout, VehicleError, VehicleGone

TOO_MANY = 429
UNAVAILABLE = 503


class Blame(enum.Enum):
    """Who may be behind a failed attempt."""

    THROTTLE = "the portal finds that it is asked too much"
    PORTAL = "may be the portal as a whole"
    VEHICLE = "this vehicle, its report or our own page"


def blame(error: VehicleError) -> Blame:
    """Tell whose fault an error may be: by its status where there is one, else by its class.

    No answer, a broken connection and a status of 500 and more may be the portal's. An answer that is wrong in another
    way (404, another vehicle, no PDF, a control that is not shown) is the vehicle's own and says nothing of the portal.
    """
    if error.status == TOO_MANY:
        return Blame.THROTTLE
    if error.status is not None:
        return Blame.PORTAL if error.status >= 500 else Blame.VEHICLE
    if isinstance(error, NotShown | VehicleGone):
        return Blame.VEHICLE
    if isinstance(error, StepTimeout | PortalAnswered | ReportUnreachable):
        return Blame.PORTAL
    return Blame.VEHICLE


def asked_wait_s(error: VehicleError) -> float | None:
    """Return the wait that the portal asks of everyone by this answer: the ``Retry-After`` of a 429 or a 503."""
    return error.retry_after_s if error.status in (TOO_MANY, UNAVAILABLE) else None
