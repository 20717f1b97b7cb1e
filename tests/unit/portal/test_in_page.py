"""How failures on a page are named."""

from __future__ import annotations

import pytest
from playwright.async_api import Error as PlaywrightError

from jdp_scraper.errors import (
    BrowserLost,
    NotShown,
    PageLost,
    PortalAnswered,
    PortalChanged,
    PortalDown,
    ScraperError,
    SessionExpired,
    StepTimeout,
)
from jdp_scraper.portal.in_page import moved_on, page_error
from jdp_scraper.portal.whole_run import whole_run_errors


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Page.evaluate: Target page, context or browser has been closed", PageLost),
        ("Page.evaluate: Target crashed", PageLost),
        ("Page.goto: Page crashed", PageLost),
        ("Connection closed while reading from the driver", PageLost),
        ("Page.goto: net::ERR_ABORTED; maybe frame was detached?\nCall log:", PageLost),
        ("Page.goto: net::ERR_ABORTED at http://127.0.0.1:9/", PortalAnswered),
        ("Page.goto: net::ERR_CONNECTION_REFUSED at http://127.0.0.1:9/\nCall log:", PortalAnswered),
        ("Page.evaluate: Error: not shown: #loginButton", NotShown),
        ("Page.goto: Timeout 1000ms exceeded.", StepTimeout),
    ],
)
def test_a_failure_of_a_page_is_named_once_with_the_step_before_it(message: str, kind: type[ScraperError]) -> None:
    error = page_error("grid", PlaywrightError(message))
    assert type(error) is kind
    assert str(error).startswith("grid: ")
    assert "Call log" not in str(error) and "Page.goto" not in str(error)


@pytest.mark.parametrize(
    ("message", "moved"),
    [
        ("Execution context was destroyed, most likely because of a navigation", True),
        ("Page.evaluate: Frame was detached", False),
        ("Page.evaluate: frame was detached", True),
        ("Unable to retrieve content because the page is navigating and changing the content.", True),
        ("Target page, context or browser has been closed", False),
        ("Error: not shown: a", False),
    ],
)
def test_a_page_that_has_moved_on_is_told_from_one_that_is_lost(message: str, moved: bool) -> None:
    assert moved_on(PlaywrightError(message)) is moved


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PortalAnswered("status 503"), PortalDown),
        (StepTimeout("not shown"), PortalChanged),
        (SessionExpired("form"), PortalDown),
        (PageLost("crashed"), BrowserLost),
    ],
)
def test_what_no_vehicle_can_do_without_stops_the_run_and_keeps_its_cause(
    error: ScraperError, kind: type[ScraperError]
) -> None:
    with pytest.raises(kind) as caught, whole_run_errors("https://portal.example"):
        raise error
    assert str(error) in str(caught.value)
    assert caught.value.__cause__ is error
