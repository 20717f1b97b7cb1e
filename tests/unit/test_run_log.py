"""The run's log: JSON lines of the events that are grave enough."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from jdp_scraper.disk import Disk, DiskFile
from jdp_scraper.errors import DiskFull
from jdp_scraper.events import Countdown, Event, Level, Notice, StepDone, TaskDone, TaskFailed, TaskReturned
from jdp_scraper.run_log import RunLog

STORY: list[Event] = [
    Notice("debug", "browser 1.2"),
    StepDone("165530", 1, "open", 0.5),
    Countdown("in use", 3.0),
    TaskDone("165530", 1, "165530.pdf", 100, 2.0),
    TaskReturned("7", 1, "PageLost", "crashed", 2.0),
    TaskFailed("7", 2, "PageLost", "crashed"),
]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def written(path: Path, level: Level, *events: Event) -> list[dict[str, Any]]:
    log = RunLog(level, Disk())
    for event in events:
        log(event)
    log.open(path)
    log.close()
    return lines_of(path)


def test_a_line_holds_the_event_its_level_and_its_time(tmp_path: Path) -> None:
    (line,) = written(tmp_path / "run.log", "info", TaskFailed("7", 2, "PageLost", "crashed"))
    at = datetime.fromisoformat(line.pop("at"))
    assert at.utcoffset() == timedelta(0)
    assert line == {
        "level": "error",
        "event": "TaskFailed",
        "key": "7",
        "attempt": 2,
        "error": "PageLost",
        "message": "crashed",
    }


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", ["Notice", "StepDone", "TaskDone", "TaskReturned", "TaskFailed"]),
        ("info", ["TaskDone", "TaskReturned", "TaskFailed"]),
        ("warning", ["TaskReturned", "TaskFailed"]),
        ("error", ["TaskFailed"]),
    ],
)
def test_only_what_is_grave_enough_is_written(level: Level, events: list[str], tmp_path: Path) -> None:
    assert [line["event"] for line in written(tmp_path / "run.log", level, *STORY)] == events


@pytest.mark.parametrize("level", get_args(Level))
def test_a_notice_has_its_own_level(level: Level, tmp_path: Path) -> None:
    (line,) = written(tmp_path / "run.log", "debug", Notice(level, "said"))
    assert (line["level"], line["text"]) == (level, "said")


def test_any_text_is_one_ascii_line(tmp_path: Path) -> None:
    text = 'G\u00fcnther\n{"at": 1}\r\n\x00\u2028\ud800\x1b[2J'
    (line,) = written(tmp_path / "run.log", "info", Notice("info", text))
    assert line["text"] == text


def test_what_came_before_the_place_was_known_comes_first(tmp_path: Path) -> None:
    log = RunLog("info", Disk())
    log(Notice("info", "before"))
    log.open(tmp_path / "run.log")
    log(Notice("info", "after"))
    log.close()
    assert [line["text"] for line in lines_of(tmp_path / "run.log")] == ["before", "after"]


def test_a_log_goes_on_at_the_end_of_the_one_before(tmp_path: Path) -> None:
    written(tmp_path / "run.log", "info", Notice("info", "first start"))
    both = written(tmp_path / "run.log", "info", Notice("info", "second start"))
    assert [line["text"] for line in both] == ["first start", "second start"]


def test_a_log_without_a_place_closes() -> None:
    log = RunLog("info", Disk())
    log(Notice("info", "to nobody"))
    log.close()


def test_a_log_that_cannot_be_written_is_let_go(tmp_path: Path) -> None:
    class Full(Disk):
        def open_append(self, path: Path) -> DiskFile:
            raise DiskFull

    log = RunLog("info", Full())
    log.open(tmp_path / "run.log")
    log(Notice("info", "lost"))
    log.close()
    log(Notice("info", "lost as well"))
    assert not (tmp_path / "run.log").exists()
