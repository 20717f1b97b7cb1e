"""What many tasks took, and what it was worth to do them at once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Statistics:
    """Times in seconds: ``tasks_s`` is the sum of all tasks' own times, ``wall_s`` what passed until the last ended."""

    workers: int
    tasks: int = 0
    tasks_s: float = 0.0
    longest_s: float = 0.0
    wall_s: float = 0.0
    _began: float = field(default_factory=time.perf_counter)

    def begin(self) -> None:
        """Begin the clock here, not where this was made."""
        self._began = time.perf_counter()

    def took(self, seconds: float) -> None:
        """Count in a task that has ended just now."""
        self.tasks += 1
        self.tasks_s += seconds
        self.longest_s = max(self.longest_s, seconds)
        self.wall_s = time.perf_counter() - self._began

    @property
    def gain(self) -> float:
        """How many times longer the tasks would have taken one after the other; 1 where there was none."""
        return self.tasks_s / self.wall_s if self.wall_s else 1.0

    @property
    def busy(self) -> float:
        """Which share of their time the workers were at work."""
        return min(1.0, self.gain / self.workers) if self.tasks else 0.0

    @property
    def per_second(self) -> float:
        """Tasks a second."""
        return self.tasks / self.wall_s if self.wall_s else 0.0
