"""The queue of tasks: order, back-off, stale reports and the end."""

from __future__ import annotations

import asyncio

import pytest

from jdp_scraper.errors import PageLost, PortalDown, SessionExpired
from jdp_scraper.work.queue import AsyncTaskQueue, QueueStatistics, StaleLease
from jdp_scraper.work.retry import GiveUp, Retry, Stop
from jdp_scraper.work.task import ACTIVE, TERMINAL, Lease, State

from ..virtual_time import in_virtual_time
from .conftest import Clock, queue_of


async def taken(queue: AsyncTaskQueue) -> Lease:
    """Take what is there to be taken now."""
    async with asyncio.timeout(60):
        lease = await queue.take()
    assert lease is not None
    return lease


def test_every_state_is_either_active_or_terminal() -> None:
    assert set(State) == ACTIVE | TERMINAL
    assert not ACTIVE & TERMINAL


async def test_tasks_come_in_inventory_order_and_each_once(clock: Clock) -> None:
    queue = queue_of("c", "a", "b", clock=clock)
    assert [(await taken(queue)).key for _ in range(3)] == ["c", "a", "b"]
    assert queue.statistics() == QueueStatistics(0, 3, 0, 0, 0, attempts=0, leases=3)


async def test_a_lease_tells_what_it_holds_and_since_when(clock: Clock) -> None:
    queue = queue_of("a", clock=clock)
    lease = await taken(queue)
    assert (lease.key, lease.vehicle.reference, lease.attempt) == ("a", "a", 1)
    assert (lease.taken_at, lease.last_sign, lease.step) == (100.0, 100.0, "take")
    assert queue.holds(lease) and queue.leases() == [lease]


async def test_a_beat_is_a_sign_of_life_and_keeps_the_step_unless_told(clock: Clock) -> None:
    queue = queue_of("a", clock=clock)
    lease = await taken(queue)
    clock.now = 103
    queue.beat(lease, "open")
    clock.now = 105
    queue.beat(lease)
    assert (lease.step, lease.last_sign, lease.taken_at) == ("open", 105.0, 100.0)


async def test_a_task_that_is_done_is_never_handed_out_again(clock: Clock) -> None:
    queue = queue_of("a", clock=clock)
    lease = await taken(queue)
    queue.done(lease)
    assert await queue.take() is None
    assert queue.statistics() == QueueStatistics(0, 0, 0, 1, 0, attempts=1, leases=1)
    assert queue.keys(State.DONE) == ["a"]
    assert queue.leases() == []


async def test_a_failed_task_comes_back_after_its_back_off_with_the_next_number(clock: Clock) -> None:
    queue = queue_of("a", "b", clock=clock, wait_s=10)
    first = await taken(queue)
    assert queue.fail(first, PageLost()) == Retry(10)
    assert queue.statistics().waiting == 1
    clock.now += 9.9
    assert (await taken(queue)).key == "b"
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    clock.now += 0.2
    again = await taken(queue)
    assert (again.key, again.attempt) == ("a", 2)


async def test_a_task_that_comes_back_stands_behind_what_is_ready(clock: Clock) -> None:
    queue = queue_of("a", "b", "c", clock=clock)
    queue.fail(await taken(queue), PageLost())
    clock.now += 100
    assert [(await taken(queue)).key for _ in range(3)] == ["b", "c", "a"]


async def test_after_its_last_try_a_task_has_failed_for_good(clock: Clock) -> None:
    queue = queue_of("a", clock=clock, retries=1)
    queue.fail(await taken(queue), PageLost())
    clock.now += 10
    assert queue.fail(await taken(queue), PageLost()) == GiveUp()
    assert await queue.take() is None
    assert queue.statistics() == QueueStatistics(0, 0, 0, 0, 1, attempts=2, leases=2)
    assert queue.attempts("a") == 2


async def test_an_error_that_stops_the_run_leaves_the_task_to_be_done(clock: Clock) -> None:
    queue = queue_of("a", "b", clock=clock)
    assert queue.fail(await taken(queue), PortalDown()) == Stop()
    assert queue.keys(State.READY) == ["a", "b"]
    assert queue.statistics().attempts == 0


async def test_a_failure_that_is_not_the_vehicle_s_uses_up_no_try(clock: Clock) -> None:
    queue = queue_of("a", clock=clock, retries=0)
    assert queue.fail(await taken(queue), PageLost(), free=True) == Retry(0.0, counts=False)
    again = await taken(queue)
    assert (again.key, again.attempt, queue.statistics().attempts) == ("a", 1, 0)


async def test_a_failure_uses_up_no_try_however_often_it_is_free(clock: Clock) -> None:
    queue = queue_of("a", clock=clock, retries=0)
    for _ in range(50):
        assert queue.fail(await taken(queue), SessionExpired(), free=True) == Retry(0.0, counts=False)
    assert queue.fail(await taken(queue), SessionExpired()) == GiveUp()


async def test_waiting_for_a_turn_is_no_part_of_the_work(clock: Clock) -> None:
    queue = queue_of("a", clock=clock)
    lease = await taken(queue)
    clock.now = 160
    queue.waited(lease, 110)
    assert (lease.taken_at, lease.last_sign) == (150.0, 160.0)


async def test_what_would_be_decided_can_be_asked_before(clock: Clock) -> None:
    queue = queue_of("a", clock=clock, retries=0)
    lease = await taken(queue)
    assert queue.decide(lease, PageLost()) == GiveUp()
    assert queue.holds(lease) and queue.statistics().leased == 1


