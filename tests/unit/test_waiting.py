"""Waiting for a lock, with a sign of life for whoever watches."""

from __future__ import annotations

import asyncio

import pytest

from jdp_scraper.waiting import SIGN_EVERY_S, held

from .virtual_time import in_virtual_time


def test_without_a_lock_nobody_waits() -> None:
    async def main() -> None:
        async with held(None, pytest.fail), held(None, pytest.fail):
            pass

    in_virtual_time(main())


def test_a_lock_is_held_by_one_at_a_time_and_let_go_by_an_error() -> None:
    async def main() -> None:
        lock = asyncio.Lock()
        with pytest.raises(ValueError, match="within"):
            async with held(lock, pytest.fail):
                assert lock.locked()
                raise ValueError("within")
        assert not lock.locked()

    in_virtual_time(main())


def test_who_waits_gives_a_sign_again_and_again_until_it_is_its_turn() -> None:
    async def main() -> None:
        lock = asyncio.Lock()
        signs: list[float] = []
        loop = asyncio.get_running_loop()

        async def wait() -> float:
            async with held(lock, lambda: signs.append(loop.time())):
                return loop.time()

        async with lock:
            waiting = asyncio.ensure_future(wait())
            await asyncio.sleep(SIGN_EVERY_S * 3.5)
        assert await waiting == SIGN_EVERY_S * 3.5
        assert signs == [SIGN_EVERY_S * number for number in (1, 2, 3)]
        assert not lock.locked()

    in_virtual_time(main())


def test_who_is_cancelled_while_waiting_takes_no_lock_with_it() -> None:
    async def main() -> None:
        lock = asyncio.Lock()

        async def wait() -> None:
            async with held(lock, lambda: None):
                pytest.fail("it was never free")

        async with lock:
            waiting = asyncio.ensure_future(wait())
            await asyncio.sleep(SIGN_EVERY_S * 1.5)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert lock.locked()
        assert not lock.locked()

    in_virtual_time(main())
