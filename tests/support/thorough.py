"""How long Hypothesis searches: a little in `make test`, ten thousand examples in `make soak`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar
from unittest import TestCase

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine

LONG = "long"
LONG_EXAMPLES = 10_000
SHARDS = 4
T = TypeVar("T", bound=Callable[..., object])

settings.register_profile(LONG, max_examples=LONG_EXAMPLES, deadline=None)


def search(quick: int, shards: int = 1) -> settings:
    """Return the settings of one of so many searches for ``quick`` examples, or for 10,000 under the long profile."""
    examples = LONG_EXAMPLES if settings.get_current_profile_name() == LONG else quick
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=-(-examples // shards), deadline=None, suppress_health_check=checks)


def machine_tests(machine: type[RuleBasedStateMachine], quick: int, steps: int) -> Iterator[type[TestCase]]:
    """Yield the tests of a state machine, which can run side by side and share its examples, as ``search`` counts."""
    for number in range(SHARDS):
        part: type[RuleBasedStateMachine] = type(f"{machine.__name__}{number}", (machine,), {})
        part.TestCase.settings = settings(search(quick, SHARDS), stateful_step_count=steps)
        test: type[TestCase] = pytest.mark.thorough(part.TestCase)
        yield test


def thorough(quick: int) -> Callable[[T], T]:
    """Mark a test of Hypothesis as one that `make soak` runs too, with more examples than ``quick``."""

    def mark(test: T) -> T:
        marked: T = pytest.mark.thorough(search(quick)(test))
        return marked

    return mark
