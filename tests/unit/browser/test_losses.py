"""How many browsers a run may lose."""

from __future__ import annotations

import pytest

from jdp_scraper.browser.losses import MOST, MOST_IN_VAIN, WITHIN_S, Losses
from jdp_scraper.errors import BrowserLost

LOST = BrowserLost("the browser ended by itself")


def test_browsers_that_are_lost_without_a_report_end_the_run_however_slowly_they_go() -> None:
    losses = Losses()
    for number in range(1, MOST_IN_VAIN):
        losses.note(LOST, number * WITHIN_S, reports=7)
    with pytest.raises(BrowserLost, match="6 browsers were lost without a report in between") as caught:
        losses.note(LOST, MOST_IN_VAIN * WITHIN_S, reports=7)
    assert str(LOST) in str(caught.value)
    assert losses.count == MOST_IN_VAIN


def test_a_report_in_between_makes_good_for_what_was_lost_before_it() -> None:
    losses = Losses()
    for number in range(4 * MOST_IN_VAIN):
        losses.note(LOST, number * WITHIN_S, reports=number // (MOST_IN_VAIN - 1))
    assert losses.count == 4 * MOST_IN_VAIN


def test_losses_that_come_fast_end_the_run_whatever_it_fetches() -> None:
    losses = Losses()
    for number in range(MOST):
        losses.note(LOST, number * WITHIN_S / MOST, reports=number)
    with pytest.raises(BrowserLost, match="4 browsers were lost within 3 min"):
        losses.note(LOST, WITHIN_S, reports=MOST)
