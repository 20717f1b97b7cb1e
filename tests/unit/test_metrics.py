"""What a run took, added up from its events."""

from __future__ import annotations

import json

import pytest

from jdp_scraper.events import Notice, StepDone, TaskDone, TaskFailed, TaskReturned, TaskStarted
from jdp_scraper.metrics import Metrics, percentile_95


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], 0.0), ([3.0], 3.0), ([1.0, 2.0], 1.95), (list(range(101)), 95.0), ([5, 1, 1, 1, 1], 4.2)],
)
def test_the_95th_percentile_lies_between_the_values_around_it(values: list[float], expected: float) -> None:
    assert percentile_95(values) == pytest.approx(expected)


def test_steps_are_told_with_count_median_and_percentile() -> None:
    metrics = Metrics()
    for seconds in (1.0, 2.0, 9.0):
        metrics(StepDone("165530", 1, "open", seconds))
    metrics(StepDone("165530", 1, "report", 0.5))
    count, median, p95 = metrics.steps()["open"]
    assert (count, median) == (3, 2.0)
    assert p95 == pytest.approx(8.3)
    assert metrics.steps()["report"] == (1, 0.5, 0.5)


def test_what_became_of_the_vehicles_is_counted() -> None:
    metrics = Metrics()
    for event in (
        TaskStarted("a", 1),
        TaskReturned("a", 1, "ReportBroken", "cut short", 2.0),
        TaskStarted("a", 2),
        StepDone("a", 2, "open", 0.12345),
        TaskDone("a", 2, "a.pdf", 1000, 3.0),
        TaskStarted("b", 1),
        TaskFailed("b", 1, "ReportBroken", "not whole"),
        TaskDone("c", 1, "c.pdf", 500, 1.0),
        Notice("info", "by the way"),
    ):
        metrics(event)
    assert (metrics.done, metrics.bytes, metrics.failed) == (2, 1500, {"b": "not whole"})
    told = json.loads(json.dumps(metrics.to_json()))
    assert told["errors"] == {"ReportBroken": 2}
    assert told["bytes"] == 1500
    assert told["vehicles"]["a"] == {"attempts": 2, "seconds": {"open": 0.123}, "errors": ["ReportBroken"]}
    assert told["vehicles"]["b"]["errors"] == ["ReportBroken"]
    assert told["steps"]["open"] == {"count": 1, "median_s": 0.123, "p95_s": 0.123}
