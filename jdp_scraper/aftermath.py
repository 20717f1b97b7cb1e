"""What follows a run once it is signed out and its browser has ended; none of it can cost the run anything."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.console import one_line, say
from jdp_scraper.errors import ScraperError
from jdp_scraper.settings import Settings


async def extract_values(settings: Settings, folder: RunFolder) -> int:
    """Read the values of a run's reports where the settings ask for it; return the exit code of what prevented it.

    A file that cannot be read is told, and is no failure of the run: its PDF is proven and in place, and another start
    would not change it.
    """
    if not settings.extract_values:
        return 0
    from jdp_scraper.values.command import options_of, values  # noqa: PLC0415 - a run must not start later for it

    async def read() -> int:
        await values(replace(options_of(settings), named=(folder.path,)))
        return 0

    return await _stage("values", read())


async def publish_archive(settings: Settings) -> int:
    """Build the archive of all runs where the settings ask for it; return the stage's exit code."""
    if not settings.publish_archive:
        return 0
    from jdp_scraper.archive.command import archive, options_of  # noqa: PLC0415 - as above

    return await _stage("archive", archive(options_of(settings)))


async def _stage(name: str, work: Awaitable[int]) -> int:
    """Return what a stage returns; its error is one line, and its exit code."""
    try:
        return await work
    except ScraperError as error:
        say(one_line(f"error: {name}: {error}"))
        return error.exit_code
