"""Whether the portal makes a report for the page or for the session, as told by the PDFs that came.

Where the report is of the vehicle that the session opened last, a page gets another one's report if that one was
opened between its own vehicle and its report. Such a PDF names a vehicle that was open elsewhere at that time. One or
two such PDFs may be chance, since a portal that files reports wrongly may well give a neighbor's, and neighbors are
worked on at the same time. Three are proof enough, unless as many reports were right although another vehicle had been
opened in between, since a session's report is never right then, or unless they are few among the reports that another
page could have spoilt, since a session's are often wrong. Until that is known they use up no try, so waiting for the
third costs nothing.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.vehicle import Vehicle

ENOUGH = 3
MOST_FREE = 3
FEW = 6  # one in as many is no sign: of a session's reports at least one in five were wrong in 1,200 simulated runs


@dataclass(slots=True, eq=False)
class Passage:
    """One attempt's way from opening its vehicle to knowing its report's address.

    ``rivals`` are the vehicles that may have been opened after this one, ``crossed`` tells that one surely was.
    ``alone``: no other page was on this way meanwhile.
    """

    vehicle: Vehicle
    entered: int
    alone: bool = False
    opened: int | None = None
    crossed: bool = False
    rivals: list[Vehicle] = field(default_factory=list)


class Binding:
    """Collects the evidence; ``narrow`` once reports are taken to be the session's."""

    def __init__(self, narrow: bool = False) -> None:
        self.narrow = narrow
        self._inside: set[Passage] = set()
        self._steps = itertools.count()
        self._explained = 0
        self._crossed_right = 0
        self._spared = 0
        self._spoilt: Counter[Vehicle] = Counter()

    @property
    def mismatches(self) -> int:
        """How many wrong PDFs were of a vehicle that another page had open."""
        return self._explained

    def enter(self, vehicle: Vehicle) -> Passage:
        """Take note that a page begins to open a vehicle."""
        passage = Passage(vehicle, next(self._steps), alone=self.narrow)
        for other in self._inside:
            other.rivals.append(vehicle)
            if other.opened is None:
                passage.rivals.append(other.vehicle)
        self._inside.add(passage)
        return passage

    def opened(self, passage: Passage) -> None:
        """Take note that the page shows the vehicle."""
        passage.opened = next(self._steps)
        for other in self._inside:
            if other.opened is not None and other.opened < passage.entered:
                other.crossed = True

    def leave(self, passage: Passage) -> None:
        """Take note that the address is known, or that the attempt has failed."""
        self._inside.discard(passage)

    def right(self, passage: Passage) -> None:
        """Take in a report that is proven."""
        self._crossed_right += passage.crossed
        self._spared += bool(passage.rivals)

    def wrong(self, passage: Passage, shown: Collection[str]) -> bool:
        """Take in a PDF that names another vehicle by the words in ``shown``; tells whether it uses up no try.

        May find that reports are the session's; ``narrow`` holds from then on.
        """
        if passage.alone:
            return False
        if self.narrow:
            return True
        words = {plain(word).upper() for word in shown}
        if not any(_is_named(rival, passage.vehicle, words) for rival in passage.rivals):
            return False
        self._spoilt[passage.vehicle] += 1
        if self._spoilt[passage.vehicle] > MOST_FREE:
            return False  # two whose reports are swapped name each other for ever
        self._explained += 1
        if self._explained <= self._crossed_right:
            return False
        self.narrow = self._explained >= ENOUGH and self._explained * FEW > self._spared + self._explained
        return True


def _is_named(rival: Vehicle, own: Vehicle, words: Collection[str]) -> bool:
    if rival.vin:
        return plain(rival.vin).upper() in words
    return rival.reference != own.reference and plain(rival.reference).upper() in words
