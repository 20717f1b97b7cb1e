"""Whether and when a failed task comes back: a decision is a value, made from the error and what was tried so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential, wait_random
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from jdp_scraper.errors import Action, ScraperError

LONGEST_WAIT_S = 60.0
LONGEST_ASKED_S = 600.0


@dataclass(frozen=True, slots=True)
class Retry:
    """The task comes back in ``after_s`` seconds; ``counts`` tells whether a try was used up."""

    after_s: float
    counts: bool = True


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The vehicle has finally failed in this run."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The run cannot go on; the task stays to be done."""


Decision: TypeAlias = Retry | GiveUp | Stop


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait and when to stop, in tenacity's vocabulary; ``attempt`` counts from 1."""

    stop: stop_base
    wait: wait_base

    @classmethod
    def of(cls, max_retries: int, first_wait_s: float) -> RetryPolicy:
        """Try once and then ``max_retries`` times more, with a back-off that doubles from ``first_wait_s``."""
        jitter = min(1.0, first_wait_s)
        wait = wait_exponential(multiplier=first_wait_s, max=LONGEST_WAIT_S) + wait_random(0, jitter)
        return cls(stop_after_attempt(max_retries + 1), wait)

    def decide(self, error: BaseException, attempt: int) -> Decision:
        """Decide about the attempt that ended with ``error``, as one that counts."""
        action = error.action if isinstance(error, ScraperError) else Action.STOP
        if action is Action.STOP:
            return Stop()
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = attempt
        if action is Action.GIVE_UP or self.stop(state):
            return GiveUp()
        asked = min(getattr(error, "retry_after_s", None) or 0.0, LONGEST_ASKED_S)
        return Retry(max(asked, self.wait(state)))
