"""Finds the runs in a download folder, and chooses the one with which a start goes on."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from jdp_scraper.checkpoint.records import Goal, RunHeader, TaskState
from jdp_scraper.checkpoint.recovery import recover
from jdp_scraper.checkpoint.run_folder import RunFolder, parse_name, was_begun
from jdp_scraper.disk import storage_errors
from jdp_scraper.errors import RunFolderError, RunTooOld
from jdp_scraper.events import Bus, Notice

TOO_OLD_DAYS = 7


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as its folder tells of it; counts are numbers of vehicles.

    ``todo`` are asked for by the run's goal, ``not_asked`` are not; ``flagged`` have flags on their PDF.
    """

    folder: RunFolder
    header: RunHeader
    todo: int
    done: int
    failed: int
    not_asked: int = 0
    flagged: int = 0

    @property
    def finished(self) -> bool:
        """Tell whether nothing of the run's goal is left; a run that ended with failures has something left."""
        return self.header.finished and not self.failed

    def age_days(self, now: datetime) -> float:
        """Return the days since the run's start; ``now`` needs its time zone."""
        return (now - self.header.started) / timedelta(days=1)


async def list_runs(download_folder: Path, bus: Bus) -> list[RunSummary]:
    """Return all runs, newest first, without changing any; a broken one is told by a notice and left out."""
    found, notices = await asyncio.to_thread(_find_runs, download_folder)
    for notice in notices:
        bus.publish(notice)
    return found


def choose_run(
    runs: Iterable[RunSummary],
    *,
    portal: str,
    account: str,
    now: datetime,
    origin: str | None = None,
    new: bool = False,
    resume: bool = False,
) -> RunSummary | None:
    """Return the first unfinished one of ``runs`` of this portal and account (and origin, where given), if any.

    One that a newer finished run covers is passed over, so that what ``--new`` left behind is not taken up for ever.

    ``None`` means another run is to begin, as always with ``new``. Raises ``RunTooOld`` for a run that began more than
    7 days ago, unless ``resume`` is given.
    """
    if new:
        return None
    finished: list[Goal] = []
    for run in runs:
        header = run.header
        ours = (header.portal, header.account) == (portal, account) and origin in (None, header.origin)
        if ours and run.finished:
            finished.append(header.goal)
        elif ours and not any(covers(goal, header.goal) for goal in finished):
            _check_age(run, now, resume)
            return run
    return None


def covers(newer: Goal, older: Goal) -> bool:
    """Tell whether a newer run that has ended well makes an older one pointless: it fetched at least as much."""
    if newer.only or older.only:
        return newer == older or newer == Goal()
    return newer.maximum == 0 or 0 < older.maximum <= newer.maximum


def _check_age(run: RunSummary, now: datetime, resume: bool) -> None:
    age = run.age_days(now)
    if age > TOO_OLD_DAYS and not resume:
        raise RunTooOld(
            f"the unfinished run {run.folder.path.name} is {int(age)} days old: "
            "say --resume to go on with it, or --new to begin another"
        )


def _find_runs(download_folder: Path) -> tuple[list[RunSummary], list[Notice]]:
    notices: list[Notice] = []
    found: list[RunSummary] = []
    for folder in _run_folders(download_folder):
        try:
            if was_begun(folder):
                found.append(summarize(folder))
        except (RunFolderError, OSError) as error:
            notices.append(Notice("warning", f"the run folder {folder.path.name} is passed over: {error}"))
    return found, notices


def summarize(folder: RunFolder) -> RunSummary:
    """Read one run without changing it; blocks, raises ``RunFolderError``."""
    state = recover(folder.data).state
    asked = asked_for(state.header.goal, list(state.records))
    counts = Counter(record.state for record in state.records.values())
    not_asked = sum(1 for key, record in state.records.items() if record.state is TaskState.TODO and key not in asked)
    flagged = sum(1 for record in state.records.values() if record.flags)
    todo, done, failed = (counts[kind] for kind in (TaskState.TODO, TaskState.DONE, TaskState.FAILED))
    return RunSummary(folder, state.header, todo - not_asked, done, failed, not_asked, flagged)


def asked_for(goal: Goal, keys: list[str]) -> set[str]:
    """Return the keys of a goal as far as keys tell: the further vehicles of a reference are ``<reference>~<VIN>``."""
    if goal.only:
        wanted = set(goal.only)
        return {key for key in keys if key in wanted or key.rpartition("~")[0] in wanted}
    return set(keys[: goal.maximum or None])


def newest_run(download_folder: Path) -> RunFolder | None:
    """Return the folder of the newest run, whatever state it is in; blocks, raises ``OSError``, ``StorageError``."""
    return next((folder for folder in _run_folders(download_folder) if was_begun(folder)), None)


def begun_runs(download_folder: Path) -> list[RunFolder]:
    """Return the folders of all runs, newest first, whatever state they are in; blocks, as ``newest_run``."""
    return [folder for folder in _run_folders(download_folder) if was_begun(folder)]


def find_run(download_folder: Path, named: Path) -> RunFolder:
    """Return the run of a name below ``download_folder`` or of a path; blocks, raises ``RunFolderError``."""
    for path in (download_folder / named, named):
        folder = RunFolder(whole_path(path))
        with storage_errors(str(path)):
            if path.is_dir() and was_begun(folder):
                return folder
    raise RunFolderError(f"{named} is no run folder: name one like 2026-11-22 or downloads/2026-11-22")


def whole_path(path: Path) -> Path:
    """Return the path from the root, which says where a folder was looked for.

    Not resolved: the lock is that of the folder in which a run is found, also where it is a link to elsewhere.
    """
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps ".."


def _run_folders(download_folder: Path) -> list[RunFolder]:
    dated: list[tuple[date, int, Path]] = []
    with storage_errors(str(download_folder)):
        for path in download_folder.iterdir() if download_folder.is_dir() else ():
            parsed = parse_name(path.name)
            if parsed is not None and path.is_dir():
                dated.append((*parsed, path))
    return [RunFolder(path) for _, _, path in sorted(dated, reverse=True)]
