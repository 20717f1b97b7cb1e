"""When pages that have grown give some of it back."""

from __future__ import annotations

from collections.abc import Iterable

from jdp_scraper.browser.footprint import Memory
from jdp_scraper.browser.growth import (
    COLLECT_MIB,
    COLLECT_SHARE,
    RENEW_DRIVER_MIB,
    RENEW_MIB,
    RENEW_SHARE,
    Growth,
    Verdict,
)


def verdicts(levels: Iterable[float], driver: float = 100.0) -> list[Verdict]:
    growth = Growth()
    return [growth.judge(Memory(level, driver)) for level in levels]


def test_pages_that_do_not_grow_are_left_alone() -> None:
    assert set(verdicts([100, 100 + COLLECT_MIB, 90, 100, 110, 90 + COLLECT_MIB])) == {Verdict.FINE}


def test_garbage_is_collected_where_the_least_held_is_exceeded() -> None:
    assert verdicts([100, 120, 101 + COLLECT_MIB]) == [Verdict.FINE, Verdict.FINE, Verdict.COLLECT]


def test_after_a_collection_growth_counts_from_what_it_has_left() -> None:
    top = 101 + COLLECT_MIB
    levels = [100, top, top - 10, 95, 95 + COLLECT_MIB, 96 + COLLECT_MIB]
    assert verdicts(levels)[2:] == [Verdict.FINE] * 3 + [Verdict.COLLECT]


def test_pages_that_hold_much_may_grow_by_a_share_of_it() -> None:
    assert verdicts([1000, 1190, 1210]) == [Verdict.FINE, Verdict.FINE, Verdict.COLLECT]


def saw(valley: float) -> list[float]:
    """Return one growth from a valley to its next collection."""
    return [valley, valley + max(COLLECT_MIB, COLLECT_SHARE * valley) + 1]


def test_where_collections_leave_more_and_more_the_pages_are_opened_anew() -> None:
    first, second = 100.0, 100.0 + RENEW_MIB + 1
    assert verdicts([*saw(first), *saw(first), *saw(second)])[-1] is Verdict.RENEW


def test_pages_that_hold_much_are_opened_anew_after_a_share_of_it() -> None:
    first = 2 * RENEW_MIB / RENEW_SHARE
    most = first * (1 + RENEW_SHARE)
    up = [*saw(first), *saw(first), most + 50]
    assert verdicts([*up, most - 1, 2 * most]) == [*verdicts(up), Verdict.FINE, Verdict.COLLECT]
    assert verdicts([*up, most + 1, 2 * most]) == [*verdicts(up), Verdict.FINE, Verdict.RENEW]


def test_what_pages_hold_that_come_into_use_one_by_one_is_no_growth() -> None:
    growth = Growth()
    levels = [*saw(50), *saw(150), *saw(300), *saw(600)]
    assert Verdict.RENEW in verdicts(levels)
    filled = [growth.judge(Memory(level, 100), filling=True) for level in levels]
    assert Verdict.COLLECT in filled
    used = [growth.judge(Memory(level, 100)) for level in [*saw(600), *saw(600), *saw(600 + RENEW_MIB)] * 2]
    assert Verdict.RENEW not in filled + used


def test_after_a_renewal_all_begins_again() -> None:
    first, second = 100.0, 100.0 + RENEW_MIB + 1
    levels = [*saw(first), *saw(first), *saw(second), *saw(second), *saw(second)]
    assert verdicts(levels)[6:] == [Verdict.FINE, Verdict.COLLECT, Verdict.FINE, Verdict.COLLECT]


def test_a_driver_that_remembers_too_much_is_a_reason_too() -> None:
    growth = Growth()
    assert growth.judge(Memory(100, 100)) is Verdict.FINE
    assert growth.judge(Memory(100, 100 + RENEW_DRIVER_MIB)) is Verdict.FINE
    assert growth.judge(Memory(100, 101 + RENEW_DRIVER_MIB)) is Verdict.RENEW
    assert growth.judge(Memory(100, 101 + RENEW_DRIVER_MIB)) is Verdict.FINE
