"""What a run took: totals, times a step, each vehicle's attempts; read from the bus."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jdp_scraper.events import (
    Event,
    Narrowed,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskReturned,
    TaskStarted,
    TrafficPaused,
)


@dataclass(slots=True)
class VehicleMetrics:
    """One vehicle in this start of the run; times in seconds."""

    attempts: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


class Metrics:
    """A subscriber that adds up; ``to_json`` is ``metrics.json``."""

    def __init__(self) -> None:
        self.done = 0
        self.failed: dict[str, str] = {}
        self.errors: Counter[str] = Counter()
        self.bytes = 0
        self.narrowed_after: int | None = None
        """Mismatches after which one page at a time went from a vehicle to its report."""
        self.pauses: dict[str, tuple[int, float]] = {}
        """How often nothing new was begun, and for how many seconds in all, by reason."""
        self._steps: defaultdict[str, list[float]] = defaultdict(list)
        self._vehicles: defaultdict[str, VehicleMetrics] = defaultdict(VehicleMetrics)

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case TaskStarted(key):
                self._vehicles[key].attempts += 1
            case StepDone(key, _, step, seconds):
                self._steps[step].append(seconds)
                self._vehicles[key].seconds[step] = round(seconds, 3)
            case TaskDone(_, _, _, size, _):
                self.done += 1
                self.bytes += size
            case TaskReturned(key, _, error, _, _):
                self._note_error(key, error)
            case TaskFailed(key, _, error, message):
                self._note_error(key, error)
                self.failed[key] = message
            case TrafficPaused(reason, seconds):
                times, total = self.pauses.get(reason, (0, 0.0))
                self.pauses[reason] = (times + 1, total + seconds)
            case Narrowed(mismatches):
                self.narrowed_after = mismatches
            case _:
                pass

    def _note_error(self, key: str, error: str) -> None:
        self.errors[error] += 1
        self._vehicles[key].errors.append(error)

    def steps(self) -> dict[str, tuple[int, float, float]]:
        """Return for each step how often it was done, and the median and 95th percentile of its seconds."""
        return {
            step: (len(times), statistics.median(times), percentile_95(times)) for step, times in self._steps.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "errors": dict(self.errors),
            "bytes": self.bytes,
            "narrowed_after": self.narrowed_after,
            "pauses": {
                reason: {"count": count, "seconds": round(seconds, 3)}
                for reason, (count, seconds) in self.pauses.items()
            },
            "steps": {
                step: {"count": count, "median_s": round(median, 3), "p95_s": round(p95, 3)}
                for step, (count, median, p95) in self.steps().items()
            },
            "vehicles": {
                key: {"attempts": one.attempts, "seconds": one.seconds, "errors": one.errors}
                for key, one in self._vehicles.items()
            },
        }


def percentile_95(values: Sequence[float]) -> float:
    """Return the 95th percentile, the only value where there is one."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=20, method="inclusive")[-1]
