"""How long each stage of a build took, and what it gained by doing several things at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from jdp_scraper.batch.statistics import Statistics


@dataclass(slots=True)
class Stage(Statistics):
    """One stage: times in seconds, the wall's of the whole stage; one of one worker is sequential."""

    name: str = ""

    def end(self) -> None:
        """Stop the clock; a stage whose tasks are not counted is one task."""
        seconds = time.perf_counter() - self._began
        if not self.tasks:
            self.took(seconds)
        self.wall_s = seconds

    @property
    def is_parallel(self) -> bool:
        """Tell whether several tasks were at work at once."""
        return self.workers > 1 and self.tasks > 1


@dataclass(slots=True)
class Stages:
    """All stages of a build, in their order."""

    done: list[Stage] = field(default_factory=list)

    def begin(self, name: str) -> Stage:
        """Begin a stage, which may go on beside others until ``end``."""
        stage = Stage(1, name=name)
        self.done.append(stage)
        return stage

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a stage."""
        stage = self.begin(name)
        try:
            yield stage
        finally:
            stage.end()


def stage_lines(stages: Sequence[Stage], workers: int) -> Iterator[str]:
    """Yield what a person is told of the stages."""
    yield f"  workers    {workers} at most"
    for one in stages:
        if not one.is_parallel:
            yield f"  {one.name:<14} sequential            {one.wall_s:8.3f} s"
            continue
        saved = one.tasks_s - one.wall_s
        yield (
            f"  {one.name:<14} parallel, {one.workers} workers   {one.wall_s:8.3f} s for {one.tasks} tasks of "
            f"{one.tasks_s:.3f} s: {saved:.3f} s saved ({one.gain:.2f} times), workers {one.busy:.0%} busy"
        )
