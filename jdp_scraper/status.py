"""``status``: what a run folder holds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from jdp_scraper.checkpoint.run_folder import RunFolder, was_begun
from jdp_scraper.checkpoint.runs import RunSummary, list_runs, summarize
from jdp_scraper.console import age_text, say, show_notice
from jdp_scraper.errors import RunFolderError
from jdp_scraper.events import Bus


async def status(download_folder: Path, run: Path | None) -> int:
    """Print one run, or all runs of a download folder, newest first; raises ``RunFolderError``."""
    bus = Bus()
    bus.subscribe(show_notice)
    if run is None:
        runs = await list_runs(download_folder, bus)
        say(
            f"{len(runs)} run{'' if len(runs) == 1 else 's'} in {download_folder}"
            if runs
            else f"no runs in {download_folder}"
        )
    else:
        runs = [await asyncio.to_thread(_one, run)]
    now = datetime.now(UTC)
    for summary in runs:
        say(_line(summary, now))
    return 0


def _one(path: Path) -> RunSummary:
    folder = RunFolder(path)
    if not path.is_dir() or not was_begun(folder):
        raise RunFolderError(f"{path} is no run folder: name one like downloads/2026-11-22")
    return summarize(folder)


def _line(run: RunSummary, now: datetime) -> str:
    state = "finished" if run.finished else "unfinished"
    goal = run.header.goal
    wanted = f"only {len(goal.only)}" if goal.only else f"first {goal.maximum}" if goal.maximum else "all"
    flagged = f" ({run.flagged} flagged)" if run.flagged else ""
    more = f", {run.not_asked} not asked for" if run.not_asked else ""
    begun = f"{run.header.started.astimezone():%Y-%m-%d %H:%M} ({age_text(run.age_days(now))} ago)"
    return (
        f"{run.folder.path.name:<14} {run.header.portal:<10} {state:<10} {run.done} done{flagged}, "
        f"{run.failed} failed, {run.todo} not fetched{more}; goal: {wanted}; begun {begun}"
    )
