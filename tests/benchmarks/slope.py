"""What one more vehicle costs: the slope between two sizes, so that start and end cancel; pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median of several repetitions, with the least and the greatest."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


def slope(small: tuple[int, float], large: tuple[int, float]) -> float:
    """Return the cost of one more vehicle, from two pairs of vehicles and cost; raises ``ValueError`` for one size."""
    if small[0] >= large[0]:
        raise ValueError(f"{small[0]} and {large[0]} vehicles tell no slope: the second has to be larger")
    return (large[1] - small[1]) / (large[0] - small[0])


def ratios(yardstick: Sequence[float], others: Sequence[float]) -> Spread:
    """Return how many times less others cost, each held against the yardstick of its own repetition."""
    return Spread.of([one / other for one, other in zip(yardstick, others, strict=True)])
