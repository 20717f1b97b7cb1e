"""How often a browser may be lost before the run had better stop."""

from __future__ import annotations

from collections import deque

from jdp_scraper.errors import BrowserLost

MOST = 3
WITHIN_S = 180.0
MOST_IN_VAIN = 6


class Losses:
    """Counts lost browsers: more than three within three minutes, or six without a report between, are no accident."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MOST + 1)
        self._reports = self._in_vain = 0
        self.count = 0

    def note(self, error: BrowserLost, now: float, reports: int) -> None:
        """Take note of a loss at ``now`` seconds, after so many reports in all.

        Raises ``BrowserLost`` with the reason where it is one too many.
        """
        self.count += 1
        self._times.append(now)
        self._in_vain = self._in_vain + 1 if reports == self._reports else 1
        self._reports = reports
        why = ""
        if len(self._times) > MOST and now - self._times[0] <= WITHIN_S:
            why = f"{len(self._times)} browsers were lost within {WITHIN_S / 60:.0f} min"
        elif self._in_vain >= MOST_IN_VAIN:
            why = f"{self._in_vain} browsers were lost without a report in between"
        if why:
            raise BrowserLost(
                f"{error}: {why}; the run stops in order, start again and it goes on "
                "(low memory is the usual cause: fewer pages need less)"
            ) from error
