"""Which reports are of one vehicle, over all runs; pure.

A vehicle is known by its VIN, under whatever reference a run lists it. A VIN that is none, as a made-up or a short one,
counts together with the reference. Without a VIN it is the one of its portal that has this reference, if there is only
one, else a vehicle of its own. What one run has twice under a VIN are two vehicles, told apart by reference, and then
by their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from jdp_scraper.catalog.entries import ReportEntry, RunEntry, VehicleEntry, first, to_json
from jdp_scraper.checkpoint.names import assign_file_names, stem_of
from jdp_scraper.vehicle import Vehicle, tells_alone, told_vin

_Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sighting:
    run: RunEntry
    report: ReportEntry
    vin: str  # of ``told_vin``

    @property
    def key(self) -> _Key:
        if tells_alone(self.vin):
            return "vin", self.vin
        alone = "reference", self.run.portal, self.report.reference
        return (*alone, self.vin) if self.vin else alone


def vehicles_of(runs: Iterable[tuple[RunEntry, Sequence[ReportEntry]]]) -> list[VehicleEntry]:
    """Return all vehicles of these runs, which are given oldest to newest; those of the newest run come first."""
    sightings = [_Sighting(run, report, told_vin(report.vin)) for run, reports in runs for report in reports]
    grouped: dict[str, list[_Sighting]] = defaultdict(list)
    for parts, sighting in zip(_keys(sightings), sightings, strict=True):
        grouped[to_json(parts)].append(sighting)
    # In the order in which they were first seen, so that a later vehicle takes no older one's slug away.
    named = {key: Vehicle(seen[0].report.reference, seen[0].vin) for key, seen in grouped.items()}
    slugs = {key: stem_of(name) for key, name in assign_file_names(named).items()}
    found = [_vehicle(key, slugs[key], seen) for key, seen in grouped.items()]
    last = {key: (seen[-1].run, seen[-1].report.place) for key, seen in grouped.items()}
    order = {path: place for place, path in enumerate(dict.fromkeys(one.run.path for one in reversed(sightings)))}
    return sorted(found, key=lambda one: (order[last[one.key][0].path], last[one.key][1]))


def _keys(sightings: Sequence[_Sighting]) -> list[_Key]:
    told: dict[tuple[str, str], set[_Key]] = defaultdict(set)
    for one in sightings:
        if one.vin:
            told[one.run.portal, one.report.reference].add(one.key)
    keys = [_key(one, told[one.run.portal, one.report.reference]) for one in sightings]
    keys = _split(keys, sightings, [one.report.reference for one in sightings])
    return _split(keys, sightings, _numbers(keys, sightings))


def _key(one: _Sighting, told: set[_Key]) -> _Key:
    """Return a sighting's own key, or without a VIN the only one that is told for its reference."""
    return next(iter(told)) if not one.vin and len(told) == 1 else one.key


def _split(keys: Sequence[_Key], sightings: Sequence[_Sighting], more: Sequence[str]) -> list[_Key]:
    """Lengthen the keys of what any run has twice."""
    count = Counter((key, one.run.path) for key, one in zip(keys, sightings, strict=True))
    twice = {key for (key, _), times in count.items() if times > 1}
    return [(*key, tail) if key in twice else key for key, tail in zip(keys, more, strict=True)]


def _numbers(keys: Sequence[_Key], sightings: Sequence[_Sighting]) -> list[str]:
    seen: Counter[tuple[_Key, Path]] = Counter()
    told = []
    for key, one in zip(keys, sightings, strict=True):
        seen[key, one.run.path] += 1
        told.append(str(seen[key, one.run.path]))
    return told


def _vehicle(key: str, slug: str, seen: Sequence[_Sighting]) -> VehicleEntry:
    vin = first(one.vin or None for one in reversed(seen))
    return VehicleEntry.of(key, slug, seen[-1].report.reference, vin, ((one.run.path, one.report) for one in seen))
