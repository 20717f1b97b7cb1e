"""``archive``: builds the archive, and says what came of it. No credentials, no browser."""

from __future__ import annotations

from collections.abc import Iterator

from jdp_scraper.archive.build import BuildOptions, Built, build
from jdp_scraper.archive.pages import INDEX
from jdp_scraper.archive.stages import stage_lines
from jdp_scraper.batch.workers import WorkerProcesses
from jdp_scraper.console import one_line, say
from jdp_scraper.settings import Settings

SHOWN = 20


def options_of(settings: Settings) -> BuildOptions:
    """Return what the settings say of a build."""
    return BuildOptions(
        settings.download_folder,
        base=settings.archive_url,
        optimize=settings.optimize_pdf,
        minify=settings.minify,
        parallel_assets=settings.parallel and settings.parallel_assets,
        parallel_postprocess=settings.parallel and settings.parallel_postprocess,
        workers=settings.workers,
    )


async def archive(options: BuildOptions, *, verbose: bool = False, processes: WorkerProcesses | None = None) -> int:
    """Build, and print what is wrong and a summary; return 1 where anything was wrong, else 0.

    Raises ``ArchiveError``, ``RunFolderError``, ``InventoryError``, ``StorageError``; ``UnusableError`` where no worker
    process can be started. Whatever is raised, the archive that was there is as it was. ``processes`` are as for
    ``build``.
    """
    built = await build(options, processes=processes)
    for line in built_lines(built, verbose=verbose, workers=options.workers):
        say(one_line(line))
    return 1 if built.problems else 0


def built_lines(built: Built, *, verbose: bool, workers: int) -> Iterator[str]:
    """Yield what a person is told of a build."""
    shown = built.problems if verbose else built.problems[:SHOWN]
    yield from (f"warning: {problem}" for problem in shown)
    if len(shown) < len(built.problems):
        yield f"warning: ... and {len(built.problems) - len(shown)} more: --verbose tells all"
    yield f"archive of {_count(built.vehicles, 'vehicle')} in {_count(built.runs, 'run')}: {_done(built)}"
    yield f"  open       {built.out / INDEX}"
    if verbose:
        yield from stage_lines(built.stages, workers)


def _done(built: Built) -> str:
    if built.unchanged:
        return f"nothing has changed since it was built; {built.seconds:.2f} s"
    return (
        f"{_count(built.pdfs, 'PDF')}, {built.made} of them made ready, {_count(built.pages, 'page')} made, "
        f"{_count(built.links, 'link')} checked; {built.seconds:.2f} s"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
