"""Who gets what is lent to one task at a time, and when."""

from __future__ import annotations

import asyncio

from jdp_scraper.batch.idle import Idle


async def test_whoever_gives_back_and_asks_again_at_once_comes_after_all_that_wait() -> None:
    idle, order = Idle(["one"]), []

    async def work(name: str, times: int) -> None:
        for _ in range(times):
            thing = await idle.take()
            order.append(name)
            await asyncio.sleep(0)
            idle.give_back(thing)

    await asyncio.gather(work("greedy", 4), work("a", 1), work("b", 1))
    assert order == ["greedy", "a", "b", "greedy", "greedy", "greedy"]


async def test_the_one_that_was_given_back_last_goes_out_first() -> None:
    idle = Idle(["one", "two", "three"])
    assert [await idle.take(), await idle.take()] == ["one", "two"]
    idle.give_back("one")
    idle.give_back("two")
    assert await idle.take() == "two"
    assert await idle.take_all() == ["one", "three"]
    assert await idle.take_all() == []


async def test_a_cancelled_wait_costs_nobody_anything() -> None:
    idle = Idle(["one"])
    thing = await idle.take()
    waiting = [asyncio.ensure_future(idle.take()) for _ in range(2)]
    await asyncio.sleep(0)
    idle.give_back(thing)
    waiting[0].cancel()
    assert await waiting[1] == "one"
    idle.give_back("one")
    assert await idle.take() == "one"
