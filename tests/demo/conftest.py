"""Portals served within the test's own process, and visitors that walk them over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.demo.server import running
from tests.support.program import WAIT_S

from .visitor import Visitor

StartPortal = Callable[..., Awaitable[DemoPortal]]
NewVisitor = Callable[[DemoPortal], Awaitable[Visitor]]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def start(stack: AsyncExitStack) -> StartPortal:
    async def start(**options: Any) -> DemoPortal:
        url = await stack.enter_async_context(running(DemoOptions(**{"vehicles": 45} | options)))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=WAIT_S))
        return DemoPortal(url, 0, client)

    return start


@pytest.fixture
def visit(stack: AsyncExitStack) -> NewVisitor:
    async def visit(portal: DemoPortal) -> Visitor:
        client = httpx.AsyncClient(base_url=portal.url, trust_env=False, follow_redirects=True, timeout=WAIT_S)
        return Visitor(await stack.enter_async_context(client))

    return visit
