"""How fast vehicles may be begun: an even pace, and the waits that the portal asks for. Pure: the time is passed in."""

from __future__ import annotations

LONGEST_ASKED_S = 600.0
SHORTEST_ASKED_S = 1.0
FIRST_BACK_OFF_S = 2.0
LONGEST_BACK_OFF_S = 60.0
JITTER = 0.1
LONGEST_JITTER_S = 5.0


class Pace:
    """At most ``per_minute`` begun a minute, evenly spaced; 0: as fast as they come."""

    def __init__(self, per_minute: int) -> None:
        self._spacing_s = 60.0 / per_minute if per_minute else 0.0
        self._last: float | None = None

    def wait_s(self, now: float, spacing_s: float = 0.0) -> float:
        """Return how long the next one has to wait; ``spacing_s`` is a wider spacing that holds for the moment."""
        if self._last is None:
            return 0.0
        return self._last + max(self._spacing_s, spacing_s) - now

    def began(self, now: float) -> None:
        """Take note that one is begun."""
        self._last = now


class Throttle:
    """The wait that the portal has asked of all workers together.

    After it one vehicle goes first (``tentative``) until a report has come. A wait that is not told doubles from round
    to round; answers to what was begun before the wait belong to the same round.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._rounds = 0
        self._set_at = float("-inf")
        self._since: float | None = None
        self.until = float("-inf")
        self.spread_s = 0.0
        """Over how many seconds behind ``until`` the workers are to begin again."""

    @property
    def tentative(self) -> bool:
        """Whether the portal has throttled and no report has come since."""
        return self._since is not None

    def ask(self, seconds: float, now: float) -> None:
        """Begin nothing for so long, at most ten minutes."""
        self.until = max(self.until, now + min(seconds, LONGEST_ASKED_S))
        self.spread_s = min(JITTER * (self.until - now), LONGEST_JITTER_S)

    def throttled(self, asked_s: float | None, began: float, now: float) -> bool:
        """Take in a 429 to what was begun at ``began``; tells whether a new round of waiting begins."""
        anew = began >= self._set_at
        if anew:
            self._rounds += 1
            self._set_at = now
        self._since = now if self._since is None else self._since
        if asked_s is not None and asked_s >= SHORTEST_ASKED_S:
            self.ask(asked_s, now)
        elif anew:
            self.ask(min(FIRST_BACK_OFF_S * 2.0 ** (self._rounds - 1), LONGEST_BACK_OFF_S), now)
        return anew

    def succeeded(self) -> None:
        """Take note that a report has come; a wait that was asked for is kept."""
        self._rounds, self._since = 0, None

    def is_over(self, now: float) -> bool:
        """Tell whether nothing but throttling has come for longer than the limit."""
        return self._since is not None and now - self._since >= self._limit_s
