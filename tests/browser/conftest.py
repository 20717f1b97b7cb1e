"""One browser for all tests of this folder, cleaned after each; small sites; the demo portal.

A browser belongs to the loop that started it, so all these tests run in the session's one loop.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page

from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession, close_page
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.demo.server import running
from jdp_scraper.events import Bus, Event

from ..support.program import WAIT_S, until
from .server import SmallSite, small_site

STEP_S = WAIT_S
FULL = shutil.which("chromium") or shutil.which("google-chrome")

StartPortal = Callable[..., Awaitable[DemoPortal]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


class Ear:
    """A bus and what was said on it."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.events: list[Event] = []
        self.bus.subscribe(self.events.append)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_browser() -> AsyncIterator[BrowserSession]:
    """The browser that a headless run would take."""
    async with BrowserSession(BrowserOptions(step_timeout_s=STEP_S), Bus()) as session:
        yield session


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["shell", "full"])
async def shared_either(request: pytest.FixtureRequest) -> AsyncIterator[BrowserSession]:
    """The headless shell, and full Chromium, which shows PDFs itself and opens tabs as a person's browser does."""
    path = {"shell": None, "full": FULL}[request.param]
    if request.param == "full" and path is None:
        pytest.skip("no full Chromium is installed")
    options = BrowserOptions(path=None if path is None else Path(path), step_timeout_s=STEP_S)
    async with BrowserSession(options, Bus()) as session:
        yield session


@contextlib.asynccontextmanager
async def cleaned(session: BrowserSession) -> AsyncIterator[BrowserSession]:
    """Lend a browser without a page, and leave nothing of its use behind."""
    await _close_pages(session)
    try:
        yield session
    finally:
        await _close_pages(session)
        await session.context.clear_cookies()


async def _close_pages(session: BrowserSession) -> None:
    for page in session.context.pages:
        await close_page(page)
    await until(lambda: not session.context.pages)


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shared_browser: BrowserSession) -> AsyncIterator[BrowserSession]:
    async with cleaned(shared_browser) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: BrowserSession) -> Page:
    return await browser.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[SmallSite]:
    async with small_site() as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def start_portal() -> AsyncIterator[StartPortal]:
    """Start demo portals, served over real HTTP from this process; they end with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**options: Any) -> DemoPortal:
            url = await stack.enter_async_context(running(DemoOptions(**{"vehicles": 12} | options)))
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=WAIT_S))
            return DemoPortal(url, 0, client)

        yield start
