"""The index: one row a vehicle, with its newest values, and what is needed to search, filter and sort them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from jdp_scraper.archive.columns import (
    NOTHING,
    Column,
    headline_of,
    kept_columns,
    money_columns,
    newest_value,
    written,
)
from jdp_scraper.archive.history import Standing, latest_change
from jdp_scraper.archive.model import Archive, Vehicle
from jdp_scraper.archive.rendering import badge, day, page_path, render, trend


def index_page(
    archive: Archive,
    static: Mapping[str, str],
    columns: Sequence[Column],
    standings: Sequence[Standing],
    search: str,
) -> bytes:
    """Make the index; ``standings`` are the vehicles', in order, and ``search`` is the path of the search index."""
    money, vehicles = money_columns(columns), archive.vehicles
    headline, kept = headline_of(columns), kept_columns(columns)
    counted = Counter(standings)
    return render(
        "index.html",
        title=archive.title,
        runs=archive.runs,
        newest=max(archive.runs, key=lambda run: run.started, default=None),
        static=static,
        root="",
        search=search,
        money=money,
        kept=kept,
        headline=headline,
        makes=sorted({vehicle.make for vehicle in vehicles if vehicle.make}, key=lambda make: (make.casefold(), make)),
        years=sorted({vehicle.year for vehicle in vehicles if vehicle.year}, reverse=True),
        standings=[(one.value, counted[one]) for one in Standing if counted[one]],
        rows=[_row(*one, money, headline, kept) for one in zip(vehicles, standings, strict=True)],
    )


def _row(
    vehicle: Vehicle, told: Standing, money: Sequence[Column], headline: Column | None, kept: frozenset[str]
) -> dict[str, Any]:
    return {
        "vehicle": vehicle,
        "href": page_path(vehicle),
        "standing": told.value,
        "badge": badge(told),
        "cells": [
            {
                "text": written(newest_value(vehicle, column), column.kind),
                "kept": column.name in kept,
                "lead": column == headline,
            }
            for column in money
        ],
        "seen": day(vehicle.newest.run.started) if vehicle.newest else NOTHING,
        **trend(latest_change(vehicle, headline) if headline else None),
    }
