"""What each vehicle adds to what is made of all: its row in the index and its entries in the feeds, as text.

A build takes over from the last one what is made of the same: then a few changed vehicles among many cost a few parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Part:
    """One vehicle's texts by their name, and a hash of all that they are made of."""

    made_from: str
    texts: dict[str, str] = field(default_factory=dict)


class Parts:
    """The parts of all vehicles, by the path of their page; ``known`` are those of the last build.

    ``made`` are the ones of this build, as far as they have been asked for. May be used by several threads.
    """

    def __init__(self, known: Mapping[str, Part] | None = None) -> None:
        self._known = known or {}
        self.made: dict[str, Part] = {}

    def begin(self, path: str, made_from: str) -> None:
        """Say what a vehicle's parts are made of now."""
        known = self._known.get(path)
        taken_over = dict(known.texts) if known is not None and known.made_from == made_from else {}
        self.made[path] = Part(made_from, taken_over)

    def get(self, path: str, name: str, make: Callable[[], str]) -> str:
        """Return a text of a vehicle, made only where it is not known; nothing is kept of one that was not begun."""
        part = self.made.get(path)
        if part is None:
            return make()
        if name not in part.texts:
            part.texts[name] = make()
        return part.texts[name]
