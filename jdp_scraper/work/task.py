"""A task, one vehicle's report, and the states it can be in."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from jdp_scraper.vehicle import Vehicle


class State(enum.Enum):
    """Where a task is in this process; what is written down is the checkpoint's."""

    READY = "ready"
    LEASED = "leased"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


ACTIVE = frozenset({State.READY, State.LEASED, State.WAITING})
TERMINAL = frozenset({State.DONE, State.FAILED})


@dataclass(slots=True, eq=False)
class Task:
    """A vehicle to fetch; ``attempts`` counts tries used up, ``ready_at`` is on the queue's clock."""

    key: str
    vehicle: Vehicle
    state: State = State.READY
    attempts: int = 0
    ready_at: float = 0.0
    lease: Lease | None = None


@dataclass(slots=True, eq=False)
class Lease:
    """One worker's hold on a task, from ``take`` until it is given back; times are on the queue's clock.

    ``taken_at`` is moved on by whatever was spent waiting for a turn, so that it tells the length of the work.
    """

    task: Task
    attempt: int
    taken_at: float
    last_sign: float
    step: str = "take"

    @property
    def key(self) -> str:
        """The task's key."""
        return self.task.key

    @property
    def vehicle(self) -> Vehicle:
        """The task's vehicle."""
        return self.task.vehicle
