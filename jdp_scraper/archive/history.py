"""What a vehicle's reports say when they are held against each other and against the runs; pure."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from jdp_scraper.archive.columns import Column, value_of
from jdp_scraper.archive.model import Report, Run, Vehicle


class Standing(enum.StrEnum):
    """Where a vehicle stands after the newest run."""

    CURRENT = "current"
    NEW = "new"
    CHANGED = "changed"
    FAILED = "failed"
    OPEN = "not fetched"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Change:
    """A value in one report and in the last one before that had it; ``None`` where there is none."""

    column: Column
    before: Decimal | None
    after: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """What was added since, in the column's unit."""
        return None if self.before is None or self.after is None else self.after - self.before


def changes(reports: Sequence[Report], place: int, columns: Sequence[Column]) -> tuple[Change, ...]:
    """Hold the report at a place against the ones before it, one change a column, whether anything differs or not."""
    return tuple(
        Change(column, _last(reports[:place], column), value_of(reports[place].values, column)) for column in columns
    )


def latest_change(vehicle: Vehicle, column: Column) -> Change:
    """Hold the newest value of a column against the one before it."""
    told = [value for value in (value_of(one.values, column) for one in vehicle.reports) if value is not None]
    return Change(column, told[-2] if len(told) > 1 else None, told[-1] if told else None)


def news(vehicle: Vehicle) -> Iterator[tuple[int, Report, bool]]:
    """Yield the place of each report that is the vehicle's first, or not as the one before it, and whether it is new.

    Reports are compared by their values; by their files only where one of the two has no values.
    """
    before: Report | None = None
    for place, report in enumerate(vehicle.reports):
        if report.sha256 is None:
            continue
        if before is None:
            yield place, report, True
        elif _differ(before, report):
            yield place, report, False
        before = report


def standing(vehicle: Vehicle, runs: Sequence[Run]) -> Standing:
    """Say where a vehicle stands; ``runs`` are all of them, oldest to newest."""
    newest = vehicle.newest
    if newest is None:
        return Standing.OPEN
    own = [run for run in runs if run.portal == newest.run.portal]
    if any(run.whole and run.started > newest.run.started for run in own):
        return Standing.GONE
    if newest.status != "done":
        return Standing.FAILED if newest.status == "failed" else Standing.OPEN
    told = [(place, new) for place, _, new in news(vehicle) if place == len(vehicle.reports) - 1]
    if not told:
        return Standing.CURRENT
    if told[0][1]:  # in the first run of all everything is new, which tells nothing
        return Standing.NEW if any(run.whole and run.started < newest.run.started for run in own) else Standing.CURRENT
    return Standing.CHANGED


def _last(reports: Sequence[Report], column: Column) -> Decimal | None:
    return next((found for one in reversed(reports) if (found := value_of(one.values, column)) is not None), None)


def _differ(before: Report, after: Report) -> bool:
    if before.values and after.values:
        return _told(before) != _told(after)
    return before.sha256 != after.sha256


def _told(report: Report) -> dict[str, object]:
    # Another day's report of the same values is no news, and neither is another file of them.
    return {name: value for name, value in report.values.items() if name not in {"report_date", "file", "sha256"}}
