"""Reads /proc: which processes descend from one, and how much memory they hold (Linux alone tells a PSS)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")


def descendants(root: int) -> list[int]:
    """Return the ids of all processes below ``root``, without it."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for path in _PROC.iterdir():
        if path.name.isdecimal():
            children[_parent(int(path.name))].append(int(path.name))
    found, below = [], [root]
    while below:
        below = [child for parent in below for child in children[parent]]
        found += below
    return found


def _parent(pid: int) -> int:
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:  # ended meanwhile
        return 0
    # The name stands in brackets and may hold anything; state and parent follow the last one.
    return int(stat.rpartition(b")")[2].split()[1])


def pss_mib(pids: Iterable[int]) -> float:
    """Return the proportional memory of processes in MiB; those that have ended hold none."""
    return sum(_pss_kib(pid) for pid in pids) / 1024


def _pss_kib(pid: int) -> int:
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_bytes()
    except OSError:  # ended meanwhile, or waiting to be reaped
        return 0
    line = next((line for line in text.splitlines() if line.startswith(b"Pss:")), b"Pss: 0 kB")
    return int(line.split()[1])
