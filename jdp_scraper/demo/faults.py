"""Which request meets which fault: queued on request, or by chance from a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .lot import Vehicle

# A point is a kind of request; "row" is the moment in which the rows of a grid answer are chosen.
PAGES = frozenset({"sign_in_page", "license", "home", "grid_page", "vehicle"})
SCRIPTS = frozenset({"grid", "row", "open", "dialog", "create"})
POINTS = PAGES | SCRIPTS | {"sign_in", "export", "pdf", "sign_out"}
GROUPS: Mapping[str, frozenset[str]] = {"any": POINTS, "page": PAGES, "grid": frozenset({"grid", "row"})}


@dataclass
class Queued:
    """A fault asked for: the next `times` requests at these points, of this vehicle where one is named, meet it.

    Below zero `times` means until the faults are cleared.
    """

    kind: str
    points: frozenset[str]
    times: int
    match: str | None


class FaultBook:
    """Decides for each request whether it meets a fault.

    Chance is drawn from seed, kind, point, vehicle and the how-manieth such request this is, not from one stream: the
    same request meets the same fault however requests of several pages interleave.
    """

    def __init__(
        self, kinds: Mapping[str, Collection[str]], by_chance: Mapping[str, Collection[str]], seed: int
    ) -> None:
        self._kinds = kinds
        self._by_chance = by_chance
        self._seed = seed
        self._queue: list[Queued] = []
        self._rates: list[tuple[str, frozenset[str], float]] = []
        self._met: Counter[tuple[str, str, str]] = Counter()

    def set_rates(self, rates: Mapping[str, float]) -> None:
        """Replace the chances; keys are `KIND` or `KIND@POINT`. Raises ValueError for an unknown kind or point."""
        wanted = []
        for key, rate in rates.items():
            kind, _, at = key.partition("@")
            wanted.append((kind, self._points(kind, at or None, self._by_chance), rate))
        self._rates = wanted

    def add(self, kind: str, at: str | None = None, times: int = 1, match: str | None = None) -> None:
        """Queue a fault; `match` is a reference or a VIN. Raises ValueError for an unknown kind or point."""
        self._queue.append(Queued(kind, self._points(kind, at, self._kinds), times, match))

    def clear(self) -> None:
        """Forget all queued faults; chances stay."""
        self._queue.clear()

    def draw(self, point: str, vehicles: Sequence[Vehicle] = ()) -> tuple[str, str | None] | None:
        """Give the fault that this request meets, as kind and the `match` it was asked for with, or None."""
        for queued in self._queue:
            if point in queued.points and _matches(queued.match, vehicles):
                queued.times -= 1
                if queued.times == 0:
                    self._queue.remove(queued)
                return queued.kind, queued.match
        about = vehicles[0].vin if len(vehicles) == 1 else "-"
        for kind, points, rate in self._rates:
            if point in points and self._chance(kind, point, about) < rate:
                return kind, None
        return None

    def _chance(self, kind: str, point: str, about: str) -> float:
        self._met[kind, point, about] += 1
        return random.Random(f"{self._seed}|{kind}|{point}|{about}|{self._met[kind, point, about]}").random()

    def _points(self, kind: str, at: str | None, allowed: Mapping[str, Collection[str]]) -> frozenset[str]:
        if kind not in self._kinds:
            raise ValueError(f"fault: {kind} is none of {', '.join(sorted(self._kinds))}")
        if at is None:
            return frozenset(allowed[kind])
        if at not in POINTS and at not in GROUPS:
            raise ValueError(f"fault: {at} is none of {', '.join(sorted(POINTS | set(GROUPS)))}")
        points = GROUPS.get(at, frozenset({at})) & frozenset(self._kinds[kind])
        if not points:
            raise ValueError(f"fault: {kind} cannot happen at {at}")
        return points


def _matches(match: str | None, vehicles: Sequence[Vehicle]) -> bool:
    return match is None or any(match in (vehicle.reference, vehicle.vin) for vehicle in vehicles)
