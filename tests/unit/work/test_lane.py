"""The way to a report's address: wide, or one page at a time."""

from __future__ import annotations

import asyncio

from jdp_scraper.errors import ReportMismatch
from jdp_scraper.events import Bus, Event, Narrowed, Notice
from jdp_scraper.vehicle import Vehicle
from jdp_scraper.work.lane import ReportLane

from ..virtual_time import in_virtual_time


class Way:
    """A lane and how many go on it at once."""

    def __init__(self, narrow: bool) -> None:
        bus = Bus()
        self.events: list[Event] = []
        bus.subscribe(self.events.append)
        self.lane = ReportLane(bus, narrow=narrow)
        self.inside = self.most = self.beats = 0

    async def go(self, number: int, seconds: float = 10) -> None:
        async with self.lane.passage(Vehicle(str(number)), self.beat) as passage:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.lane.opened(passage)
            await asyncio.sleep(seconds)
            self.inside -= 1

    def beat(self) -> None:
        self.beats += 1

    async def narrow(self) -> None:
        """Let a page meet the reports of another one's vehicle."""
        for _ in range(3):
            async with self.lane.passage(Vehicle("a"), self.beat) as one, self.lane.passage(Vehicle("b"), self.beat):
                pass
            assert self.lane.is_free(one, ReportMismatch(shown=["b"]))


def test_a_wide_lane_lets_all_go_side_by_side() -> None:
    async def main() -> None:
        way = Way(narrow=False)
        await asyncio.gather(*(way.go(number) for number in range(5)))
        assert (way.most, way.beats) == (5, 0)

    in_virtual_time(main())


def test_a_narrow_lane_lets_one_go_at_a_time_and_those_who_wait_give_signs() -> None:
    async def main() -> None:
        way = Way(narrow=True)
        await asyncio.gather(*(way.go(number) for number in range(5)))
        assert way.most == 1
        assert way.beats > 20
        assert asyncio.get_running_loop().time() == 50

    in_virtual_time(main())


def test_once_narrowed_nobody_goes_before_those_who_went_side_by_side_are_through() -> None:
    async def main() -> None:
        way = Way(narrow=False)
        old = [asyncio.ensure_future(way.go(number, 30)) for number in range(3)]
        await asyncio.sleep(1)
        await way.narrow()
        new = [asyncio.ensure_future(way.go(number, 10)) for number in range(3, 6)]
        await asyncio.sleep(25)
        assert way.inside == 3
        await asyncio.gather(*old, *new)
        assert asyncio.get_running_loop().time() == 60

    in_virtual_time(main())


def test_narrowing_is_said_once() -> None:
    async def main() -> None:
        way = Way(narrow=False)
        async with way.lane.passage(Vehicle("a"), way.beat) as late, way.lane.passage(Vehicle("b"), way.beat):
            await way.narrow()
        assert way.lane.is_free(late, ReportMismatch(shown=["b"]))
        assert [event for event in way.events if isinstance(event, Narrowed)] == [Narrowed(3)]
        assert len([event for event in way.events if isinstance(event, Notice)]) == 1

    in_virtual_time(main())


def test_who_is_cancelled_on_the_way_or_in_wait_leaves_it_free() -> None:
    async def main() -> None:
        way = Way(narrow=True)
        tasks = [asyncio.ensure_future(way.go(number)) for number in range(3)]
        await asyncio.sleep(1)
        for task in tasks[:2]:
            task.cancel()
        await tasks[2]
        assert asyncio.get_running_loop().time() == 11

    in_virtual_time(main())
