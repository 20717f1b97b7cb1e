"""A parser pool and a portal's report address for these tests, and a check that nothing blocks the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from blockbuster import blockbuster_ctx

from jdp_scraper.disk import Disk, DiskFile
from jdp_scraper.pdf.parser import ParserPool

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Portal:
    """A server whose one handler a test sets; ``asked`` holds the requests in their order."""

    origin: str = ""
    handler: Handler | None = None
    asked: list[web.Request] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        assert self.handler is not None
        return await self.handler(request)


class OffLoopFile(DiskFile):
    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        not_in_the_loop()
        return super().write(data)

    def sync(self) -> None:
        not_in_the_loop()
        super().sync()


class OffLoopDisk(Disk):
    """Fails the test when it is used in the event loop's thread."""

    def open_new(self, path: Path, mode: int | None = None) -> DiskFile:
        not_in_the_loop()
        return OffLoopFile(path, "wb")

    def rename(self, source: Path, target: Path) -> None:
        not_in_the_loop()
        super().rename(source, target)

    def remove(self, path: Path, *, durable: bool = False) -> None:
        not_in_the_loop()
        super().remove(path, durable=durable)


def not_in_the_loop() -> None:
    assert threading.current_thread() is not threading.main_thread()


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    with blockbuster_ctx("jdp_scraper.pdf"):
        yield


@pytest.fixture
async def pool() -> AsyncIterator[ParserPool]:
    async with ParserPool(size=2) as pool:
        yield pool


async def _serve() -> AsyncIterator[Portal]:
    portal = Portal()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", portal.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    portal.origin = f"http://{host}:{port}"
    yield portal
    portal.gate.set()
    await runner.cleanup()


@pytest.fixture
async def portal() -> AsyncIterator[Portal]:
    async for one in _serve():
        yield one


@pytest.fixture
async def elsewhere() -> AsyncIterator[Portal]:
    async for one in _serve():
        yield one
