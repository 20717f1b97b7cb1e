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
from jdp_scraper.catalog.entries import VehicleEntry
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
    """A PDF that the archive shows: ``source`` is its file in its run, ``size`` in bytes."""

    key: AssetKey
    source: Path
    size: int


@dataclass(frozen=True, slots=True)
class Making:
    """How assets are made; ``stage`` counts the tasks."""

    parallel: Parallel
    optimize: bool
    stage: Stage


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


def wanted_of(vehicles: Iterable[VehicleEntry]) -> list[Wanted]:
    """Return the PDFs of all reports, each content under a name once."""
    found: dict[AssetKey, Wanted] = {}
    for vehicle in vehicles:
        for run, report in vehicle.reports:
            key = asset_key(report)
            if key is not None and report.file is not None:
                found.setdefault(key, Wanted(key, run / report.file, report.size or 0))
    return list(found.values())


async def make_assets(
    wanted: Sequence[Wanted], known: Mapping[AssetKey, Asset], staging: Staging, workers: Workers, making: Making
) -> Assets:
    """Put the assets of all PDFs into ``staging``, and return them; one that fails stops no other.

    Raises ``StorageError``, and ``UnusableError`` where no worker can be started.
    """
    assets = Assets()
    missing = [one for one in wanted if not _is_intact(known.get(one.key), staging)]
    left = {one.key for one in missing}
    kept = {one.key: known[one.key] for one in wanted if one.key not in left}
    # First, as a worker may make the same picture once more; the others while the workers are at work.
    stems = {stem for _, stem in left}
    near = [one for (_, stem), one in kept.items() if stem in stems]
    await asyncio.to_thread(_keep, near, staging)
    async with meanwhile(asyncio.to_thread(_keep, kept.values(), staging)):
        made = await _make(missing, staging, workers, making)
    await asyncio.to_thread(_place, made, staging, assets)
    for one in wanted:  # in their order, whatever was made first
        if one.key in kept:
            assets.by_key[one.key] = kept[one.key]
        if (asset := assets.by_key.get(one.key)) is not None:
            assets.problems += (f"{one.source}: {fault}" for fault in asset.faults)
            assets.again = assets.again or not asset.lasting
    assets.made = len(missing)
    return assets


async def _make(
    missing: Sequence[Wanted], staging: Staging, workers: Workers, making: Making
) -> list[tuple[Wanted, Told]]:
    async def make(one: Wanted) -> tuple[Wanted, Told]:
        try:
            told = await workers.run(_MAKE, str(one.source), *one.key, str(staging.root), making.optimize)
        except JobFailed as error:
            return one, {"failed": str(error)}
        if "unwritten" in told:
            raise (DiskFull if told["full"] else StorageError)(told["unwritten"])
        making.stage.took(told.get("seconds", 0.0))
        return one, told

    worth = max(FEW, -(-len(missing) // _ASSETS_A_WORKER))
    making.stage.workers = min(worth, making.parallel.size_for(len(missing)))
    return [one async for one in in_order(missing, make, size=making.stage.workers)]


def _is_intact(asset: Asset | None, staging: Staging) -> bool:
    return asset is not None and all(staging.is_intact(path) for path in asset.files)


def _keep(assets: Iterable[Asset], staging: Staging) -> None:
    for path in dict.fromkeys(path for asset in assets for path in asset.files):
        if path not in staging.files:
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
