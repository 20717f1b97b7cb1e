"""What the worker processes of these tests are asked to do; each function is called in one of them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil


def doubled(number: int) -> int:
    return 2 * number


def failing(message: str) -> None:
    raise ValueError(message)


def greedy() -> int:
    return len(bytes(1 << 32))


def busy_for_ever() -> None:
    while True:
        pass


def asleep_for_ever() -> None:
    time.sleep(3600)


def ending() -> None:
    os._exit(7)


def chatty(text: str) -> str:
    os.write(1, b"what a library prints")
    return text


def own_id() -> int:
    return os.getpid()


def environment() -> Sequence[str]:
    return sorted(os.environ)


def limits() -> int:
    return int(psutil.Process().rlimit(psutil.RLIMIT_AS)[0])


def doubled_by(number: int) -> tuple[int, int]:
    return 2 * number, os.getpid()


def until_there(path: str) -> bool:
    while not Path(path).exists():
        time.sleep(0.005)
    return True


def processor_time_left() -> float:
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    return resource.getrlimit(resource.RLIMIT_CPU)[0] - usage.ru_utime - usage.ru_stime
