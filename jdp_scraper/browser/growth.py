"""When the pages of a browser have grown so much that some of it is to be given back; pure."""

from __future__ import annotations

import enum
import math

from jdp_scraper.browser.footprint import Memory

# A vehicle's documents stay in the process that showed them, about 1 MiB each, until garbage is collected there.
COLLECT_MIB = 24.0
COLLECT_SHARE = 0.2
# What a collection leaves behind ends with the process, and what the driver remembers of a page with the page.
RENEW_MIB = 150.0
RENEW_SHARE = 0.5
RENEW_DRIVER_MIB = 60.0


class Verdict(enum.Enum):
    """What is to be done about the pages."""

    FINE = "nothing"
    COLLECT = "collect garbage"
    RENEW = "open all pages anew"


class Growth:
    """Judges look after look; whoever asks has done what the last verdict said."""

    def __init__(self) -> None:
        self._collected = False
        self._least = self._settled = self._driver = math.inf

    def judge(self, memory: Memory, *, filling: bool = False) -> Verdict:
        """Return what is to be done now that so much is held; ``filling`` while pages come into use one by one.

        Memory that was collected is given back bit by bit, so a collection is judged by the least held since it. While
        pages fill, what it leaves behind says nothing: there is more of it because there are more pages.
        """
        self._least = min(self._least, memory.renderers)
        self._driver = min(self._driver, memory.driver)
        if memory.driver - self._driver > RENEW_DRIVER_MIB:
            self._renewed()
            return Verdict.RENEW
        if memory.renderers - self._least <= max(COLLECT_MIB, COLLECT_SHARE * self._least):
            return Verdict.FINE
        if self._collected:
            self._settled = min(self._settled, self._least)
            if self._least - self._settled > max(RENEW_MIB, RENEW_SHARE * self._settled):
                self._renewed()
                return Verdict.RENEW
        self._collected, self._least = not filling, memory.renderers
        return Verdict.COLLECT

    def _renewed(self) -> None:
        self._collected = False
        self._least = self._settled = self._driver = math.inf
