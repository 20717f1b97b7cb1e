"""What follows a run once it is signed out and its browser has ended; none of it can cost the run anything."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING

from jdp_scraper import system
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.console import one_line, unexpected_text
from jdp_scraper.errors import Interrupted, ScraperError
from jdp_scraper.run_report import RunReport
from jdp_scraper.settings import Settings
from jdp_scraper.stop import StopRequest

if TYPE_CHECKING:
    from jdp_scraper.batch.workers import WorkerProcesses

_CUT_OFF = (
    "Interrupted: the reports that were fetched are in place; the commands values and archive make what is missing."
)


async def follow_up(settings: Settings, report: RunReport, stop: StopRequest) -> int:
    """Do all that follows a run; return the first exit code that is not 0.

    A signal cuts it off, with what was there before left whole: raises ``Interrupted``.
    """
    if report.folder is None:
        return 0
    with system.on_stop_signals(stop.receive):
        try:
            codes = await stop.guard(_follow_up(settings, report.folder))
        except Interrupted as error:
            raise Interrupted(error.signal_number, _CUT_OFF) from error
    return next(filter(None, codes), 0)


async def _follow_up(settings: Settings, folder: RunFolder) -> list[int]:
    if not (settings.extract_values and settings.publish_archive):
        return [await extract_values(settings, folder), await publish_archive(settings)]
    from jdp_scraper.archive import assets, build  # noqa: PLC0415 - a run must not start later for it
    from jdp_scraper.batch.workers import WorkerProcesses  # noqa: PLC0415 - as above
    from jdp_scraper.values import reading  # noqa: PLC0415 - as above

    # The archive's workers are those that have read the values: a new one takes longer to start than a PDF.
    modules = (*reading.MODULES, *assets.MODULES)
    async with WorkerProcesses(settings.workers, reading.LIMITS.and_higher(build.LIMITS), modules) as processes:
        return [await extract_values(settings, folder, processes), await publish_archive(settings, processes)]


async def extract_values(settings: Settings, folder: RunFolder, processes: WorkerProcesses | None = None) -> int:
    """Read the values of a run's reports where the settings ask for it; return the exit code of what prevented it.

    A file that cannot be read is told, and is no failure of the run: its PDF is proven and in place, and another start
    would not change it.
    """
    if not settings.extract_values:
        return 0
    from jdp_scraper.values.command import options_of, values  # noqa: PLC0415 - a run must not start later for it

    async def read() -> int:
        await values(replace(options_of(settings), named=(folder.path,)), processes=processes)
        return 0

    return await _stage("values", read())


async def publish_archive(settings: Settings, processes: WorkerProcesses | None = None) -> int:
    """Build the archive of all runs where the settings ask for it; return the exit code of what prevented it.

    What is wrong with a PDF, of an old run perhaps, is told and is no failure of this one: a scheduler would start the
    whole run again for it, and again.
    """
    if not settings.publish_archive:
        return 0
    from jdp_scraper.archive.command import archive, options_of  # noqa: PLC0415 - as above

    async def build() -> int:
        await archive(options_of(settings), processes=processes)
        return 0

    return await _stage("archive", build())


async def _stage(name: str, work: Awaitable[int]) -> int:
    """Return what a stage returns; its error is one line, and its exit code."""
    try:
        return await work
    except ScraperError as error:
        sys.stderr.write(f"{one_line(f'error: {name}: {error}')}\n")
        return error.exit_code
    except Exception as error:  # a fault of this program, which must not take the next stage with it
        sys.stderr.write(unexpected_text(error))
        return ScraperError.exit_code
