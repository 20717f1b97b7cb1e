"""The control API under /_demo/: what a test asks the portal, and tells it; no sign-in is needed."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .portal import Portal
from .report_pdf import label_of, values_of


class Control:
    """Ledger, inventory, options, expiry and faults of one portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/_demo/ledger", self._ledger),
            web.get("/_demo/inventory", self._inventory),
            web.get("/_demo/options", self._options),
            web.post("/_demo/set", self._set),
            web.post("/_demo/expire", self._expire),
            web.post("/_demo/fault", self._fault),
            web.delete("/_demo/fault", self._clear_faults),
            web.post("/_demo/lot", self._lot),
            web.get("/_demo/elsewhere/GetPdfReport", self._elsewhere),
        ]

    async def _ledger(self, request: web.Request) -> web.Response:
        return web.json_response(self._portal.ledger.as_mapping(self._portal.desk.open_sessions))

    async def _inventory(self, request: web.Request) -> web.Response:
        options = self._portal.options
        return web.json_response([
            vehicle.as_mapping()
            | {"values": values_of(vehicle, options.seed), "label": label_of(vehicle, options.site)}
            for vehicle in self._portal.lot.vehicles
        ])  # fmt: skip

    async def _options(self, request: web.Request) -> web.Response:
        return web.json_response(self._portal.options.as_mapping())

    async def _set(self, request: web.Request) -> web.Response:
        try:
            self._portal.set(await _table(request))
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response(self._portal.options.as_mapping())

    async def _expire(self, request: web.Request) -> web.Response:
        ended = self._portal.desk.end_all()
        self._portal.ledger.expiries += ended
        return web.json_response({"ended": ended})

    async def _fault(self, request: web.Request) -> web.Response:
        asked = await _table(request)
        try:
            self._portal.faults.add(asked["kind"], asked.get("at"), int(asked.get("times", 1)), asked.get("match"))
        except (KeyError, ValueError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response({})

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._portal.faults.clear()
        return web.json_response({})

    async def _lot(self, request: web.Request) -> web.Response:
        asked = await _table(request)
        self._portal.lot.change(asked.get("remove", ()), asked.get("rename"), int(asked.get("add", 0)))
        return web.json_response({"vehicles": len(self._portal.lot.vehicles)})

    async def _elsewhere(self, request: web.Request) -> web.Response:
        # Reached only by who follows a report to another origin; it serves the right PDF, so only the ledger tells.
        self._portal.ledger.foreign_requests += 1
        self._portal.ledger.foreign_with_cookie += bool(request.cookies)
        vehicle = self._portal.lot.by_key.get(request.query.get("key", ""))
        if vehicle is None:
            raise web.HTTPNotFound
        return web.Response(body=self._portal.press.print(vehicle), content_type="application/pdf")


async def _table(request: web.Request) -> dict[str, Any]:
    try:
        asked = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="not JSON") from error
    if not isinstance(asked, dict):
        raise web.HTTPBadRequest(text="not a JSON object")
    return asked
