"""The gate for all workers, in virtual time, against a portal that a test lets fail."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest

from jdp_scraper.errors import PortalDown, ReportRefused, VehicleError, WrongVehicle
from jdp_scraper.events import Bus, Countdown, Event, TrafficPaused
from jdp_scraper.work.breaker import BreakerRules
from jdp_scraper.work.traffic import Traffic, Turn

from ..virtual_time import in_virtual_time

TRIES = 3


class Portal:
    """A portal, a gate before it, and workers that want ``vehicles`` reports of it; an attempt takes a second."""

    def __init__(self, *, per_minute: int = 0, down_wait_s: float = 900, stopping: Callable[[], bool] | None = None):
        self.loop = asyncio.get_running_loop()
        self.events: list[Event] = []
        bus = Bus()
        bus.subscribe(self.events.append)
        self.down_from = self.down_until = 0.0
        self.bad: dict[int, VehicleError] = {}
        self.looks: list[float] = []
        self.begun: list[float] = []
        self.done: set[int] = set()
        self.failed: set[int] = set()
        self.tries: dict[int, int] = {}
        self.inside = 0
        self.traffic = Traffic(
            BreakerRules(down_wait_s=down_wait_s),
            per_minute,
            self.look,
            bus,
            self.loop.time,
            stopping=stopping or (lambda: False),
        )

    @property
    def down(self) -> bool:
        return self.down_from <= self.loop.time() < self.down_until

    async def look(self) -> str | None:
        self.looks.append(self.loop.time())
        await asyncio.sleep(0.1)
        return "down" if self.down else None

    async def fetch(self, number: int) -> None:
        self.inside += 1
        try:
            await asyncio.sleep(0.1 if self.down else 1.0)
        finally:
            self.inside -= 1
        if self.down:
            raise ReportRefused("down", status=503)
        if number in self.bad:
            raise self.bad[number]

    async def attempt(self, number: int, turn: Turn) -> bool:
        """Tells whether the vehicle has to be tried again."""
        self.begun.append(self.loop.time())
        try:
            await self.fetch(number)
        except VehicleError as error:
            last = self.tries.get(number, 0) == TRIES - 1
            if not await self.traffic.is_free(turn, str(number), error, last_try=last):
                self.tries[number] = self.tries.get(number, 0) + 1
            if self.tries.get(number) == TRIES:
                self.failed.add(number)
            return number not in self.failed
        self.done.add(number)
        self.traffic.succeeded()
        return False

    async def work(self, todo: list[int]) -> None:
        while todo:
            number = todo.pop(0)
            turn = await self.traffic.turn()
            if turn is None:
                return
            try:
                if await self.attempt(number, turn):
                    todo.append(number)
            finally:
                self.traffic.leave(turn)

    async def all(self, todo: list[int], workers: int) -> None:
        await asyncio.gather(*(self.work(todo) for _ in range(workers)))

    async def run(self, vehicles: int, workers: int = 10) -> None:
        todo = list(range(vehicles))
        watch = asyncio.ensure_future(self.traffic.run())
        work = asyncio.ensure_future(self.all(todo, workers))
        await asyncio.wait([watch, work], return_when=asyncio.FIRST_COMPLETED)
        work.cancel()
        try:
            if watch.done():
                await watch
            else:
                await work
        finally:
            watch.cancel()
            await asyncio.gather(watch, work, return_exceptions=True)


@pytest.mark.parametrize("seconds", [5, 20, 75, 600])
def test_an_outage_of_everything_costs_no_vehicle_its_report(seconds: float) -> None:
    async def main() -> None:
        portal = Portal()
        portal.down_from, portal.down_until = 5, 5 + seconds
        await portal.run(200)
        assert (len(portal.done), portal.failed) == (200, set())
        assert sum(portal.tries.values()) <= 2
        assert portal.loop.time() < 5 + seconds + 31 + 30

    in_virtual_time(main())


def test_during_an_outage_the_portal_is_left_alone_but_for_a_look_now_and_then() -> None:
    async def main() -> None:
        portal = Portal()
        portal.down_from, portal.down_until = 5, 605
        await portal.run(200)
        assert not [at for at in portal.begun if 25 < at < 605]
        gaps = [later - earlier for earlier, later in zip(portal.looks, portal.looks[1:], strict=False)]
        assert max(gaps) <= 32 and len(portal.looks) < 60
        (pause,) = [event for event in portal.events if isinstance(event, TrafficPaused)]
        assert 570 < pause.seconds < 640
        assert any(isinstance(event, Countdown) for event in portal.events)

    in_virtual_time(main())


def test_after_an_outage_one_goes_ahead_and_then_all() -> None:
    async def main() -> None:
        portal = Portal()
        portal.down_from, portal.down_until = 5, 75
        await portal.run(200)
        after = [at for at in portal.begun if at > 75]
        assert after[1] >= after[0] + 1
        assert len([at for at in after if at < after[1] + 0.5]) > 5

    in_virtual_time(main())


def test_an_outage_without_end_stops_the_run_with_nothing_failed() -> None:
    async def main() -> None:
        portal = Portal(down_wait_s=300)
        portal.down_from, portal.down_until = 5, 1e9
        with pytest.raises(PortalDown, match="PORTAL_DOWN_WAIT_S"):
            await portal.run(100)
        assert portal.failed == set()
        assert 300 < portal.loop.time() < 330

    in_virtual_time(main())


@pytest.mark.parametrize("bad", [1, 2, 3, 8, 30])
def test_vehicles_that_the_portal_always_refuses_fail_finally_and_in_time(bad: int) -> None:
    async def main() -> None:
        portal = Portal()
        portal.bad = {number: ReportRefused(status=500) for number in range(40 - bad, 40)}
        await portal.run(40)
        assert (portal.done, portal.failed) == (set(range(40 - bad)), set(portal.bad))
        assert portal.loop.time() < 45 + 3.5 * bad * TRIES

    in_virtual_time(main())


def test_errors_of_the_vehicles_own_never_pause_the_run() -> None:
    async def main() -> None:
        portal = Portal()
        portal.bad = {number: WrongVehicle() for number in range(100)}
        await portal.run(100)
        assert portal.failed == set(range(100))
        assert portal.looks == [] and portal.events == []

    in_virtual_time(main())


def test_a_wait_that_the_portal_asks_for_is_kept_by_all_and_costs_no_try() -> None:
    async def main() -> None:
        portal = Portal()

        async def throttled(number: int) -> None:
            await asyncio.sleep(1)
            if 10 < portal.loop.time() < 100:
                raise ReportRefused(status=429, retry_after_s=20)

        portal.fetch = throttled  # type: ignore[method-assign]
        await portal.run(300)
        assert (len(portal.done), portal.tries) == (300, {})
        held = [at for at in portal.begun if 12 < at < 100]
        assert len(held) <= 5, "one at a time asks whether it is over"
        assert all(later - earlier >= 20 for earlier, later in itertools.pairwise(held))

    in_virtual_time(main())


def test_an_unavailable_portal_that_names_a_wait_is_left_alone_for_it_and_all_come_back_apart() -> None:
    async def main() -> None:
        portal = Portal()
        once = {3}

        async def busy(number: int) -> None:
            await asyncio.sleep(1)
            if number in once:
                once.discard(number)
                raise ReportRefused(status=503, retry_after_s=40)

        portal.fetch = busy  # type: ignore[method-assign]
        await portal.run(60)
        assert len(portal.done) == 60
        assert not [at for at in portal.begun if 1.1 < at < 41]
        back = [at for at in portal.begun if 41 <= at < 50][:5]
        assert len(set(back)) == 5

    in_virtual_time(main())


def test_throttling_without_end_stops_the_run_with_nothing_failed() -> None:
    async def main() -> None:
        portal = Portal(down_wait_s=200)
        portal.bad = {number: ReportRefused(status=429) for number in range(20)}
        with pytest.raises(PortalDown, match="429"):
            await portal.run(20)
        assert portal.tries == {} and len(portal.begun) < 30

    in_virtual_time(main())


def test_the_pace_holds_over_all_workers() -> None:
    async def main() -> None:
        portal = Portal(per_minute=30)
        await portal.run(60)
        gaps = [later - earlier for earlier, later in zip(portal.begun, portal.begun[1:], strict=False)]
        assert min(gaps) >= 2 - 1e-6
        assert portal.loop.time() < 60 * 2 + 2

    in_virtual_time(main())


def test_who_waits_is_told_that_the_run_stops() -> None:
    async def main() -> None:
        stop = asyncio.Event()
        portal = Portal(per_minute=1, stopping=stop.is_set)
        assert await portal.traffic.turn() is not None
        waiting = asyncio.ensure_future(portal.traffic.turn())
        await asyncio.sleep(3)
        stop.set()
        assert await waiting is None
        assert portal.loop.time() <= 5

    in_virtual_time(main())


def test_a_cancelled_one_that_went_ahead_lets_another_go() -> None:
    async def main() -> None:
        portal = Portal()
        turn = await portal.traffic.turn()
        assert turn is not None
        await portal.traffic.is_free(turn, "x", ReportRefused(status=429, retry_after_s=1), last_try=False)
        portal.traffic.leave(turn)
        ahead = await portal.traffic.turn()
        next_one = asyncio.ensure_future(portal.traffic.turn())
        await asyncio.sleep(50)
        assert ahead is not None and not next_one.done()
        portal.traffic.leave(ahead)
        assert await next_one is not None

    in_virtual_time(main())


def test_a_tab_that_opens_otherwise_is_free_once_for_each_vehicle() -> None:
    async def main() -> None:
        traffic = Portal().traffic
        assert [traffic.is_astray_free(key) for key in "1121"] == [True, False, True, False]

    in_virtual_time(main())
