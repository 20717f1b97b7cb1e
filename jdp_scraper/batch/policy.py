"""When tasks are done at once, and how many."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parallel:
    """``workers`` is how many tasks may be at work at once; with ``on`` false they are done one after the other."""

    workers: int
    on: bool = True

    def size_for(self, tasks: int) -> int:
        """Return how many of so many tasks are done at once: one alone, or all switched off, is sequential."""
        if not self.on or tasks <= 1:
            return 1
        return max(1, min(self.workers, tasks))
