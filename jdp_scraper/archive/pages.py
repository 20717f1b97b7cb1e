"""The archive's pages: an index of all vehicles, and one page for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter

from jdp_scraper.archive.columns import columns_of
from jdp_scraper.archive.history import standing
from jdp_scraper.archive.index_page import index_page, index_row
from jdp_scraper.archive.model import Archive, Report, Run, Vehicle
from jdp_scraper.archive.parts import Parts
from jdp_scraper.archive.rendering import hash_of, machinery, page_path
from jdp_scraper.archive.search_index import Search
from jdp_scraper.archive.vehicle_page import vehicle_page

INDEX = "index.html"
_ROW = "row"
# The text of a report is part of the search index alone; a run is of many reports.
_OF_VEHICLE = attrgetter(*(one.name for one in fields(Vehicle) if one.name not in {"reports", "text"}))
_OF_REPORT = attrgetter(*(one.name for one in fields(Report) if one.name not in {"run", "values"}))


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can be made: ``path`` from the archive's root, ``made_from`` a hash of all that goes into it.

    A page whose hash is that of the last build need not be made again: ``make`` would return the same bytes.
    """

    path: str
    made_from: str
    make: Callable[[], bytes]


def pages_of(
    archive: Archive, static: Mapping[str, str], search: str | None = None, parts: Parts | None = None
) -> Iterator[Page]:
    """Yield the index and then each vehicle's page; ``static`` has the paths of ``static_files.NAMES`` by name.

    ``search`` is the search index's path, where that is known already. Each vehicle's ``parts`` are begun.
    """
    parts = Parts() if parts is None else parts
    search = search or Search.of(archive).path
    columns = columns_of(archive.vehicles)
    shared = hash_of(machinery(), archive.title, sorted(static.items()), columns)
    standings = [standing(vehicle, archive.runs) for vehicle in archive.vehicles]
    runs = {key: hash_of(run) for key, run in {id(run): run for run in _runs_of(archive)}.items()}
    hashes = [
        hash_of(shared, told.value, _OF_VEHICLE(vehicle), [_told(report, runs) for report in vehicle.reports])
        for vehicle, told in zip(archive.vehicles, standings, strict=True)
    ]
    paths = [page_path(vehicle) for vehicle in archive.vehicles]
    for path, made_from in zip(paths, hashes, strict=True):
        parts.begin(path, made_from)
    everything = hash_of(shared, archive.portal, archive.runs, search, hashes)

    def index() -> bytes:
        told = zip(paths, archive.vehicles, standings, strict=True)
        rows = [(one, parts.get(path, _ROW, partial(index_row, vehicle, one, columns))) for path, vehicle, one in told]
        return index_page(archive, static, columns, search, rows)

    yield Page(INDEX, everything, index)
    for path, vehicle, told, made_from in zip(paths, archive.vehicles, standings, hashes, strict=True):
        yield Page(path, made_from, partial(vehicle_page, archive.title, static, columns, vehicle, told))


def _runs_of(archive: Archive) -> Iterator[Run]:
    yield from archive.runs
    yield from (report.run for vehicle in archive.vehicles for report in vehicle.reports)


def _told(report: Report, runs: Mapping[int, str]) -> tuple[object, ...]:
    return runs[id(report.run)], _OF_REPORT(report), list(report.values.items())
