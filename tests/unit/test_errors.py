"""The tree of errors: its messages, its exit codes and its picture."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest

from jdp_scraper import errors
from jdp_scraper.errors import Action, Interrupted, ScraperError


def kinds(root: type[ScraperError] = ScraperError) -> Iterator[type[ScraperError]]:
    yield root
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from kinds(kind)


def make(kind: type[ScraperError]) -> ScraperError:
    return Interrupted(signal.SIGINT) if kind is Interrupted else kind()


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_the_default_message_is_the_first_line_of_the_docstring(kind: type[ScraperError]) -> None:
    assert kind.__doc__ is not None
    first, *rest = kind.__doc__.strip().splitlines()
    assert str(make(kind)) == first
    assert not rest or rest[0] == ""


def test_a_message_of_its_own_replaces_the_default_one() -> None:
    assert str(errors.PortalDown("closed for repairs")) == "closed for repairs"


@pytest.mark.parametrize(
    ("branch", "code"),
    [
        (errors.UsageError, 2),
        (errors.SignInError, 3),
        (errors.UnusableError, 4),
        (errors.VehicleError, 1),
    ],
)
def test_all_errors_of_a_branch_have_its_exit_code(branch: type[ScraperError], code: int) -> None:
    found = {kind.__name__: kind.exit_code for kind in kinds(branch)}
    assert len(found) > 3
    assert set(found.values()) == {code}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_has_the_exit_code_that_shells_know(number: signal.Signals, code: int) -> None:
    error = Interrupted(number)
    assert (error.exit_code, error.signal_number) == (code, number)


def test_only_errors_of_one_vehicle_are_tried_again() -> None:
    tried_again = {kind for kind in kinds() if kind.action is not Action.STOP}
    assert tried_again == set(kinds(errors.VehicleError))
    assert {kind for kind in tried_again if kind.action is Action.SIGN_IN} == {errors.SessionExpired}


def test_an_error_of_a_vehicle_tells_status_and_wait() -> None:
    error = errors.ReportRefused("no", status=429, retry_after_s=7.0)
    assert (str(error), error.status, error.retry_after_s) == ("no", 429, 7.0)
    assert (errors.ReportRefused().status, errors.ReportRefused().retry_after_s) == (None, None)


def test_the_picture_in_the_module_shows_every_class_under_its_parent() -> None:
    assert errors.__doc__ is not None
    drawn: dict[str, str] = {}
    above = {0: "ScraperError"}
    for line in errors.__doc__.splitlines():
        branch = re.match(r"    ((?:\|   |    )*)\+-- (\w+)", line)
        if branch:
            depth = len(branch[1]) // 4 + 1
            drawn[branch[2]] = above[depth - 1]
            above[depth] = branch[2]
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in kinds() if kind is not ScraperError}
