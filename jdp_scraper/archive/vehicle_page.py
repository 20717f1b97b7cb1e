"""A vehicle's page: its values now and before, their line over the runs, its history, and its report in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jdp_scraper.archive.chart import chart_of
from jdp_scraper.archive.columns import (
    NOTHING,
    Column,
    Kind,
    headline_of,
    money_columns,
    newest_value,
    written,
)
from jdp_scraper.archive.history import Standing, changes, latest_change
from jdp_scraper.archive.model import Report, Vehicle
from jdp_scraper.archive.rendering import badge, day, render, trend


def vehicle_page(
    title: str, static: Mapping[str, str], columns: Sequence[Column], vehicle: Vehicle, told: Standing
) -> bytes:
    """Make the page; ``title`` is the archive's."""
    reports, newest = vehicle.reports, vehicle.newest
    money = [one for one in money_columns(columns) if newest_value(vehicle, one) is not None]
    headline = headline_of(columns)
    values = [_value(vehicle, column, headline) for column in columns if newest_value(vehicle, column) is not None]
    return render(
        "vehicle.html",
        title=title,
        static=static,
        root="../",
        vehicle=vehicle,
        badge=badge(told),
        problem=_problem(vehicle, told),
        flags=newest.flags if newest else (),
        seen=newest.run if newest else None,
        values=values,
        compared=any(one["before"] not in {"", NOTHING} for one in values),
        chart=chart_of(reports, money),
        money=money,
        history=[_line(reports, place, money) for place in reversed(range(len(reports)))],
        shown=vehicle.shown,
    )


def _value(vehicle: Vehicle, column: Column, headline: Column | None) -> dict[str, Any]:
    now = written(newest_value(vehicle, column), column.kind)
    told = {
        "label": column.label,
        "kind": column.kind.value,
        "headline": column == headline,
        "now": f"${now}" if column.kind is Kind.MONEY else now,
    }
    if column.kind is Kind.TEXT:
        return told | {"before": "", **trend(None)}
    change = latest_change(vehicle, column)
    before = None if change.before is None else str(change.before)
    return told | {"before": written(before, column.kind), **trend(change)}


def _line(reports: Sequence[Report], place: int, money: Sequence[Column]) -> dict[str, Any]:
    report = reports[place]
    return {
        "run": report.run,
        "pdf": report.pdf,
        "status": "not fetched" if report.status == "todo" else report.status,
        "error": report.error,
        "empty": not any(column.name in report.values for column in money),
        "cells": [
            {"text": written(report.values.get(change.column.name), change.column.kind), **trend(change)}
            for change in changes(reports, place, money)
        ],
    }


def _problem(vehicle: Vehicle, told: Standing) -> str:
    newest = vehicle.newest
    if told is Standing.GONE and newest:
        return f"A later run's inventory does not have it. It was last seen on {day(newest.run.started)}."
    if newest and newest.error:
        return newest.error
    return "The newest run has not fetched its report." if told in {Standing.FAILED, Standing.OPEN} else ""
