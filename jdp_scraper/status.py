"""``status``: what a run folder holds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from jdp_scraper.checkpoint.runs import RunSummary, find_run, list_runs, summarize, whole_path
from jdp_scraper.console import age_text, one_line, say, show_notice
from jdp_scraper.events import Bus
from jdp_scraper.loopback import leads_to_loopback


async def status(download_folder: Path, run: Path | None) -> int:
    """Print one run, or all runs of a download folder, newest first; raises ``RunFolderError``."""
    bus = Bus()
    bus.subscribe(show_notice)
    if run is None:
        runs = await list_runs(download_folder, bus)
        say(one_line(f"{len(runs) or 'no'} run{'' if len(runs) == 1 else 's'} in {whole_path(download_folder)}"))
    else:
        runs = [await asyncio.to_thread(_one, download_folder, run)]
    now = datetime.now(UTC)
    for summary in runs:
        say(_line(summary, now))
    return 0


def _one(download_folder: Path, run: Path) -> RunSummary:
    return summarize(find_run(download_folder, run))


def _line(run: RunSummary, now: datetime) -> str:
    state = "finished" if run.finished else "unfinished"
    goal = run.header.goal
    wanted = f"only {len(goal.only)}" if goal.only else f"first {goal.maximum}" if goal.maximum else "all"
    flagged = f" ({run.flagged} flagged)" if run.flagged else ""
    more = f", {run.not_asked} not asked for" if run.not_asked else ""
    at = f" at {run.header.origin}" if leads_to_loopback(run.header.origin) else ""  # a demo portal, as like as not
    begun = f"{run.header.started.astimezone():%Y-%m-%d %H:%M} ({age_text(run.age_days(now))} ago)"
    return (
        f"{run.folder.path.name:<14} {run.header.portal:<10} {state:<10} {run.done} done{flagged}, "
        f"{run.failed} failed, {run.todo} not fetched{more}; goal: {wanted}; begun {begun}{at}"
    )
