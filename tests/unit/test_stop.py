"""The wish to stop, and what it cuts off."""

from __future__ import annotations

import asyncio
import signal

import pytest

from jdp_scraper.errors import Interrupted, PortalDown
from jdp_scraper.stop import SAME_WISH_S, SETTLE_S, StopRequest

from .virtual_time import in_virtual_time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time at which signals come, as its one item."""
    now = [1000.0]
    monkeypatch.setattr("jdp_scraper.stop.time.monotonic", lambda: now[0])
    return now


def test_the_first_signal_asks_and_the_second_hurries(clock: list[float]) -> None:
    stop = StopRequest()
    assert not stop.requested.is_set()
    stop.receive(signal.SIGTERM)
    assert stop.requested.is_set() and not stop.hurried.is_set()
    clock[0] += SAME_WISH_S
    stop.receive(signal.SIGINT)
    assert stop.hurried.is_set()


def test_a_signal_that_comes_twice_at_once_is_one_wish(clock: list[float]) -> None:
    stop = StopRequest()
    for _ in range(3):
        stop.receive(signal.SIGINT)
        clock[0] += SAME_WISH_S / 4
    assert not stop.hurried.is_set()
    clock[0] += SAME_WISH_S
    stop.receive(signal.SIGINT)
    assert stop.hurried.is_set()


def test_the_first_signal_decides_the_exit_code() -> None:
    stop = StopRequest()
    stop.receive(signal.SIGTERM)
    stop.receive(signal.SIGINT)
    assert stop.error().exit_code == 143


def test_a_guarded_call_returns_its_result() -> None:
    async def answer() -> int:
        await asyncio.sleep(1000)
        return 42

    async def main() -> int:
        return await StopRequest().guard(answer())

    assert in_virtual_time(main()) == 42


def test_a_guarded_call_raises_its_own_error() -> None:
    async def fail() -> None:
        raise PortalDown("closed")

    async def main() -> None:
        with pytest.raises(PortalDown, match="closed"):
            await StopRequest().guard(fail())

    in_virtual_time(main())


def test_a_signal_cuts_a_guarded_call_off_and_waits_for_its_end() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(10)
            ended.append("cleaned up")

    async def main() -> None:
        stop = StopRequest()
        asyncio.get_running_loop().call_later(5, stop.receive, signal.SIGINT)
        with pytest.raises(Interrupted) as caught:
            await stop.guard(work())
        assert caught.value.exit_code == 130
        assert ended == ["cleaned up"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    in_virtual_time(main())


def test_a_signal_that_came_before_lets_nothing_run_on() -> None:
    async def main() -> None:
        stop = StopRequest()
        stop.receive(signal.SIGHUP)
        with pytest.raises(Interrupted):
            await stop.guard(asyncio.Event().wait())

    in_virtual_time(main())


def test_a_failure_that_a_signal_explains_is_the_interruption() -> None:
    async def fail() -> None:
        raise PortalDown("the browser was killed by the same signal")

    async def main() -> None:
        stop = StopRequest()
        asyncio.get_running_loop().call_later(SETTLE_S / 2, stop.receive, signal.SIGTERM)
        with pytest.raises(Interrupted):
            await stop.guard(fail())

    in_virtual_time(main())


def test_a_failure_long_before_a_signal_is_itself() -> None:
    async def main() -> None:
        stop = StopRequest()
        asyncio.get_running_loop().call_later(SETTLE_S * 2, stop.receive, signal.SIGTERM)
        assert not await stop.came_with()
        await stop.requested.wait()
        assert await stop.came_with()

    in_virtual_time(main())


def test_who_cancels_a_guarded_call_cancels_what_it_does() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def main() -> None:
        guarded = asyncio.ensure_future(StopRequest().guard(work()))
        await asyncio.sleep(1)
        guarded.cancel()
        with pytest.raises(asyncio.CancelledError):
            await guarded
        assert cancelled.is_set()

    in_virtual_time(main())
