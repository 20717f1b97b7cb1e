"""Where each vehicle's page is: learned by one walk of the grid, while the workers already work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from jdp_scraper.portal.grid import GridRow, GridView, is_row_of
from jdp_scraper.vehicle import Vehicle


class LinkBook:
    """The rows seen so far, by reference; whoever asks early waits until the row is seen or the walk has ended.

    Rows that were seen before the walk are provisional: they are given out until the walk shows their reference or one
    of them leads astray, and they are no part of what the walk has seen.
    """

    def __init__(self) -> None:
        self._rows: dict[str, list[GridRow]] = {}
        self._early: dict[str, list[GridRow]] = {}
        self._changed = asyncio.Condition()
        self._ended = False
        self._expected: set[str] | None = None
        self.blank = 0
        """Rows without a reference."""

    @property
    def ended(self) -> bool:
        """Whether the walk is over, and what is not here will not come."""
        return self._ended

    def rows(self) -> list[GridRow]:
        """Return all rows that the walk has seen, each reference's together."""
        return [row for rows in self._rows.values() for row in rows]

    def count(self, reference: str) -> int:
        """Return how many rows with a reference the walk has seen."""
        return len(self._rows.get(reference, ()))

    async def add(self, view: GridView) -> None:
        """Take in one page of the walk's rows; they replace the early ones of their references."""
        async with self._changed:
            for row in view.rows:
                self._early.pop(row.vehicle.reference, None)
                known = self._rows.setdefault(row.vehicle.reference, [])
                if row not in known:  # a walk that is begun again sees rows for the second time
                    known.append(row)
            self._changed.notify_all()

    async def add_early(self, view: GridView) -> None:
        """Take in rows that were seen before the walk, in place of those of an earlier look."""
        async with self._changed:
            self._early.clear()
            for row in view.rows:
                if row.vehicle.reference not in self._rows:
                    self._early.setdefault(row.vehicle.reference, []).append(replace(row, early=True))
            self._changed.notify_all()

    def drop_early(self, reference: str) -> None:
        """Forget a reference's early rows, since one has led astray: only the walk can tell now."""
        self._early.pop(reference, None)

    async def narrow(self, references: Iterable[str]) -> None:
        """Say that no rows but these references' are looked for any more: who asks for others need not wait."""
        async with self._changed:
            self._expected = set(references)
            self._changed.notify_all()

    async def leave(self, reference: str) -> None:
        """Say that a reference was looked for, and that no more rows of it will come."""
        async with self._changed:
            if self._expected is not None:
                self._expected.discard(reference)
            self._changed.notify_all()

    async def end(self) -> None:
        """Say that no more rows will come."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def rows_of(self, vehicle: Vehicle, on_progress: Callable[[], None] | None = None) -> list[GridRow]:
        """Return the rows that may be the vehicle's, its own VIN's alone where a row tells it; they may be early ones.

        A reference that stands twice without VINs in the grid gives all its rows, so that the opened page decides.
        ``on_progress`` is called whenever the walk has come further.
        """
        async with self._changed:
            while self._may_come(vehicle.reference) and not any(self._matching(vehicle)):
                await self._changed.wait()
                if on_progress is not None:
                    on_progress()
            return list(self._matching(vehicle))

    def _may_come(self, reference: str) -> bool:
        return not self._ended and (self._expected is None or reference in self._expected)

    def _matching(self, vehicle: Vehicle) -> Iterable[GridRow]:
        rows = self._rows.get(vehicle.reference) or self._early.get(vehicle.reference) or []
        return (row for row in rows if is_row_of(row, vehicle))
