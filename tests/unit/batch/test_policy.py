from __future__ import annotations

import time

import pytest

from jdp_scraper.batch.policy import Parallel
from jdp_scraper.batch.statistics import Statistics


@pytest.mark.parametrize(
    ("workers", "on", "tasks", "size"),
    [(4, True, 10, 4), (4, True, 3, 3), (4, True, 1, 1), (4, True, 0, 1), (4, False, 10, 1), (1, True, 10, 1)],
)
def test_one_task_or_a_switch_makes_it_sequential(workers: int, on: bool, tasks: int, size: int) -> None:
    assert Parallel(workers, on).size_for(tasks) == size


def test_statistics_tell_what_working_at_once_was_worth() -> None:
    one = Statistics(workers=2)
    one.begin()
    began = time.perf_counter()
    while time.perf_counter() - began < 0.01:
        pass
    for seconds in (3.0, 1.0):
        one.took(seconds)
    assert (one.tasks, one.tasks_s, one.longest_s) == (2, 4, 3)
    assert one.gain == pytest.approx(4 / one.wall_s)
    assert one.busy == 1
    assert one.per_second == pytest.approx(2 / one.wall_s)


def test_statistics_of_nothing_are_told_too() -> None:
    one = Statistics(workers=2)
    assert (one.gain, one.busy, one.per_second) == (1, 0, 0)
