"""The grid of vehicles and its export, on the site `jdpower`."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from .account import Session
from .export_csv import export_csv
from .grid_view import look, obey, row_at
from .jdpower_frame import ROOT, JdPowerFrame
from .lot import Vehicle
from .scene import Scene

GRID = f"{ROOT}/vehicle/"


class InventoryPages:
    """Grid, its callbacks, opening a row by its place, and the export."""

    def __init__(self, site: JdPowerFrame) -> None:
        self._site = site
        self._portal = site.portal

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of these pages."""
        handler = self._site.handler
        return [
            web.get(GRID, handler("grid_page", "page", self._page)),
            web.get(GRID.rstrip("/"), handler("grid_page", "page", self._page)),
            web.post(f"{GRID}VehicleGridViewPartial", handler("grid", "grid", self._rows, about=self._filtered)),
            web.post(f"{GRID}Bookout", handler("open", "page", self._open_row)),
            web.get(f"{GRID}ExportCsv", handler("export", "page", self._export)),
        ]

    async def _filtered(self, request: web.Request, session: Session) -> Sequence[Vehicle]:
        form = await request.post()
        return self._portal.lot.named(str(form.get("value", ""))) if form.get("command") == "filter" else ()

    async def _page(self, scene: Scene) -> web.StreamResponse:
        return self._site.page("grid.html", scene.session)

    async def _rows(self, scene: Scene) -> web.StreamResponse:
        form = await scene.request.post()
        self._portal.ledger.grid_callbacks += 1
        obey(scene.session, str(form.get("command", "")), str(form.get("value", "")))
        view = look(scene.session, self._portal.lot, self._portal.options.page_size)
        return self._site.page("grid_rows.html", scene.session, view=view, missing=self._missing(view.rows))

    def _missing(self, rows: Sequence[Vehicle]) -> str:
        drawn = self._portal.faults.draw("row", rows)
        if drawn is None or not rows:
            return ""
        self._portal.ledger.faults[f"{drawn[0]}@row"] += 1
        meant = [vehicle for vehicle in rows if drawn[1] in (vehicle.reference, vehicle.vin)]
        return (meant or list(rows))[0].vin

    async def _open_row(self, scene: Scene) -> web.StreamResponse:
        await self._site.check_token(scene)
        form = await scene.request.post()
        row = str(form.get("row", ""))
        vehicle = row_at(scene.session, self._portal.lot, int(row)) if row.isdecimal() else None
        if vehicle is None:
            raise web.HTTPFound(GRID)
        scene.session.opened = vehicle
        # No vehicle in the address: where rows are opened by their place, the page cannot be reached in any other way.
        raise web.HTTPFound(f"{GRID}Bookout")

    async def _export(self, scene: Scene) -> web.StreamResponse:
        self._portal.ledger.exports += 1
        shown = scene.session.filter if self._portal.options.export_filtered else ""
        body = export_csv(self._portal.lot.containing(shown), self._portal.options)
        headers = {"Content-Disposition": 'attachment; filename="VehicleInventory.csv"'}
        return web.Response(body=body, content_type="text/csv", headers=headers)
