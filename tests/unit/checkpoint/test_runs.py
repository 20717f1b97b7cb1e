from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.records import Goal, RunHeader, TaskRecord, TaskState
from jdp_scraper.checkpoint.recovery import FILES
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.checkpoint.runs import RunSummary, choose_run, list_runs
from jdp_scraper.disk import Disk
from jdp_scraper.errors import RunTooOld

from .helpers import HEADER, Ear, done

NOW = HEADER.started + timedelta(days=2)


async def begin(downloads: Path, day: int, header: RunHeader = HEADER) -> Checkpoint:
    folder = await RunFolder.create(downloads, date(2025, 3, day), Disk())
    return await Checkpoint.create(folder.data, header, ["1", "2"], Disk())


async def test_runs_are_listed_newest_first_among_whatever_else_lies_there(tmp_path: Path) -> None:
    assert await list_runs(tmp_path / "none", Ear().bus) == []
    for day in (9, 10, 10):
        await begin(tmp_path, day)
    for number in range(3, 12):
        (tmp_path / f"2025-03-10-{number}").mkdir()
    await begin(tmp_path, 10)
    (tmp_path / "holiday").mkdir()
    (tmp_path / "2025-03-11").touch()
    broken = await RunFolder.create(tmp_path, date(2025, 3, 12), Disk())
    for name in FILES:
        (broken.data / name).write_text("x")
    ear = Ear()
    names = [run.folder.path.name for run in await list_runs(tmp_path, ear.bus)]
    assert names == ["2025-03-10-3", "2025-03-10-2", "2025-03-10", "2025-03-09"]
    assert len(ear.notices) == 1
    assert "2025-03-12 is passed over" in ear.text
    assert (broken.data / FILES[0]).read_text() == "x"


async def test_a_pdf_without_any_checkpoint_is_told(tmp_path: Path) -> None:
    folder = await RunFolder.create(tmp_path, date(2025, 3, 1), Disk())
    (folder.pdfs / "1.pdf").touch()
    ear = Ear()
    assert await list_runs(tmp_path, ear.bus) == []
    assert "2025-03-01 is passed over" in ear.text


async def test_a_run_is_finished_when_its_goal_is_reached_without_failures(tmp_path: Path) -> None:
    checkpoint = await begin(tmp_path, 1)
    await checkpoint.record("1", done("1"))
    await checkpoint.record("2", TaskRecord(TaskState.FAILED, 3))
    await checkpoint.change_header(finished=True)
    (run,) = await list_runs(tmp_path, Ear().bus)
    assert (run.todo, run.done, run.failed, run.finished) == (0, 1, 1, False)
    await checkpoint.record("2", done("2"))
    (run,) = await list_runs(tmp_path, Ear().bus)
    assert run.finished
    assert run.age_days(NOW) == 2


def run_of(header: RunHeader = HEADER, failed: int = 0) -> RunSummary:
    return RunSummary(RunFolder(Path("2025-03-01")), header, 1, 1, failed)


def chosen(
    *runs: RunSummary, new: bool = False, resume: bool = False, days: int = 2, origin: str | None = None
) -> RunSummary | None:
    now = HEADER.started + timedelta(days=days)
    return choose_run(
        runs, portal=HEADER.portal, account=HEADER.account, now=now, origin=origin, new=new, resume=resume
    )


def test_the_newest_unfinished_run_of_this_portal_and_account_is_chosen() -> None:
    ours = run_of()
    others = [run_of(replace(HEADER, account="x")), run_of(replace(HEADER, portal="x"))]
    finished = run_of(replace(HEADER, finished=True, goal=Goal(maximum=1)))
    assert chosen(*others, finished, ours, run_of()) is ours
    assert chosen(*others, finished) is None
    assert chosen() is None
    with_failures = run_of(replace(HEADER, finished=True), failed=1)
    assert chosen(with_failures, ours) is with_failures


@pytest.mark.parametrize(
    ("newer", "older", "covered"),
    [
        (Goal(), Goal(), True),
        (Goal(), Goal(maximum=5), True),
        (Goal(), Goal(only=("1",)), True),
        (Goal(maximum=5), Goal(maximum=5), True),
        (Goal(maximum=5), Goal(maximum=9), False),
        (Goal(maximum=5), Goal(), False),
        (Goal(only=("1",)), Goal(), False),
        (Goal(only=("1",)), Goal(only=("1",)), True),
        (Goal(only=("1",)), Goal(only=("2",)), False),
    ],
)
def test_a_newer_finished_run_that_fetched_as_much_ends_the_wait_for_an_older_one(
    newer: Goal, older: Goal, covered: bool
) -> None:
    done_since = run_of(replace(HEADER, finished=True, goal=newer))
    left_behind = run_of(replace(HEADER, goal=older))
    assert (chosen(done_since, left_behind) is None) == covered


def test_another_origin_is_another_portal_where_it_is_given() -> None:
    assert chosen(run_of(), origin=HEADER.origin) is not None
    assert chosen(run_of(), origin="http://127.0.0.1:1") is None


def test_new_begins_another_whatever_there_is() -> None:
    assert chosen(run_of(), new=True, days=30) is None


def test_an_old_run_asks_for_a_word() -> None:
    run = run_of()
    assert chosen(run, days=7) is run
    with pytest.raises(RunTooOld, match="8 days old: say --resume"):
        chosen(run, days=8)
    assert chosen(run, days=8, resume=True) is run


@pytest.mark.parametrize(
    ("goal", "counts"),
    [
        (Goal(), (1, 0)),
        (Goal(1), (0, 1)),
        (Goal(only=("2",)), (1, 0)),
        (Goal(only=("1",)), (0, 1)),
    ],
)
async def test_what_was_not_asked_for_is_told_apart(tmp_path: Path, goal: Goal, counts: tuple[int, int]) -> None:
    checkpoint = await begin(tmp_path, 1)
    await checkpoint.change_header(goal=goal)
    await checkpoint.record("1", replace(done("1"), flags=("JavaScript",)))
    (run,) = await list_runs(tmp_path, Ear().bus)
    assert (run.todo, run.not_asked) == counts
    assert (run.done, run.flagged) == (1, 1)
