"""The way from opening a vehicle to its report's address: open to all pages, or to one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from jdp_scraper.errors import ReportMismatch
from jdp_scraper.events import Bus, Narrowed
from jdp_scraper.vehicle import Vehicle
from jdp_scraper.waiting import held
from jdp_scraper.work.binding import Binding, Passage


class ReportLane:
    """Wide until the profile or what came of it says that reports are the session's; then one page at a time."""

    def __init__(self, bus: Bus, *, narrow: bool = False) -> None:
        self._bus = bus
        self._binding = Binding(narrow)
        self._turn = asyncio.Lock()
        self._side_by_side = 0
        self._clear = asyncio.Event()

    @property
    def narrow(self) -> bool:
        """Whether reports are the session's, so that a report's address says nothing of its vehicle."""
        return self._binding.narrow

    @asynccontextmanager
    async def passage(self, vehicle: Vehicle, on_wait: Callable[[], None]) -> AsyncIterator[Passage]:
        """Go from opening ``vehicle`` to its report's address; ``on_wait`` is called now and then while others go."""
        if not self._binding.narrow:
            self._side_by_side += 1
            try:
                async with self._watched(vehicle) as passage:
                    yield passage
            finally:
                self._side_by_side -= 1
                self._clear.set()
            return
        async with held(self._turn, on_wait):
            while self._side_by_side:  # those that were on their way when it was narrowed
                self._clear.clear()
                await self._clear.wait()
            async with self._watched(vehicle) as passage:
                yield passage

    def opened(self, passage: Passage) -> None:
        """Take note that the page shows its vehicle."""
        self._binding.opened(passage)

    def right(self, passage: Passage) -> None:
        """Take note that the report was the vehicle's."""
        self._binding.right(passage)

    def is_free(self, passage: Passage, error: ReportMismatch) -> bool:
        """Judge a report of another vehicle; tells whether it uses up no try, and narrows where it is time to."""
        was = self._binding.narrow
        free = self._binding.wrong(passage, error.shown)
        if self._binding.narrow and not was:
            self._bus.publish(Narrowed(self._binding.mismatches))
            self._bus.notice(
                "warning",
                "the portal gives the report of the vehicle that was opened last, on whichever page: from here on "
                'one page at a time goes from a vehicle to its report (bound = "session" in the profile says so, too)',
            )
        return free

    @asynccontextmanager
    async def _watched(self, vehicle: Vehicle) -> AsyncIterator[Passage]:
        passage = self._binding.enter(vehicle)
        try:
            yield passage
        finally:
            self._binding.leave(passage)
