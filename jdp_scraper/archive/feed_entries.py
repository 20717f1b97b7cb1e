"""What the feeds tell: the reports that were a vehicle's first, or brought other values than the one before."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from jdp_scraper.archive.columns import Column, columns_of, difference, money_columns, written
from jdp_scraper.archive.history import changes, news
from jdp_scraper.archive.model import Archive, Report, Vehicle
from jdp_scraper.archive.rendering import page_path

# A run that brings more than this is told whole; it then has the feed for itself.
MAX_ENTRIES = 500
_NAMESPACE = uuid.UUID("6f5c1d2e-54c3-4d39-9f0e-3f0b8f0f7a11")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One report; ``id`` stays the same in every build and at every address, ``updated`` is when its run began."""

    id: str
    title: str
    summary: str
    page: str
    updated: datetime
    report: Report


@dataclass(frozen=True)
class News:
    """A report of which the feeds tell: the one at a place of a vehicle's, ``new`` where it is the vehicle's first."""

    vehicle: Vehicle
    at: int
    new: bool
    money: Sequence[Column]

    @property
    def report(self) -> Report:
        """The report itself."""
        return self.vehicle.reports[self.at]

    @cached_property
    def entry(self) -> Entry:
        """What is told of it."""
        report, vehicle = self.report, self.vehicle
        name = f"{vehicle.reference} {vehicle.description}".strip()
        return Entry(
            _id(f"report\n{vehicle.key}\n{report.run.name}"),  # and nothing that another portal's run would change
            f"{'New' if self.new else 'Changed'}: {name}",
            _summary(vehicle, self.at, self.money) or f"Report of {report.run.name}",
            page_path(vehicle),
            report.run.started,
            report,
        )


def news_of(archive: Archive) -> list[News]:
    """Return the newest run's reports that are news, and older ones up to ``MAX_ENTRIES``, newest first."""
    money = money_columns(columns_of(archive.vehicles))
    found = [
        (report.run.started, -place, vehicle, at, new)
        for place, vehicle in enumerate(archive.vehicles)
        for at, report, new in news(vehicle)
    ]
    found.sort(key=lambda one: one[:2], reverse=True)
    count = sum(one[0] == found[0][0] for one in found)
    return [News(vehicle, at, new, money) for _, _, vehicle, at, new in found[: max(MAX_ENTRIES, count)]]


def feed_id(archive: Archive) -> str:
    """Return the feed's own id, the same as long as the archive is the same portal's."""
    return _id(f"feed\n{archive.portal}")


def feed_updated(archive: Archive) -> datetime:
    """Return when the newest run began: a build without a new run changes nothing."""
    return max((run.started for run in archive.runs), default=_BEGINNING)


def _id(name: str) -> str:
    # A folder's name may hold bytes that are no character.
    return uuid.uuid5(_NAMESPACE, name.encode("utf-8", "backslashreplace").decode()).urn


def _summary(vehicle: Vehicle, at: int, money: Sequence[Column]) -> str:
    told = []
    for change in changes(vehicle.reports, at, money):
        if change.after is not None:
            more = f" ({difference(change.difference)})" if change.difference else ""
            told.append(f"{change.column.label} ${written(str(change.after), change.column.kind)}{more}")
    return ", ".join(told)
