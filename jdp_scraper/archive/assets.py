"""The archive's copy, picture and text of each PDF: those of the last build where they still hold, the rest made anew.

Each PDF is one task for a worker process. What is made depends on the PDF alone and is named by its content, so that
one worker and many leave the same bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from jdp_scraper.archive.assembling import asset_key
from jdp_scraper.archive.asset import PDFS, RECIPE, Made, fingerprinted
from jdp_scraper.archive.cache import Asset, AssetKey
from jdp_scraper.archive.postprocess import Workers
from jdp_scraper.archive.stages import Stage
from jdp_scraper.archive.staging import Staging
from jdp_scraper.batch.in_order import in_order
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.catalog.entries import ReportEntry
from jdp_scraper.errors import DiskFull, JobFailed, StorageError
from jdp_scraper.pdf.unbroken import meanwhile

_LIBRARIES = ("pypdfium2", "pillow")
_OPTIMIZER = "pikepdf"
# By its name, as it is slow to import and only a worker needs it.
MODULES = ("jdp_scraper.archive.asset_work",)
_MAKE = f"{MODULES[0]}:make_asset"
# What the start of one more worker costs is gained again with so many assets; the fewest that work at the same time.
_ASSETS_A_WORKER = 8
FEW = 3
Told: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A PDF that the archive shows: ``file`` is its path in the folder of its run, ``size`` in bytes."""

    key: AssetKey
    run: Path
    file: str
    size: int

    @property
    def source(self) -> Path:
        """The whole path."""
        return self.run / self.file


@dataclass(slots=True)
class Assets:
    """All assets by their key; ``problems`` are lines for people, ``again``: the next build must try once more."""

    by_key: dict[AssetKey, Asset] = field(default_factory=dict)
    made: int = 0
    problems: list[str] = field(default_factory=list)
    again: bool = False


@cache
def recipe(optimize: bool) -> str:
    """Return what tells two ways of making assets apart."""
    libraries = (*_LIBRARIES, _OPTIMIZER) if optimize else _LIBRARIES
    return " ".join([str(RECIPE), *(f"{name} {version(name)}" for name in libraries)])


def wanted_of(reports: Iterable[tuple[Path, ReportEntry]]) -> list[Wanted]:
    """Return the PDFs of these reports, each with its run's folder: each content under a name once."""
    found: dict[AssetKey, Wanted] = {}
    for run, report in reports:
        key = asset_key(report)
        if key is not None and key not in found:
            found[key] = Wanted(key, run, report.file or "", report.size or 0)
    return list(found.values())


class AssetMaker:
    """Makes the assets that are missing, beginning with those of which it is told early."""

    def __init__(self, staging: Staging, workers: Workers, parallel: Parallel, *, optimize: bool) -> None:
        self._staging = staging
        self._workers = workers
        self._parallel = parallel
        self._optimize = optimize
        self._few = FEW
        self._known: Mapping[AssetKey, Asset] = {}
        self._kept: dict[AssetKey, Asset] = {}
        self._begun: set[AssetKey] = set()
        self._tasks: list[asyncio.Task[list[tuple[Wanted, Told]]]] = []
        self._stage = Stage(1)

    def start(self, known: Mapping[AssetKey, Asset], stage: Stage, there: int) -> None:
        """Say what the last build has made, before anything is begun; ``stage`` counts the tasks.

        ``there`` are the workers that need not be started any more: all of them are worth it for any number of PDFs.
        """
        self._known = known
        self._few = max(FEW, there)
        self._stage = stage

    def begin(self, wanted: Iterable[Wanted]) -> None:
        """Begin to make what is missing of these, whatever else will be wanted; does not wait."""
        unseen = [one for one in wanted if one.key not in self._kept and one.key not in self._begun]
        self._kept |= {one.key: self._known[one.key] for one in unseen if self._is_intact(one)}
        missing = [one for one in unseen if one.key not in self._kept]
        if missing:
            self._begun |= {one.key for one in missing}
            self._tasks.append(asyncio.ensure_future(self._make(missing)))

    async def finish(self, wanted: Sequence[Wanted]) -> Assets:
        """Put the assets of all these PDFs into ``staging``, and return them; one that fails stops no other.

        Raises ``StorageError``, and ``UnusableError`` where no worker can be started.
        """
        self.begin(wanted)
        async with meanwhile(asyncio.to_thread(_keep, self._kept.values(), self._staging)):
            made = [one for task in self._tasks for one in await task]
        assets = Assets(made=len(made))
        await asyncio.to_thread(_place, made, self._staging, assets)
        assets.by_key |= self._kept
        for one in wanted:
            if (asset := assets.by_key.get(one.key)) is not None:
                assets.problems += (f"{one.source}: {fault}" for fault in asset.faults)
                assets.again = assets.again or not asset.lasting
        return assets

    async def give_up(self) -> None:
        """Stop making; returns once no job is under way any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _is_intact(self, one: Wanted) -> bool:
        asset = self._known.get(one.key)
        return asset is not None and all(map(self._staging.is_intact, asset.files))

    async def _make(self, missing: Sequence[Wanted]) -> list[tuple[Wanted, Told]]:
        async def make(one: Wanted) -> tuple[Wanted, Told]:
            folder = str(self._staging.root)
            try:
                told = await self._workers.run(_MAKE, str(one.source), *one.key, folder, self._optimize)
            except JobFailed as error:
                return one, {"failed": str(error)}
            if "unwritten" in told:
                raise (DiskFull if told["full"] else StorageError)(told["unwritten"])
            self._stage.took(told.get("seconds", 0.0))
            return one, told

        worth = max(self._few, -(-len(missing) // _ASSETS_A_WORKER))
        size = min(worth, self._parallel.size_for(len(missing)))
        self._stage.workers = max(self._stage.workers, size)
        return [one async for one in in_order(missing, make, size=size)]


def _keep(assets: Iterable[Asset], staging: Staging) -> None:
    for path in dict.fromkeys(path for asset in assets for path in asset.files):
        staging.keep(path)


def _place(made: Iterable[tuple[Wanted, Told]], staging: Staging, assets: Assets) -> None:
    """Count in what the workers have written, and put the PDFs beside it that are shown as they are."""
    for one, told in made:
        if "gone" in told:
            assets.problems.append(f"{one.source}: {told['gone']}")
            assets.again = True
        else:
            found = Made(**told["made"]) if "made" in told else Made(faults=[told["failed"]])
            if found.picture is not None:
                staging.take_in(found.picture)
            assets.by_key[one.key] = _asset(one, found, staging, lasting="made" in told)


def _asset(one: Wanted, found: Made, staging: Staging, *, lasting: bool) -> Asset:
    sha256, stem = one.key
    pdf, size = found.pdf, found.size
    if pdf is None or size is None:
        pdf, size = fingerprinted(PDFS, stem, sha256, "pdf"), one.size
        staging.link(pdf, one.source)
    else:
        staging.take_in(pdf)
    return Asset(pdf, size, found.picture, found.text, tuple(found.faults), lasting)
