"""For how long the portal was busy before the first vehicle was opened, as the benchmark of the start takes it off."""

from __future__ import annotations

import pytest

from jdp_scraper.demo.ledger import Ledger
from jdp_scraper.demo.lot import Lot
from jdp_scraper.demo.options import DemoOptions


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("jdp_scraper.demo.ledger.time.monotonic", lambda: now[0])
    return now


def test_requests_at_the_same_time_count_once_and_none_after_the_first_vehicle(clock: list[float]) -> None:
    ledger, vehicle = Ledger(), Lot(DemoOptions(vehicles=1)).vehicles[0]
    with ledger.request():
        clock[0] += 1
        with ledger.request():
            clock[0] += 2
    clock[0] += 50
    assert ledger.answering_s == 3
    with ledger.request():
        clock[0] += 4
        ledger.opened(vehicle)
        clock[0] += 100
    with ledger.request():
        clock[0] += 100
        ledger.opened(vehicle)
    assert ledger.answering_s == 7
    assert ledger.requests == 4
    assert not [name for name in ledger.as_mapping(0) if name.startswith("_")]