async def test_a_task_given_back_comes_first_and_as_if_never_taken(clock: Clock) -> None:
    queue = queue_of("a", "b", clock=clock)
    queue.give_back(await taken(queue))
    again = await taken(queue)
    assert (again.key, again.attempt, queue.statistics().attempts) == ("a", 1, 0)


async def test_a_report_on_a_task_of_somebody_else_changes_nothing(clock: Clock) -> None:
    queue = queue_of("a", clock=clock)
    stale = await taken(queue)
    queue.give_back(stale)
    current = await taken(queue)
    before = queue.statistics()
    for report in (queue.done, queue.give_back, lambda lease: queue.fail(lease, PageLost())):
        with pytest.raises(StaleLease):
            report(stale)
    queue.beat(stale, "late")
    assert queue.statistics() == before
    assert queue.holds(current) and not queue.holds(stale)
    assert current.step == "take"


@pytest.mark.parametrize("ended", [True, False])
async def test_a_lease_ends_once(ended: bool, clock: Clock) -> None:
    queue = queue_of("a", clock=clock)
    lease = await taken(queue)
    if ended:
        queue.done(lease)
    else:
        queue.fail(lease, PageLost())
    with pytest.raises(StaleLease):
        queue.done(lease)


async def test_tries_of_earlier_starts_count_in_the_number_but_not_against_the_retries(clock: Clock) -> None:
    queue = queue_of("a", "b", clock=clock, retries=1, earlier={"a": 3})
    lease = await taken(queue)
    assert lease.attempt == 4
    assert isinstance(queue.fail(lease, PageLost()), Retry)
    assert (queue.attempts("a"), queue.attempts("b")) == (4, 0)
    assert queue.statistics().attempts == 1


async def test_an_empty_queue_is_at_its_end(clock: Clock) -> None:
    assert await queue_of(clock=clock).take() is None


async def test_after_a_stop_nothing_is_handed_out_but_what_is_out_may_be_reported(clock: Clock) -> None:
    queue = queue_of("a", "b", clock=clock)
    lease = await taken(queue)
    queue.stop()
    assert await queue.take() is None
    queue.done(lease)
    assert queue.statistics() == QueueStatistics(1, 0, 0, 1, 0, attempts=1, leases=1)


def test_who_waits_is_woken_by_a_stop() -> None:
    async def main() -> None:
        queue = queue_of("a", clock=asyncio.get_running_loop().time)
        await taken(queue)
        waiting = [asyncio.ensure_future(queue.take()) for _ in range(3)]
        await asyncio.sleep(1)
        queue.stop()
        assert await asyncio.gather(*waiting) == [None, None, None]

    in_virtual_time(main())


def test_who_waits_is_told_the_end_by_the_last_report() -> None:
    async def main() -> None:
        queue = queue_of("a", clock=asyncio.get_running_loop().time)
        lease = await taken(queue)
        waiting = [asyncio.ensure_future(queue.take()) for _ in range(3)]
        await asyncio.sleep(1)
        assert not any(task.done() for task in waiting)
        queue.done(lease)
        assert await asyncio.gather(*waiting) == [None, None, None]

    in_virtual_time(main())


def test_who_waits_gets_a_task_that_is_given_back_and_nobody_else_does() -> None:
    async def main() -> None:
        queue = queue_of("a", clock=asyncio.get_running_loop().time)
        lease = await taken(queue)
        waiting = [asyncio.ensure_future(queue.take()) for _ in range(3)]
        await asyncio.sleep(1)
        queue.give_back(lease)
        await asyncio.sleep(1)
        got = [task.result() for task in waiting if task.done()]
        assert [one.key for one in got if one] == ["a"]
        queue.stop()
        await asyncio.gather(*waiting)

    in_virtual_time(main())


def test_take_wakes_for_the_earliest_task_that_waits() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        queue = queue_of("a", "b", clock=loop.time, wait_s=10)
        first, second = await taken(queue), await taken(queue)
        queue.fail(first, PageLost())
        await asyncio.sleep(4)
        queue.fail(second, PageLost())
        woken = [((await queue.take()), loop.time()) for _ in range(2)]
        assert [(lease.key, at) for lease, at in woken if lease] == [("a", 10.0), ("b", 14.0)]

    in_virtual_time(main())


def test_who_waits_for_a_late_task_is_woken_by_an_earlier_one() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        queue = queue_of("a", "b", clock=loop.time, wait_s=1000)
        first, second = await taken(queue), await taken(queue)
        queue.fail(first, PageLost())
        waiting = asyncio.ensure_future(queue.take())
        await asyncio.sleep(5)
        queue.fail(second, SessionExpired(), free=True)
        lease = await waiting
        assert lease is not None
        assert (lease.key, loop.time()) == ("b", 5.0)

    in_virtual_time(main())


def test_a_cancelled_take_takes_nothing_with_it() -> None:
    async def main() -> None:
        queue = queue_of("a", clock=asyncio.get_running_loop().time)
        lease = await taken(queue)
        waiting = asyncio.ensure_future(queue.take())
        await asyncio.sleep(1)
        queue.give_back(lease)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await taken(queue)).key == "a"

    in_virtual_time(main())


async def test_what_is_given_back_behind_comes_after_all_others(clock: Clock) -> None:
    queue = queue_of("a", "b", "c", clock=clock)
    first, second = await taken(queue), await taken(queue)
    queue.give_back(first, behind=True)
    queue.give_back(second)
    assert [(await taken(queue)).key for _ in range(3)] == ["b", "c", "a"]
