"""What lower floors tell the higher ones: small values, published on a bus that progress, metrics and the log read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from jdp_scraper.redact import Secrets

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """The root of all events."""


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something that a person or the log should know; ``text`` is one line without secrets."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Countdown(Event):
    """A wait that a person should see; ``seconds_left`` counts down to 0."""

    reason: str
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far a run is; ``done`` counts earlier starts too, ``seconds_left`` is ``None`` until it can be told."""

    done: int
    failed: int
    total: int
    waiting: int
    pages_at_work: int
    pages: int
    per_hour: float
    seconds_left: float | None

    @property
    def left(self) -> int:
        """Vehicles that are neither done nor failed."""
        return self.total - self.done - self.failed


@dataclass(frozen=True, slots=True)
class FilesDone(Event):
    """How far a batch of files is; ``under_way`` are being worked on now."""

    what: str
    done: int
    total: int
    under_way: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StepDone(Event):
    """A step of a vehicle's attempt has ended well; ``seconds`` is its length."""

    key: str
    attempt: int
    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskStarted(Event):
    """A worker has taken a task; the first attempt is number 1."""

    key: str
    attempt: int


@dataclass(frozen=True, slots=True)
class TaskDone(Event):
    """A proven PDF lies in place and the outcome is written down; ``seconds`` is the attempt's length."""

    key: str
    attempt: int
    file: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskReturned(Event):
    """An attempt has failed and the task comes back in ``again_in_s`` seconds; ``counts``: a try was used up."""

    key: str
    attempt: int
    error: str
    message: str
    again_in_s: float
    counts: bool = True


@dataclass(frozen=True, slots=True)
class TaskFailed(Event):
    """A vehicle has finally failed in this run."""

    key: str
    attempt: int
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class TrafficPaused(Event):
    """Nothing new was, or will be, begun for ``seconds``, because of the portal."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Narrowed(Event):
    """Reports turned out to be the session's: from now on one page at a time goes from a vehicle to its report.

    ``mismatches`` is how many PDFs showed it; none of them was kept.
    """

    mismatches: int


Subscriber = Callable[[Event], None]


class Bus:
    """Hands each event to every subscriber, in order and at once; a subscriber must not block or raise.

    No event carries one of ``secrets``: whoever learns one adds it there.
    """

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self.secrets = Secrets()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Add a subscriber for all later events."""
        self._subscribers.append(subscriber)

    def publish(self, event: Event) -> None:
        """Hand ``event`` to all subscribers."""
        event = self._without_secrets(event)
        for subscriber in self._subscribers:
            subscriber(event)

    def notice(self, level: Level, text: str) -> None:
        """Publish a ``Notice``."""
        self.publish(Notice(level, text))

    def _without_secrets(self, event: Event) -> Event:
        """Clean the texts that come from elsewhere: an error's may quote an address or a page."""
        if isinstance(event, Notice):
            return replace(event, text=self.secrets.message(event.text))
        if isinstance(event, TaskReturned | TaskFailed):
            return replace(event, message=self.secrets.message(event.message))
        return event
