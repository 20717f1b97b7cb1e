"""Puts catalog and assets together to what the pages are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path

from jdp_scraper.archive.cache import Asset, AssetKey
from jdp_scraper.archive.model import Archive, Report, Run, Vehicle
from jdp_scraper.catalog.entries import ReportEntry, RunEntry, VehicleEntry
from jdp_scraper.checkpoint.names import SUFFIX, clean_stem
from jdp_scraper.checkpoint.run_folder import parse_name

TITLE = "Vehicle values"
_HOURS_FROM_GREENWICH = sorted(range(-14, 15), key=abs)


_stem = lru_cache(maxsize=10_000)(clean_stem)  # each is asked for several times in a build


def asset_key(report: ReportEntry) -> AssetKey | None:
    """Return under which key a report's assets are known; ``None`` for one that has no PDF."""
    if report.file is None or report.sha256 is None:
        return None
    return report.sha256, _stem(report.file.rpartition("/")[2][: -len(SUFFIX)])


def archive_of(runs: Sequence[RunEntry], vehicles: Sequence[VehicleEntry], assets: Mapping[AssetKey, Asset]) -> Archive:
    """Return the archive; ``assets`` may lack those that could not be made."""
    by_path = {run.path: Run(run.name, _on_its_day(run), _lot_of(run, runs), run.whole) for run in runs}
    portal = ", ".join(dict.fromkeys(run.portal for run in reversed(runs) if run.portal))
    return Archive(
        TITLE, portal, tuple(by_path.values()), tuple(_vehicle(vehicle, by_path, assets) for vehicle in vehicles)
    )


def _on_its_day(run: RunEntry) -> datetime:
    """Return when a run began, in a time zone in which that was on the day by which its folder is named.

    An evening's run in America has the next day's date in UTC, and its owner would look for it in vain.
    """
    named = parse_name(run.path.name)
    if named is None:
        return run.started
    moments = (run.started.astimezone(timezone(timedelta(hours=hours))) for hours in _HOURS_FROM_GREENWICH)
    return next((moment for moment in moments if moment.date() == named[0]), run.started)


def _lot_of(run: RunEntry, runs: Sequence[RunEntry]) -> str:
    """Return what tells a run's portal from others, and its account where there are several: each has its own lot."""
    accounts = {one.account for one in runs if one.portal == run.portal}
    return run.portal if len(accounts) == 1 else f"{run.portal} {run.account}"


def _vehicle(vehicle: VehicleEntry, runs: Mapping[Path, Run], assets: Mapping[AssetKey, Asset]) -> Vehicle:
    told = [(runs[run], report, _asset(report, assets)) for run, report in vehicle.reports]
    return Vehicle(
        vehicle.key,
        vehicle.slug,
        vehicle.reference,
        vehicle.vin,
        vehicle.year,
        vehicle.make,
        vehicle.model,
        vehicle.trim,
        vehicle.mileage,
        tuple(_report(run, report, asset) for run, report, asset in told),
        next((asset.text for _, _, asset in reversed(told) if asset is not None), ""),
    )


def _asset(report: ReportEntry, assets: Mapping[AssetKey, Asset]) -> Asset | None:
    key = asset_key(report)
    return None if key is None else assets.get(key)


def _report(run: Run, report: ReportEntry, asset: Asset | None) -> Report:
    return Report(
        run,
        report.status,
        report.error,
        report.flags,
        report.values,
        None if asset is None else asset.pdf,
        None if asset is None else asset.picture,
        report.sha256,
        None if asset is None else asset.size,
    )
