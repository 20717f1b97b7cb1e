"""The one gate through which all workers of a run begin a vehicle: even pace, waits asked for, circuit breaker."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from jdp_scraper.errors import PortalDown, VehicleError
from jdp_scraper.events import Bus, Countdown, TrafficPaused
from jdp_scraper.work.blame import TOO_MANY, Blame, asked_wait_s, blame
from jdp_scraper.work.breaker import Breaker, BreakerRules, Phase, Ruling
from jdp_scraper.work.pace import Pace, Throttle

FIRST_LOOK_S = 1.0
LONGEST_LOOK_S = 30.0
TICK_S = 1.0
MOST_FREE_REFUSALS = 10  # a vehicle that alone is asked to wait again and again must not keep the run from its end
MOST_FREE_MENDS = 3  # nor may one whose report ends the session each time
MOST_FREE_CRASHES = 3  # nor one that each time takes its neighbors along, and so cannot be told from them

Look = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """Leave to begin one vehicle, given at ``began`` on the run's clock."""

    began: float


class Traffic:
    """Shared by all workers; ``turn`` before a vehicle is begun, ``leave`` after it, ``run`` beside them.

    ``look`` looks at the portal and returns what is wrong with it, ``None`` if nothing is. ``chance`` draws between two
    numbers, for jitter.
    """

    def __init__(
        self,
        rules: BreakerRules,
        per_minute: int,
        look: Look,
        bus: Bus,
        clock: Callable[[], float],
        *,
        stopping: Callable[[], bool] = lambda: False,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._rules = rules
        self._look = look
        self._bus = bus
        self._clock = clock
        self._stopping = stopping
        self._chance = chance
        self._breaker = Breaker(rules, clock())
        self._throttle = Throttle(rules.down_wait_s)
        self._pace = Pace(per_minute)
        self._ahead: Turn | None = None
        self._refusals: Counter[str] = Counter()
        self._mends: Counter[str] = Counter()
        self._crashes: Counter[str] = Counter()
        self._astray: set[str] = set()
        self._changed = asyncio.Event()
        self._paused_at = self._look_at = clock()
        self._look_after_s = FIRST_LOOK_S
        self._last_error = ""

    # -- for workers -----------------------------------------------------------------------------------------------

    async def turn(self) -> Turn | None:
        """Wait until a vehicle may be begun; ``None`` where the run is to stop meanwhile."""
        late = self._chance(0.0, 1.0)
        while not self._stopping():
            now = self._clock()
            if (wait := self._wait_s(now, late)) <= 0:
                turn = Turn(now)
                if self._one_at_a_time:
                    self._ahead = turn
                self._pace.began(now)
                return turn
            await self._until_changed(min(wait, TICK_S))
        return None

    def leave(self, turn: Turn) -> None:
        """Give the turn back, however the vehicle's attempt has ended."""
        if self._ahead is turn:
            self._ahead = None
            self._change()

    def succeeded(self) -> None:
        """Take note of a report that is proven and in place."""
        now, was = self._clock(), self._breaker.phase
        self._breaker.succeeded(now)
        self._throttle.succeeded()
        if was is Phase.HALF_OPEN:
            self._bus.notice("info", f"the portal is back after {now - self._paused_at:.0f} s: all pages go on")
            self._bus.publish(TrafficPaused("the portal failed", now - self._paused_at))
        self._change()

    async def is_free(self, turn: Turn, key: str, error: VehicleError, *, last_try: bool) -> bool:
        """Judge a failed attempt for the whole run; tells whether it uses up no try of its vehicle."""
        whose, now, was = blame(error), self._clock(), self._breaker.phase
        if whose is Blame.THROTTLE:
            self._throttled(turn, error, now)
            self._refusals[key] += 1
            return self._refusals[key] <= MOST_FREE_REFUSALS
        if whose is Blame.VEHICLE:
            return False
        self._last_error = str(error)
        if (asked := asked_wait_s(error)) is not None:
            self._throttle.ask(asked, now)
        ruling = self._breaker.failed(key, now, ahead=turn is self._ahead, last_try=last_try)
        if was is Phase.CLOSED and self._breaker.phase is Phase.OPEN:
            self._pause(now)
        if ruling is Ruling.LOOK_FIRST:
            fault = await self._look()
            ruling = self._breaker.looked(well=fault is None)
            self._look_at = self._clock() + self._look_after_s
        self._change()
        return ruling is Ruling.FREE

    def is_mend_free(self, key: str, in_vain: int) -> bool:
        """Take note that the session had to be mended at this vehicle; tells whether that uses up no try of it.

        ``in_vain`` is how often in a row it was mended, at whichever vehicle, without a report in between.
        """
        self._mends[key] += 1
        return max(self._mends[key], in_vain) <= MOST_FREE_MENDS

    def is_crash_free(self, key: str) -> bool:
        """Take note that pages crashed together, one at this vehicle; tells whether that uses up no try of it."""
        self._crashes[key] += 1
        return self._crashes[key] <= MOST_FREE_CRASHES

    def is_astray_free(self, key: str) -> bool:
        """Take note that a tab opened otherwise than was relied on; tells whether it is this vehicle's first time."""
        first = key not in self._astray
        self._astray.add(key)
        return first

    # -- beside them -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look at the portal while nothing may be begun, until cancelled; raises ``PortalDown`` after the limit."""
        while True:
            await self._until_changed(TICK_S if self._is_troubled(self._clock()) else None)
            now = self._clock()
            self._give_up_if_over(now)
            self._count_down(now)
            if self._breaker.phase is Phase.OPEN and now >= max(self._look_at, self._throttle.until):
                await self._look_whether_back()

    async def _look_whether_back(self) -> None:
        fault = await self._look()
        if fault is None:
            self._bus.notice("info", "the portal answers again: one vehicle goes ahead")
            self._breaker.answered()
            self._change()
            return
        self._bus.notice("debug", f"the portal is not back: {fault}")
        self._look_after_s = min(self._look_after_s * 2, LONGEST_LOOK_S)
        self._look_at = self._clock() + self._look_after_s * self._chance(0.5, 1.0)

    def _give_up_if_over(self, now: float) -> None:
        if self._breaker.is_over(now):
            silent = self._breaker.silent_s(now)
            self._bus.publish(TrafficPaused("the portal failed", now - self._paused_at))
            raise PortalDown(
                f"the portal gave no report for {silent:.0f} s, although it was tried again and again "
                f"(PORTAL_DOWN_WAIT_S): {self._last_error}; start again later, the run goes on"
            )
        if self._throttle.is_over(now):
            raise PortalDown(
                f"the portal answered with status {TOO_MANY} and gave no report for {self._rules.down_wait_s:.0f} s "
                "(PORTAL_DOWN_WAIT_S): set MAX_PER_MINUTE and start again later, the run goes on"
            )

    def _count_down(self, now: float) -> None:
        if self._breaker.phase is Phase.OPEN:
            left = self._rules.down_wait_s - self._breaker.silent_s(now)
            self._bus.publish(Countdown("the portal fails", max(0.0, left)))
        elif self._throttle.until > now:
            self._bus.publish(Countdown("the portal asks for a pause", self._throttle.until - now))

    # -- within ----------------------------------------------------------------------------------------------------

    @property
    def _one_at_a_time(self) -> bool:
        return self._breaker.phase is Phase.HALF_OPEN or self._throttle.tentative

    def _is_troubled(self, now: float) -> bool:
        return self._breaker.phase is Phase.OPEN or self._one_at_a_time or self._throttle.until > now

    def _wait_s(self, now: float, late: float) -> float:
        """Return how long who asks now has to wait at least; ``late`` is its own share of the jitter, 0 to 1."""
        if self._breaker.phase is Phase.OPEN or (self._one_at_a_time and self._ahead is not None):
            return float("inf")
        hold = self._throttle.until + late * self._throttle.spread_s - now
        return max(hold, self._pace.wait_s(now, self._breaker.spacing_s))

    def _pause(self, now: float) -> None:
        self._paused_at = now
        self._look_after_s = FIRST_LOOK_S
        self._look_at = now + FIRST_LOOK_S * self._chance(0.5, 1.0)
        self._bus.notice(
            "warning",
            f"the portal fails: {self._breaker.streak} failures in a row, the last one: {self._last_error}; "
            f"nothing new is begun until it answers again, for up to {self._rules.down_wait_s:.0f} s",
        )

    def _throttled(self, turn: Turn, error: VehicleError, now: float) -> None:
        if self._throttle.throttled(asked_wait_s(error), turn.began, now):
            seconds = self._throttle.until - now
            self._bus.notice("warning", f"the portal asks for a pause: nothing new is begun for {seconds:.0f} s")
            self._bus.publish(TrafficPaused("the portal asked for it", seconds))
        self._change()

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until_changed(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
