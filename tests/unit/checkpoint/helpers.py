"""A bus that remembers, and a header to begin runs with."""

from __future__ import annotations

from datetime import UTC, datetime

from jdp_scraper.checkpoint.records import RunHeader, TaskRecord, TaskState
from jdp_scraper.events import Bus, Event, Notice

HEADER = RunHeader("jdpower", "https://portal.test", "0123456789ab", datetime(2025, 3, 1, 8, 0, tzinfo=UTC))


def done(key: str, size: int = 10) -> TaskRecord:
    return TaskRecord(TaskState.DONE, 1, f"{key}.pdf", size, "ab" * 32, seconds=0.5, finished_at=HEADER.started)


class Ear:
    """A bus's listener."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.notices: list[Notice] = []
        self.bus.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event)

    @property
    def text(self) -> str:
        return "\n".join(notice.text for notice in self.notices)
