"""How long Hypothesis searches: a little in `make test`, ten thousand examples in `make soak`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

LONG = "long"
LONG_EXAMPLES = 10_000
T = TypeVar("T", bound=Callable[..., object])

settings.register_profile(LONG, max_examples=LONG_EXAMPLES)


def search(quick: int) -> settings:
    """Return the settings of a search of ``quick`` examples, or of 10,000 under the long profile."""
    long = settings.get_current_profile_name() == LONG
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=LONG_EXAMPLES if long else quick, deadline=None, suppress_health_check=checks)


def thorough(quick: int) -> Callable[[T], T]:
    """Mark a test of Hypothesis as one that `make soak` runs too, with more examples than ``quick``."""

    def mark(test: T) -> T:
        marked: T = pytest.mark.thorough(search(quick)(test))
        return marked

    return mark
