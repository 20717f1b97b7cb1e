"""The run's log: each event as a JSON object a line, written by a thread of its own."""

from __future__ import annotations

import json
import queue
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from jdp_scraper.disk import Disk
from jdp_scraper.errors import StorageError
from jdp_scraper.events import Countdown, Event, Level, Notice, Progress, StepDone, TaskFailed, TaskReturned

_ORDER: dict[Level, int] = {"debug": 0, "info": 1, "warning": 2, "error": 3}


class RunLog:
    """A subscriber. Events wait in memory until ``open`` says where; a log that cannot be written is let go."""

    def __init__(self, level: Level, disk: Disk) -> None:
        self._least = _ORDER[level]
        self._disk = disk
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if not isinstance(event, Countdown) and _ORDER[_level_of(event)] >= self._least:
            content = {"at": datetime.now(UTC).isoformat(), "level": _level_of(event), "event": type(event).__name__}
            self._lines.put(json.dumps(content | asdict(event)).encode("ascii") + b"\n")

    def open(self, path: Path) -> None:
        """Begin to write to the end of ``path``."""
        self._thread = threading.Thread(target=self._write, args=(path,), name="run log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is left and end the thread."""
        self._lines.put(None)
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _write(self, path: Path) -> None:
        try:
            with self._disk.open_append(path) as file:
                while (line := self._lines.get()) is not None:
                    file.write(line)
        except StorageError:
            return  # the checkpoint meets the same disk, and stops the run with its own message


def _level_of(event: Event) -> Level:
    if isinstance(event, Notice):
        return event.level
    if isinstance(event, (StepDone, Progress)):
        return "debug"
    if isinstance(event, TaskFailed):
        return "error"
    return "warning" if isinstance(event, TaskReturned) else "info"
