"""How much memory the processes of a browser hold."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil

MIB = 1024 * 1024
LIST_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB that no other process shares, of the processes that render pages and of Playwright's driver."""

    renderers: float
    driver: float


class Footprint:
    """Reads the memory of a driver's browser; ``drivers`` are this program's own children.

    The processes are listed again when ``look_again`` was called, as where a page was opened, when one of them has
    ended, and now and then: a list of all processes costs a hundred times as much as a look at a few of them.
    """

    def __init__(self, drivers: Sequence[psutil.Process]) -> None:
        self._drivers = tuple(drivers)
        self._renderers: tuple[psutil.Process, ...] = ()
        self._stale = True
        self._listed_at = 0.0

    def look_again(self) -> None:
        """Have the next look list the processes again."""
        self._stale = True

    def read(self) -> Memory:
        """Return what is held now; blocks for a moment, so it is called in a thread."""
        if self._stale or time.monotonic() - self._listed_at > LIST_EVERY_S:
            self._stale, self._listed_at = False, time.monotonic()
            self._renderers = tuple(self._list())
        return Memory(self._held(self._renderers), self._held(self._drivers))

    def _list(self) -> Iterable[psutil.Process]:
        for driver in self._drivers:
            try:
                processes = driver.children(recursive=True)
            except psutil.Error:
                continue
            yield from (process for process in processes if _renders(process))

    def _held(self, processes: Iterable[psutil.Process]) -> float:
        held = 0
        for process in processes:
            try:
                memory = process.memory_info()
            except psutil.Error:
                self._stale = True
                continue
            held += memory.rss - getattr(memory, "shared", 0)  # what is shared is told by Linux alone
        return held / MIB


def _renders(process: psutil.Process) -> bool:
    try:
        return "--type=renderer" in process.cmdline()
    except psutil.Error:
        return False
