"""Runs one client as a child and measures its whole process tree; a process of its own, so that nothing else counts.

It makes itself the reaper of whatever the client's processes leave behind, so the CPU seconds of every process that
came to be are in its children's account, also of those that ended early or whose parent did.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.processes import descendants, pss_mib

SAMPLE_S = 1.0
LEFT_BEHIND_S = 30.0
_PR_SET_CHILD_SUBREAPER = 36
# Looking must not slow down what is looked at: no more than this share of one processor.
_SHARE = 0.1


@dataclass(frozen=True)
class Charge:
    """What to run, in which folder; ``pdfs`` is a pattern of its files there, ``log`` takes what it prints."""

    command: Sequence[str]
    folder: str
    pdfs: str
    log: str
    limit_s: float

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Sample:
    """The tree's memory at a moment, ``at`` seconds after the start, when ``done`` PDFs were there."""

    at: float
    done: int
    pss_mib: float


@dataclass(frozen=True)
class Kept:
    """What a client's process tree took; ``began`` and ``ended`` are of the system's monotonic clock."""

    code: int
    began: float
    ended: float
    cpu_s: float
    left_behind: int
    samples: Sequence[Sample]

    @property
    def wall_s(self) -> float:
        return self.ended - self.began

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Kept:
        found = json.loads(text)
        return cls(**found | {"samples": [Sample(**one) for one in found["samples"]]})


def keep(charge: Charge) -> Kept:
    """Run the client to its end and return what it took."""
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("this system has no sub-reapers: CPU seconds cannot be told")
    samples: list[Sample] = []
    ended = threading.Event()
    with Path(charge.log).open("wb") as log:
        began = time.monotonic()
        child = subprocess.Popen(
            charge.command, cwd=charge.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        looking = threading.Thread(target=_look, args=(charge, began, samples, ended))
        looking.start()
        try:
            child.wait(charge.limit_s)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.wait(LEFT_BEHIND_S)
            child.kill()
            child.wait()
        over = time.monotonic()
        ended.set()
        looking.join()
        left_behind = _reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Kept(child.returncode, began, over, used.ru_utime + used.ru_stime, left_behind, samples)


def _look(charge: Charge, began: float, samples: list[Sample], ended: threading.Event) -> None:
    wait = SAMPLE_S
    while not ended.wait(wait):
        at, used = time.monotonic(), time.thread_time()
        done = sum(1 for _ in Path(charge.folder).glob(charge.pdfs))
        samples.append(Sample(round(at - began, 3), done, round(pss_mib(descendants(os.getpid())), 1)))
        wait = max(SAMPLE_S - (time.monotonic() - at), (time.thread_time() - used) / _SHARE)


def _reap() -> int:
    """Wait for what the client left behind, and return how many of it had to be killed."""
    killed: set[int] = set()
    deadline = time.monotonic() + LEFT_BEHIND_S
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return len(killed)
        if pid:
            continue
        if time.monotonic() > deadline:
            for left in set(descendants(os.getpid())) - killed:
                killed.add(left)
                with suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)
        time.sleep(0.01)


if __name__ == "__main__":
    sys.stdout.write(keep(Charge(**json.loads(sys.argv[1]))).to_json())
