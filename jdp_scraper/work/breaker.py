"""The circuit breaker: when the portal as a whole fails, and when it is back. Pure: the time is passed in.

::

    CLOSED ---- 10 failures in a row, no report for 15 s ----> OPEN
    OPEN ------ the portal answers as a portal again --------> HALF_OPEN
    HALF_OPEN - a report has come ---------------------------> CLOSED
    HALF_OPEN - a failure, and the portal does not answer ---> OPEN

A failure that may be the portal's is judged by what is known at that moment. While several different vehicles fail
without a report in between, the portal is suspected, and their failures use up no try. Where one would use up a
vehicle's last try, or is that of the one vehicle that goes ahead, the portal is looked at first.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

SLOW_FROM = 3
FIRST_SPACING_S = 0.25
LONGEST_SPACING_S = 2.0


class Phase(enum.Enum):
    """Whether vehicles may be begun: all, none, or one at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Ruling(enum.Enum):
    """What a failure means for its vehicle."""

    COUNTS = "a try is used up"
    FREE = "no try is used up"
    LOOK_FIRST = "the portal has to be looked at"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """``failures`` in a row and no report for ``silence_s`` open it; failures of ``suspects`` vehicles are suspicious.

    ``down_wait_s`` is how long it may take until a report comes again.
    """

    failures: int = 10
    silence_s: float = 15.0
    suspects: int = 3
    down_wait_s: float = 900.0


class Breaker:
    """Judges failures that may be the portal's; those that cannot be are not told to it."""

    def __init__(self, rules: BreakerRules, now: float) -> None:
        self._rules = rules
        self._vehicles: set[str] = set()
        self._last_success = now
        self._opened_at = now
        self._trials = 0
        self.phase = Phase.CLOSED
        self.streak = 0
        """Failures in a row."""

    # -- what happened -------------------------------------------------------------------------------------------

    def succeeded(self, now: float) -> None:
        """Take note of a report that is proven and in place; nothing less is a success."""
        self._last_success = now
        self.streak = 0
        self._vehicles.clear()
        if self.phase is Phase.HALF_OPEN:
            self.phase = Phase.CLOSED

    def failed(self, key: str, now: float, *, ahead: bool, last_try: bool) -> Ruling:
        """Judge a failure; ``ahead``: of the vehicle that went ahead alone, ``last_try``: it has no other one left."""
        self.streak += 1
        self._vehicles.add(key)
        if self.phase is Phase.OPEN:
            return Ruling.FREE
        if self.phase is Phase.HALF_OPEN:
            return Ruling.LOOK_FIRST if ahead else Ruling.FREE
        if self.streak >= self._rules.failures and now - self._last_success >= self._rules.silence_s:
            self._open(now)
            return Ruling.FREE
        if len(self._vehicles) >= self._rules.suspects:
            return Ruling.FREE
        return Ruling.LOOK_FIRST if last_try else Ruling.COUNTS

    def looked(self, well: bool) -> Ruling:
        """Take in what a look at the portal has shown, and judge the failure that it was for."""
        if not well:
            if self.phase is Phase.HALF_OPEN:
                self.phase = Phase.OPEN
            return Ruling.FREE
        if self.phase is Phase.OPEN:  # opened by others meanwhile
            return Ruling.FREE
        self._trials += 1
        return Ruling.COUNTS

    def answered(self) -> None:
        """Take note that the portal answers as a portal again."""
        if self.phase is Phase.OPEN:
            self.phase = Phase.HALF_OPEN

    # -- what follows ----------------------------------------------------------------------------------------------

    @property
    def spacing_s(self) -> float:
        """The seconds between two vehicles begun: more from failure to failure, none while all is well."""
        if self.phase is Phase.HALF_OPEN:
            steps = self._trials
        elif self.streak >= SLOW_FROM:
            steps = self.streak - SLOW_FROM + 1
        else:
            return 0.0
        return min(FIRST_SPACING_S * 2.0 ** (steps - 1), LONGEST_SPACING_S) if steps else 0.0

    def silent_s(self, now: float) -> float:
        """Return the seconds since it opened or, if that is less, since the last report."""
        return now - max(self._opened_at, self._last_success)

    def is_over(self, now: float) -> bool:
        """Tell whether the portal has been failing for longer than is waited for."""
        return self.phase is not Phase.CLOSED and self.silent_s(now) >= self._rules.down_wait_s

    def _open(self, now: float) -> None:
        self.phase = Phase.OPEN
        self._opened_at = now
        self._trials = 0
