from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.batch.in_order import BatchProgress, in_order

from ..virtual_time import in_virtual_time


async def _sleep(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


async def _all(items: list[float], size: int, work: Callable[[float], Awaitable[float]] = _sleep) -> list[float]:
    return [result async for result in in_order(items, work, size=size)]


@given(st.lists(st.floats(0, 100)), st.integers(1, 9))
def test_results_come_in_the_order_of_the_items(seconds: list[float], size: int) -> None:
    assert in_virtual_time(_all(seconds, size)) == seconds


@given(st.lists(st.floats(0, 100)), st.integers(1, 9))
def test_no_more_than_the_window_is_under_way(seconds: list[float], size: int) -> None:
    under_way, most = 0, 0

    async def work(item: float) -> float:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(item)
        under_way -= 1
        return item

    in_virtual_time(_all(seconds, size, work))
    assert most <= size


def test_the_slowest_item_holds_up_no_other() -> None:
    async def main() -> float:
        await _all([100.0, *[1.0] * 200], 3)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == 100


def test_a_result_is_given_as_soon_as_its_turn_has_come() -> None:
    async def main() -> list[tuple[float, float]]:
        clock = asyncio.get_running_loop().time
        return [(result, clock()) async for result in in_order([1.0, 9.0, 2.0], _sleep, size=3)]

    assert in_virtual_time(main()) == [(1, 1), (9, 9), (2, 9)]


def test_an_iterator_is_taken_from_only_as_places_get_free() -> None:
    taken: list[int] = []

    def items() -> Iterator[float]:
        for number in range(10):
            taken.append(number)
            yield 1.0

    async def main() -> None:
        async for _ in in_order(items(), _sleep, size=2):
            assert len(taken) <= 6
            break

    in_virtual_time(main())


def test_progress_is_told_of_each_item_and_every_ten_seconds_while_none_finishes() -> None:
    told: list[tuple[float, BatchProgress]] = []

    async def main() -> None:
        clock = asyncio.get_running_loop().time

        async def tell(progress: BatchProgress) -> None:
            told.append((clock(), progress))

        async for _ in in_order([1.0, 35.0, 2.0], _sleep, size=2, tell=tell):
            pass

    in_virtual_time(main())
    assert [(at, one.done) for at, one in told] == [(1, 1), (3, 2), (13, 2), (23, 2), (33, 2), (35, 3)]
    assert {one.total for _, one in told} == {3}
    assert [one.under_way for _, one in told] == [1, 1, 1, 1, 1, 0]


def test_a_slow_callback_holds_up_no_work() -> None:
    ended: list[float] = []

    async def main() -> None:
        clock = asyncio.get_running_loop().time

        async def work(item: float) -> float:
            await asyncio.sleep(item)
            ended.append(clock())
            return item

        async def tell(progress: BatchProgress) -> None:
            await asyncio.sleep(50)

        async for _ in in_order([1.0, 1.0, 1.0], work, size=1, tell=tell):
            pass

    in_virtual_time(main())
    assert ended == [1, 2, 3]


@pytest.mark.parametrize("where", ["work", "tell"])
def test_an_error_ends_the_batch_and_what_is_under_way(where: str) -> None:
    cancelled: list[float] = []

    async def work(item: float) -> float:
        if where == "work" and item == 2:
            raise LookupError
        try:
            return await _sleep(item)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    async def tell(progress: BatchProgress) -> None:
        if where == "tell":
            raise LookupError

    async def main() -> None:
        async for _ in in_order([1.0, 50.0, 2.0], work, size=2, tell=tell):
            pass

    with pytest.raises(LookupError):
        in_virtual_time(main())
    assert 50 in cancelled


def test_nothing_is_left_under_way_when_nobody_asks_for_more() -> None:
    cancelled: list[float] = []

    async def work(item: float) -> float:
        try:
            return await _sleep(item)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    async def main() -> None:
        results = in_order([1.0, 50.0], work, size=2)
        async for _ in results:
            break
        await results.aclose()

    in_virtual_time(main())
    assert cancelled == [50]
