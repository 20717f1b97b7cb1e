"""Finds the run before each run, and compares the two."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.checkpoint.runs import begun_runs, covers
from jdp_scraper.errors import InventoryError, RunFolderError, StorageError
from jdp_scraper.pdf.value_rules import FieldType
from jdp_scraper.values.changes import Before, Change, Identity, Values, changes, values_of, written_values
from jdp_scraper.values.files import JSONL
from jdp_scraper.values.place import Place, read_run
from jdp_scraper.values.table import Row
from jdp_scraper.vehicle import Vehicle


async def comparison(
    places: Sequence[Place], rows: Mapping[Path, Sequence[Row]], columns: Mapping[str, FieldType]
) -> list[Change] | None:
    """Return what has changed in each run since the one before; ``None`` where there is nothing to compare.

    ``rows`` are those just read, by the folder of their place; another run's are read from its ``values.jsonl``.
    """
    found: list[Change] | None = None
    for place in places:
        before = await _before(place, rows, columns)
        if before is not None:
            path = place.source.path
            found = found or []
            found += changes(path.name, columns, place.inventory, rows[path], before)
    return found


async def _before(place: Place, rows: Mapping[Path, Sequence[Row]], columns: Mapping[str, FieldType]) -> Before | None:
    """Return the newest earlier run of the same portal and account whose values are known.

    One that was asked for as much as this one goes before a newer one that was not: three vehicles tried out in between
    say nothing of the others.
    """
    header = place.header
    if header is None:
        return None
    try:
        folders = await asyncio.to_thread(begun_runs, place.source.path.parent)
    except (OSError, StorageError):
        return None
    less: Before | None = None
    for folder in folders:
        if folder.path == place.source.path:
            continue
        try:
            other, inventory, files = await read_run(folder.path)
        except (RunFolderError, InventoryError):
            continue  # a broken one is for `status` to tell of
        if (other.portal, other.account) != (header.portal, header.account) or other.started >= header.started:
            continue
        if less is not None and not covers(other.goal, header.goal):
            continue
        if folder.path in rows:
            found = Before(inventory, values_of(rows[folder.path]))
        else:
            vehicles = {file.name: file.vehicle for file in files if file.vehicle is not None}
            written = await asyncio.to_thread(_written, folder, vehicles, columns)
            if written is None:
                continue
            found = Before(inventory, written)
        if covers(other.goal, header.goal):
            return found
        less = less or found
    return less


def _written(
    folder: RunFolder, vehicles: Mapping[str, Vehicle], columns: Mapping[str, FieldType]
) -> dict[Identity, Values] | None:
    try:
        return written_values(folder.data / JSONL, vehicles, columns)
    except OSError:
        return None
