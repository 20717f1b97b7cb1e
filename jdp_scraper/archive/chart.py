"""The line of a vehicle's values over its runs, as points and marks of an SVG drawing; pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from jdp_scraper.archive.columns import Column, value_of, written
from jdp_scraper.archive.model import Report

WIDTH, HEIGHT = 520, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 122, 12, 28
_LABEL_GAP = 15.5
_TICKS = 4
_DATES = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place, in the drawing's units."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """A value; ``title`` is what a pointer that rests on it is told."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """One column's values: its points, and where its name stands at the right."""

    column: Column
    number: int
    points: tuple[Point, ...]
    label_y: float

    @property
    def path(self) -> str:
        """The points as an SVG ``points`` list."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole drawing; ``rows`` are amounts along the left, ``dates`` run along the bottom."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    rows: tuple[Mark, ...]
    dates: tuple[Mark, ...]
    lines: tuple[Line, ...]


def chart_of(reports: Sequence[Report], columns: Sequence[Column]) -> Chart | None:
    """Draw the columns that have at least two values; ``None`` where there is none."""
    told: list[tuple[Column, list[tuple[datetime, Decimal]]]] = []
    for column in columns:
        found = [(one.run.started, value) for one in reports if (value := value_of(one.values, column)) is not None]
        if len(found) > 1:
            told.append((column, found))
    if not told:
        return None
    moments = sorted({moment for _, values in told for moment, _ in values})
    ticks = _nice([value for _, values in told for _, value in values])
    low, high = ticks[0], ticks[-1]

    def x(moment: datetime) -> float:
        span = (moments[-1] - moments[0]).total_seconds() or 1.0
        return _LEFT + (moment - moments[0]).total_seconds() / span * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    ends = _apart([y(float(values[-1][1])) for _, values in told])
    lines = tuple(
        Line(
            column, number, tuple(_point(column, x(when), y(float(value)), when, value) for when, value in values), end
        )
        for number, ((column, values), end) in enumerate(zip(told, ends, strict=True), 1)
    )
    rows = tuple(
        Mark(round(y(tick), 1), written(int(tick) if tick == int(tick) else tick, column.kind)) for tick in ticks
    )
    dates = tuple(Mark(round(x(one), 1), f"{one:%Y-%m-%d}") for one in _some(moments))
    return Chart(WIDTH, HEIGHT, _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM, rows, dates, lines)


def _point(column: Column, x: float, y: float, when: datetime, value: Decimal) -> Point:
    return Point(round(x, 1), round(y, 1), f"{column.label}, {when:%Y-%m-%d}: ${written(str(value), column.kind)}")


def _nice(values: Sequence[Decimal]) -> list[float]:
    """Return round amounts, evenly apart, that hold all values between the first and the last."""
    low, high = float(min(values)), float(max(values))
    rough = max((high - low) / _TICKS, abs(high) * 0.005, 1.0)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    return [number * step for number in range(first, last + 1)]


def _apart(places: Sequence[float]) -> list[float]:
    """Move names that would cover each other apart, as little as it takes, within the drawing."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for upper, lower in itertools.pairwise(order):
        moved[lower] = max(moved[lower], moved[upper] + _LABEL_GAP)
    limit = float(HEIGHT - _BOTTOM)
    for place in reversed(order):
        moved[place] = min(moved[place], limit)
        limit = moved[place] - _LABEL_GAP
    return [round(one, 1) for one in moved]


def _some(moments: Sequence[datetime]) -> list[datetime]:
    """Return the first, the last and what lies about the middle, where these are apart enough to be read."""
    days = {f"{one:%Y-%m-%d}": one for one in moments}
    first, last = moments[0], moments[-1]
    if len(days) < _DATES:
        return list(days.values())
    middle = first + (last - first) / 2
    nearest = min(days.values(), key=lambda one: abs(one - middle))
    share = (nearest - first) / (last - first)
    return [first, nearest, last] if 0.35 < share < 0.65 else [first, last]
