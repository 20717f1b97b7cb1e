"""The archive's pages: an index of all vehicles, and one page for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from jdp_scraper.archive.columns import columns_of
from jdp_scraper.archive.history import standing
from jdp_scraper.archive.index_page import index_page
from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.rendering import hash_of, machinery, page_path
from jdp_scraper.archive.search_index import search_index_path
from jdp_scraper.archive.vehicle_page import vehicle_page

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can be made: ``path`` from the archive's root, ``made_from`` a hash of all that goes into it.

    A page whose hash is that of the last build need not be made again: ``make`` would return the same bytes.
    """

    path: str
    made_from: str
    make: Callable[[], bytes]


def pages_of(archive: Archive, static: Mapping[str, str]) -> Iterator[Page]:
    """Yield the index and then each vehicle's page; ``static`` has the paths of ``static_files.NAMES`` by name."""
    columns = columns_of(archive.vehicles)
    shared = (machinery(), archive.title, sorted(static.items()), columns)
    standings = [standing(vehicle, archive.runs) for vehicle in archive.vehicles]
    search = search_index_path(archive)
    # The text of a report is part of the search index alone.
    hashes = [
        hash_of(shared, told, replace(vehicle, text=""))
        for vehicle, told in zip(archive.vehicles, standings, strict=True)
    ]
    everything = hash_of(shared, archive.portal, archive.runs, search, hashes)
    yield Page(INDEX, everything, partial(index_page, archive, static, columns, standings, search))
    for vehicle, told, made_from in zip(archive.vehicles, standings, hashes, strict=True):
        make = partial(vehicle_page, archive.title, static, columns, vehicle, told)
        yield Page(page_path(vehicle), made_from, make)
