"""The index: one row a vehicle, with its newest values, and what is needed to search, filter and sort them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup

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
from jdp_scraper.archive.rendering import badge, day, page_path, render, render_text, trend


def index_page(
    archive: Archive,
    static: Mapping[str, str],
    columns: Sequence[Column],
    search: str,
    rows: Sequence[tuple[Standing, str]],
) -> bytes:
    """Make the index; ``rows`` are of ``index_row``, in order, ``search`` is the search index's path."""
    vehicles = archive.vehicles
    counted = Counter(told for told, _ in rows)
    return render(
        "index.html",
        title=archive.title,
        runs=archive.runs,
        newest=max(archive.runs, key=lambda run: run.started, default=None),
        static=static,
        root="",
        search=search,
        money=money_columns(columns),
        kept=kept_columns(columns),
        headline=headline_of(columns),
        makes=sorted({vehicle.make for vehicle in vehicles if vehicle.make}, key=lambda make: (make.casefold(), make)),
        years=sorted({vehicle.year for vehicle in vehicles if vehicle.year}, reverse=True),
        standings=[(one.value, counted[one]) for one in Standing if counted[one]],
        vehicles=len(rows),
        rows=Markup("\n".join(row for _, row in rows)),  # noqa: S704 - made of a template, each
    )


def index_row(vehicle: Vehicle, told: Standing, columns: Sequence[Column]) -> str:
    """Make a vehicle's row."""
    headline, kept = headline_of(columns), kept_columns(columns)
    return render_text(
        "row.html",
        vehicle=vehicle,
        href=page_path(vehicle),
        standing=told.value,
        badge=badge(told),
        headline=headline,
        cells=[
            {
                "text": written(newest_value(vehicle, column), column.kind),
                "kept": column.name in kept,
                "lead": column == headline,
            }
            for column in money_columns(columns)
        ],
        seen=day(vehicle.newest.run.started) if vehicle.newest else NOTHING,
        **trend(latest_change(vehicle, headline) if headline else None),
    )
