"""Static files of the sites: scripts and styles from a folder, pictures and a font made at the first request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from .font import make_font
from .picture import draw_book, draw_car
from .portal import Portal

_FOLDER = Path(__file__).parent / "static"
_TYPES = {"js": "text/javascript", "css": "text/css", "png": "image/png", "ttf": "font/ttf"}
# Large and useless to a machine, so that a client which blocks pictures and fonts can show what it saved.
_MADE: dict[str, Callable[[], bytes]] = {
    "book.png": lambda: draw_book().png(),
    "edit.png": lambda: draw_book().png(),
    "banner.png": lambda: draw_car(900, 260, 7).png(),
    "photo.png": lambda: draw_car(480, 320, 8).png(),
    "demo.ttf": make_font,
}


class Assets:
    """Serves `{prefix}/{name}` with the latency of a static file; browsers may keep what they got for an hour."""

    def __init__(self, portal: Portal, prefix: str) -> None:
        self._portal = portal
        self._prefix = prefix
        self._bodies = {path.name: path.read_bytes() for path in _FOLDER.iterdir()}

    def routes(self) -> list[web.RouteDef]:
        """Give the one route."""
        return [web.get(self._prefix + "/{name}", self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._portal.ledger.static[request.path] += 1
        await self._portal.wait("static")
        body = self._body(name)
        if body is None:
            raise web.HTTPNotFound(text="no such file")
        kind = _TYPES[name.rpartition(".")[2]]
        return web.Response(body=body, content_type=kind, headers={"Cache-Control": "public, max-age=3600"})

    def _body(self, name: str) -> bytes | None:
        if name not in self._bodies and name in _MADE:
            self._bodies[name] = _MADE[name]()
        return self._bodies.get(name)
