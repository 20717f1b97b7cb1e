"""Where each vehicle's page is: learned by one walk of the grid, while the workers already work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from jdp_scraper.portal.grid import GridRow, GridView, is_row_of
from jdp_scraper.vehicle import Vehicle


class LinkBook:
    """The rows seen so far, by reference; whoever asks early waits until the row is seen or the walk has ended.

    Rows that were seen before the walk are provisional: they are given out until the walk shows their reference or one
    of them leads astray, and they are no part of what the walk has seen.

    An address may hold for one session only. ``session`` tells which of the account's sessions it is by now: once a row
    of an earlier one has led astray, all rows of earlier ones are dropped, and the walk is to be begun again.
    """

    def __init__(self, session: Callable[[], int] = lambda: 0) -> None:
        self._session = session
        self._rows: dict[str, dict[GridRow, int]] = {}  # each row with the session that it was seen in last
        self._early: dict[str, list[GridRow]] = {}
        self._changed = asyncio.Condition()
        self._ended = False
        self._lost = asyncio.Event()
        self._expected: set[str] | None = None
        self._number: Mapping[str, int] = {}
        self.blank = 0
        """Rows without a reference."""

    @property
    def ended(self) -> bool:
        """Whether the walk is over, and what is not here will not come."""
        return self._ended and not self.incomplete

    def rows(self) -> list[GridRow]:
        """Return all rows that the walk has seen, each reference's together."""
        return [row for rows in self._rows.values() for row in rows]

    def count(self, reference: str) -> int:
        """Return how many rows with a reference the walk has seen."""
        return len(self._rows.get(reference, ()))

    async def add(self, view: GridView) -> None:
        """Take in one page of the walk's rows; they replace the early ones of their references."""
        async with self._changed:
            session = self._session()
            for row in view.rows:
                self._early.pop(row.vehicle.reference, None)
                known = self._rows.setdefault(row.vehicle.reference, {})
                if row not in known:  # a walk that is begun again sees rows for the second time
                    for other in [one for one, seen in known.items() if seen < session and one.vehicle == row.vehicle]:
                        del known[other]
                known[row] = session
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

    def lead_astray(self, rows: Iterable[GridRow]) -> None:
        """Forget the addresses of the walk's rows, since they have led astray; rows of earlier sessions with them."""
        session = self._session()
        for row in rows:
            known = self._rows.get(row.vehicle.reference, {})
            seen = known.pop(row, None)
            if seen is not None and seen < session:
                self._drop_before(session)
            elif seen is not None:
                known[replace(row, link=None)] = seen

    def is_stale(self, row: GridRow) -> bool:
        """Tell whether a row was seen in an earlier session than the present one, or has been dropped."""
        return self._rows.get(row.vehicle.reference, {}).get(row, -1) < self._session()

    def drop_stale(self, reference: str) -> bool:
        """Drop all rows of earlier sessions where one of a reference's is such; tells whether another walk is due."""
        if any(self.is_stale(row) for row in self._rows.get(reference, ())):
            self._drop_before(self._session())
        return self.incomplete

    def _drop_before(self, session: int) -> None:
        self._early.clear()
        for reference, known in list(self._rows.items()):
            kept = {row: seen for row, seen in known.items() if seen >= session}
            if kept:
                self._rows[reference] = kept
            else:
                del self._rows[reference]
        self.ask_for_walk()

    def ask_for_walk(self) -> None:
        """Say that rows are missing that a walk would show."""
        self._lost.set()

    @property
    def incomplete(self) -> bool:
        """Whether another walk is to follow, since rows have been dropped or were not walked to."""
        return self._lost.is_set()

    async def until_incomplete(self) -> None:
        """Wait until another walk is to follow."""
        await self._lost.wait()

    def begin_again(self) -> None:
        """Say that another walk begins, which will show what is missing."""
        self._lost.clear()
        self._ended, self._expected = False, None

    def expect(self, number: Mapping[str, int]) -> None:
        """Learn how many rows each reference has; one is taken for granted."""
        self._number = number

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
        """Say that no more rows will come of this walk."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def rows_of(
        self,
        vehicle: Vehicle,
        on_progress: Callable[[], None] | None = None,
        beside: Collection[GridRow] = (),
    ) -> list[GridRow]:
        """Return the rows that may be the vehicle's, its own VIN's alone where a row tells it; they may be early ones.

        A reference that stands twice without VINs in the grid gives all its rows, so the opened page decides. Those in
        ``beside``, which are another's, are left out, and further ones are waited for. ``on_progress`` is called
        whenever the walk has come further.
        """
        async with self._changed:
            while not (rows := self._rows_beside(vehicle, beside)) and self.more_may_come(vehicle, beside):
                await self._changed.wait()
                if on_progress is not None:
                    on_progress()
            return rows

    def more_may_come(self, vehicle: Vehicle, beside: Collection[GridRow]) -> bool:
        """Tell whether there are rows that may be the vehicle's besides those given, or the walk may still show any."""
        if self._rows_beside(vehicle, beside):
            return True
        missing = self.count(vehicle.reference) < self._number.get(vehicle.reference, 1)
        return self._may_come(vehicle.reference) and (missing or not beside)

    def _may_come(self, reference: str) -> bool:
        looked_for = self._expected is None or reference in self._expected
        return self.incomplete or (not self._ended and looked_for)

    def _rows_beside(self, vehicle: Vehicle, beside: Collection[GridRow]) -> list[GridRow]:
        rows = self._rows.get(vehicle.reference) or self._early.get(vehicle.reference) or ()
        return [row for row in rows if row not in beside and is_row_of(row, vehicle)]
