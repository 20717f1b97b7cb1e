"""What is indexed: run folders, and folders of PDFs that no run has made."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jdp_scraper.checkpoint.names import SUFFIX
from jdp_scraper.checkpoint.run_folder import RunFolder, was_begun
from jdp_scraper.checkpoint.runs import begun_runs, whole_path
from jdp_scraper.disk import storage_errors
from jdp_scraper.errors import RunFolderError

# Lies in the root of every archive, so that one is never taken for a folder of PDFs, nor another folder for one.
ARCHIVE_MARK = ".archive"


@dataclass(frozen=True, slots=True)
class Source:
    """A run's folder, or with ``is_run`` unset a folder of PDFs; ``name`` is its own among all sources.

    ``named`` was asked for by name, so that it is an error where it cannot be used. ``apart`` are folders below it that
    are no part of it.
    """

    path: Path
    is_run: bool
    name: str
    named: bool = True
    apart: frozenset[Path] = frozenset()


def find_sources(download_folder: Path, named: Sequence[Path], apart: Collection[Path] = ()) -> list[Source]:
    """Return what is named, or all runs of ``download_folder`` where nothing is; blocks.

    A name is a run's below ``download_folder``, or the path of a run or of a folder with sub-folders. Folders in
    ``apart`` are passed over. Raises ``RunFolderError`` and ``StorageError``.
    """
    found: dict[Path, Source] = {}
    if not named:
        folder = whole_path(download_folder)
        with storage_errors(str(folder)):
            begun = begun_runs(folder)
        for run in reversed(begun):
            found[run.path] = Source(run.path, True, run.path.name, named=False)
        if not found:
            raise RunFolderError(f"no runs in {folder}: fetch reports first, or name a folder of PDFs")
    skipped = {whole_path(path) for path in apart}
    for name in named:
        for source in _sources_of(download_folder, name, skipped):
            found.setdefault(source.path, source)
    return _with_names_of_their_own([replace(one, apart=_below(one, found, skipped)) for one in found.values()])


def pdfs_below(source: Source) -> Iterator[Path]:
    """Yield the PDFs of a folder and its sub-folders, as their names say, sorted; blocks, raises ``OSError``.

    Hidden folders, archives, and links to folders are passed over.
    """
    for folder, folders, names in os.walk(source.path, onerror=_raise):
        here = Path(folder)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and here / one not in source.apart)
        if ARCHIVE_MARK in names:
            folders[:] = []
            continue
        yield from (here / one for one in sorted(names) if one.lower().endswith(SUFFIX) and not one.startswith("."))


def _sources_of(download_folder: Path, named: Path, skipped: Collection[Path]) -> Iterator[Source]:
    for path in dict.fromkeys((whole_path(download_folder / named), whole_path(named))):
        with storage_errors(str(path)):
            if not path.is_dir():
                continue
            if _is_run(path):
                yield Source(path, True, path.name)
                return
            runs = list(_runs_below(path, skipped))
            yield from (Source(one, True, one.name, named=False) for one in runs)
            folder = Source(path, False, path.name, apart=frozenset({*skipped, *runs}))
            if next(pdfs_below(folder), None) is not None:
                yield folder
            elif not runs:
                raise RunFolderError(f"{path} holds no PDFs: name a run like 2026-11-22, or a folder of PDFs")
            return
    raise RunFolderError(f"{named} is neither a run nor a folder: name a run like 2026-11-22, or a folder of PDFs")


def _runs_below(path: Path, skipped: Collection[Path]) -> Iterator[Path]:
    for folder, folders, names in os.walk(path, onerror=_raise):
        here = Path(folder)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and here / one not in skipped)
        if ARCHIVE_MARK in names:
            folders[:] = []
        elif here != path and _is_run(here):
            yield here
            folders[:] = []


def _is_run(path: Path) -> bool:
    return (path / "run_data").is_dir() and was_begun(RunFolder(path))


def _below(source: Source, found: Collection[Path], skipped: Collection[Path]) -> frozenset[Path]:
    """Return what lies below a folder and is no part of it: other sources, and what is passed over."""
    return frozenset(one for one in {*found, *skipped} if source.path in one.parents)


def _with_names_of_their_own(sources: list[Source]) -> list[Source]:
    """Put as many folders above before equal names as it takes to tell them apart."""
    depth = 1
    while True:
        names = ["/".join(one.path.parts[-depth:]) for one in sources]
        count = Counter(names)
        if max(count.values(), default=1) == 1 or depth > max(len(one.path.parts) for one in sources):
            break
        depth += 1
    short = Counter(one.name for one in sources)
    return [replace(one, name=name) if short[one.name] > 1 else one for one, name in zip(sources, names, strict=True)]


def _raise(error: OSError) -> None:
    raise error
