"""The bus: who hears what, and in which order."""

from __future__ import annotations

import dataclasses

import pytest

from jdp_scraper.events import Bus, Event, Notice, TaskStarted


def test_every_subscriber_hears_every_event_in_order() -> None:
    bus = Bus()
    heard: list[tuple[str, Event]] = []
    bus.subscribe(lambda event: heard.append(("first", event)))
    bus.subscribe(lambda event: heard.append(("second", event)))
    one, two = TaskStarted("165530", 1), TaskStarted("165530A", 2)
    bus.publish(one)
    bus.publish(two)
    assert heard == [("first", one), ("second", one), ("first", two), ("second", two)]


def test_a_late_subscriber_hears_only_what_comes_later() -> None:
    bus = Bus()
    heard: list[Event] = []
    bus.publish(TaskStarted("before", 1))
    bus.subscribe(heard.append)
    bus.publish(TaskStarted("after", 1))
    assert heard == [TaskStarted("after", 1)]


def test_a_notice_is_an_event_with_its_level() -> None:
    bus = Bus()
    heard: list[Event] = []
    bus.subscribe(heard.append)
    bus.notice("warning", "mind the gap")
    assert heard == [Notice("warning", "mind the gap")]


def test_events_do_not_change() -> None:
    event = TaskStarted("165530", 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.attempt = 2  # type: ignore[misc]
