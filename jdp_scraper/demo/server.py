"""Puts the demo portal together and serves it on 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from aiohttp import web

from .control import Control
from .options import DemoOptions
from .portal import Portal
from .site_jdpower import JdPowerSite
from .site_plain import PlainSite

HOST = "127.0.0.1"
# Requests that hang on purpose are not worth waiting for at the end.
_GRACE_S = 0.2

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(options: DemoOptions) -> web.Application:
    """Give the application of one portal. Raises ValueError for a fault rate of an unknown kind or point."""
    portal = Portal(options)
    site = JdPowerSite(portal) if options.site == "jdpower" else PlainSite(portal)

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_demo/"):
            return await handler(request)
        with portal.ledger.request():
            if portal.options.down:
                return web.Response(status=503, text="The service is unavailable.")
            return await handler(request)

    app = web.Application(middlewares=[watch])
    app.add_routes([*site.routes(), *Control(portal).routes()])
    return app


async def serve(
    options: DemoOptions, port: int, ready: Callable[[str], None], *, exit_with_parent: bool = False
) -> None:
    """Serve until SIGTERM or SIGINT, or until standard input ends where `exit_with_parent` is set.

    `ready` is called once with the portal's origin, like `http://127.0.0.1:8123`. Raises OSError where the port is
    taken and ValueError for a fault rate of an unknown kind.
    """
    async with running(options, port) as url:
        with _stop_event(exit_with_parent) as stop:
            ready(url)
            await stop.wait()


@contextlib.asynccontextmanager
async def running(options: DemoOptions, port: int = 0) -> AsyncIterator[str]:
    """Serve within this process while the context lasts, and give the portal's origin. Raises as `serve` does."""
    app = await asyncio.to_thread(make_app, options)
    # A client that goes away cancels its request: a hung one must not count as in flight for ten minutes.
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=_GRACE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def _stop_event(exit_with_parent: bool) -> Iterator[asyncio.Event]:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not loop.add_signal_handler: Windows has none. A plain handler wakes the loop by the threadsafe call.
        before[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if exit_with_parent:
        threading.Thread(target=_wait_for_eof, args=(loop, stop), daemon=True).start()
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # The file descriptor itself: a daemon thread inside sys.stdin would hold its lock when the interpreter ends.
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 1024):
            pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)
