"""What all tests share: nothing of ours may block the event loop in a unit or browser test."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import settings
from playwright.async_api import expect

from tests.support import thorough  # noqa: F401 - brings the profile that --hypothesis-profile names

TESTS = Path(__file__).parent
WATCHED = (TESTS / "unit", TESTS / "browser")


@pytest.fixture(autouse=True)
def nothing_blocks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which code of the package blocks while an event loop runs in the same thread."""
    if not any(folder in request.path.parents for folder in WATCHED):
        yield
        return
    with blockbuster_ctx("jdp_scraper", excluded_modules=["jdp_scraper.demo"]) as blockbuster:
        for function in blockbuster.functions.values():
            # The system's table of processes is read from memory: at the start of driver and browser and at their end,
            # and its own entry a few times a second.
            function.can_block_in("browser/driver.py", {"_started"})
            function.can_block_in("browser/session.py", {"__aenter__", "_close", "_watch_processes", "_parent"})
            # Each script is read once, from the package.
            function.can_block_in("portal/in_page.py", {"_script"})
        yield


# How long an expectation waits is only how long a failure takes: a machine may stand still for seconds.
expect.set_options(timeout=60_000)

# How long an example takes is not what any test is about, and a machine may be short of time.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


def _hear_signals() -> None:
    """Undo what nohup or a shell's background job ignores: the tests send these to processes that inherit it."""
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, default)


_hear_signals()
