"""A small web server whose pages a test writes, and what it was asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class SmallSite:
    """Serves ``pages`` by path; ``asked`` counts the requests by path, ``seen`` has them in order."""

    origin: str = ""
    pages: dict[str, Handler] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    seen: list[web.Request] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/") -> str:
        return self.origin + path

    def html(self, path: str, body: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> str:
        """Serve a page, and return its address."""
        return self.content(
            path, f"<!DOCTYPE html><meta charset=utf-8><title>{path}</title>{body}", status=status, headers=headers
        )

    def content(
        self,
        path: str,
        text: str | bytes,
        kind: str = "text/html",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Serve some content, and return its address."""
        data = text.encode() if isinstance(text, str) else text

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=data, content_type=kind, status=status, headers=headers)

        self.pages[path] = answer
        return self.url(path)

    def hanging(self, path: str, begin: bytes | None = None) -> str:
        """Serve an answer that never ends; with ``begin`` its head and these bytes come at once."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/html"})
            if begin is not None:
                await response.prepare(request)
                await response.write(begin)
            await self.closing.wait()
            return response

        self.pages[path] = answer
        return self.url(path)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        self.seen.append(request)
        handler = self.pages.get(request.path)
        if handler is None:
            raise web.HTTPNotFound
        return await handler(request)


@asynccontextmanager
async def small_site() -> AsyncIterator[SmallSite]:
    """Serve on a free port of this machine."""
    site = SmallSite()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        site.origin = f"http://{host}:{port}"
        yield site
    finally:
        site.closing.set()
        await runner.cleanup()
