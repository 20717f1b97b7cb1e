"""How often a browser may be lost before the run had better stop."""

from __future__ import annotations

from collections import deque

from jdp_scraper.errors import BrowserLost

MOST = 3
WITHIN_S = 180.0


class Losses:
    """Counts lost browsers; more than three within three minutes are no accident."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MOST + 1)
        self.count = 0

    def note(self, error: BrowserLost, now: float) -> None:
        """Take note of a loss at ``now`` seconds; raises ``BrowserLost`` with the reason where it is one too many."""
        self.count += 1
        self._times.append(now)
        if len(self._times) > MOST and now - self._times[0] <= WITHIN_S:
            minutes = WITHIN_S / 60
            raise BrowserLost(
                f"{error}: {len(self._times)} browsers were lost within {minutes:.0f} min; the run stops in order, "
                "start again and it goes on (low memory is the usual cause: fewer pages need less)"
            ) from error
