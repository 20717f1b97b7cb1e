"""The search for the rows that are wanted: which way to them costs less, page after page or the filter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from jdp_scraper.portal.grid import GridView
from jdp_scraper.portal.links import LinkBook

NEAR = 3  # how far apart in the inventory two rows may be that follow each other, where one between them has gone


class Search:
    """The references whose rows the walk has not shown yet.

    ``wanted`` tells how many rows each reference has that is to be opened. ``inventory`` are all references in the
    order of the export: where a page of rows follows it, it tells how far the missing ones are. That is a hint for the
    cost and nothing else; each page of rows is held against it anew. ``needed`` tells whether links are still of use.
    """

    def __init__(
        self,
        links: LinkBook,
        wanted: Mapping[str, int],
        inventory: Iterable[str],
        *,
        has_filter: bool,
        needed: Callable[[], bool],
    ) -> None:
        self._links = links
        self._missing = dict(wanted)
        self._has_filter = has_filter
        self._needed = needed
        self._places: dict[str, int] = {}
        for place, reference in enumerate(inventory):
            self._places.setdefault(reference, place)
        self.taken = 0
        """How many references were taken to be filtered for."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What is still to be found, in the order in which it is wanted; nothing where no link is needed."""
        return tuple(self._missing) if self._needed() else ()

    def note(self, view: GridView) -> None:
        """Take note of rows that have gone into the book."""
        for row in view.rows:
            reference = row.vehicle.reference
            if reference in self._missing and self._links.count(reference) >= self._missing[reference]:
                del self._missing[reference]

    def walk_on(self, view: GridView) -> bool:
        """Tell, after a page of the walk, whether the next pages find what is missing sooner than the filter."""
        self.note(view)
        if not self._missing or not self._needed():
            return False
        page, pages = view.pager.page, view.pager.pages
        if not self._has_filter or (page is not None and page == pages):
            return True
        last = self._place_of_end(view)
        if last is not None:
            return self._is_near(last, len(view.rows) + view.blank)
        return page is None or pages is None or pages - page <= len(self._missing)

    def take(self) -> tuple[str, int] | None:
        """Return the reference to filter for next and the number of its rows; it is not taken again."""
        if not self._missing or not self._needed():
            return None
        self.taken += 1
        reference = next(iter(self._missing))
        return reference, self._missing.pop(reference)

    def _is_near(self, last: int, size: int) -> bool:
        """Tell whether some number of missing rows lies within as many pages from a place on: one callback each."""
        places = (self._places.get(reference, -1) for reference in self._missing)
        ahead = (place - last for place in places if place > last)
        return any(-(-distance // size) <= number for number, distance in enumerate(ahead, start=1))

    def _place_of_end(self, view: GridView) -> int | None:
        """Return the place in the inventory at which a page of rows ends, ``None`` where it follows another order."""
        places = [self._places[row.vehicle.reference] for row in view.rows if row.vehicle.reference in self._places]
        if not places or sum(0 < b - a <= NEAR for a, b in pairwise(places)) * 2 < len(places) - 1:
            return None
        middle = len(places) // 2  # a reference that stands twice may be out of its place, at the end as well
        return sorted(places)[middle] + len(places) - 1 - middle
