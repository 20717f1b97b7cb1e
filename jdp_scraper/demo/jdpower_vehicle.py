"""A vehicle's page, its report dialog and its report, on the site `jdpower`."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from .account import Session
from .jdpower_frame import ROOT, JdPowerFrame
from .lot import Vehicle
from .report_pdf import disposition
from .scene import Scene

REPORT = f"{ROOT}/Report/GetPdfReport"


class VehiclePages:
    """From the opened vehicle to its PDF."""

    def __init__(self, site: JdPowerFrame) -> None:
        self._site = site
        self._portal = site.portal

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of these pages."""
        handler, path = self._site.handler, f"{ROOT}/vehicle/Bookout"
        return [
            web.get(path + "/{key}", handler("vehicle", "vehicle", self._vehicle, about=self._by_address)),
            web.get(path, handler("vehicle", "vehicle", self._vehicle, about=self._by_session)),
            web.post(f"{ROOT}/Report/Dialog", handler("dialog", "dialog", self._dialog, about=self._by_field)),
            web.post(f"{ROOT}/Report/Create", handler("create", "create", self._create, about=self._by_field)),
            web.get(REPORT, handler("pdf", "pdf", self._pdf, about=self._by_report, counted=self._portal.count_report)),
        ]

    async def _by_address(self, request: web.Request, session: Session) -> Sequence[Vehicle]:
        return self._keyed(request.match_info["key"])

    async def _by_field(self, request: web.Request, session: Session) -> Sequence[Vehicle]:
        return self._keyed(str((await request.post()).get("vehicleId", "")))

    async def _by_session(self, request: web.Request, session: Session) -> Sequence[Vehicle]:
        opened = session.opened
        return () if opened is None else (opened,)

    def _keyed(self, key: str) -> Sequence[Vehicle]:
        vehicle = self._portal.lot.by_key.get(key)
        return () if vehicle is None else (vehicle,)

    async def _vehicle(self, scene: Scene) -> web.StreamResponse:
        token = scene.session.token
        if not scene.vehicles or scene.request.query.get("s", token) != token:
            return self._site.message_page(404, "Vehicle not found", "This vehicle is no longer in your inventory.")
        scene.session.opened = scene.vehicle
        self._portal.ledger.opened(scene.vehicle)
        return self._site.page("vehicle.html", scene.session, vehicle=scene.vehicle)

    async def _dialog(self, scene: Scene) -> web.StreamResponse:
        return self._site.page("dialog.html", scene.session)

    async def _create(self, scene: Scene) -> web.StreamResponse:
        by_session = self._portal.options.bound == "session"
        vehicle = scene.session.opened if by_session else (scene.vehicles or (None,))[0]
        if vehicle is None:
            raise web.HTTPInternalServerError(text="No vehicle.")
        if not self._portal.may_create():
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(self._portal.options.retry_after_s)})
        address = f"{REPORT}?reportId={self._portal.new_report(vehicle)}"
        return web.json_response({"address": address})

    async def _by_report(self, request: web.Request, session: Session) -> Sequence[Vehicle]:
        vehicle = self._portal.report(request.query.get("reportId", ""))
        return () if vehicle is None else (vehicle,)

    async def _pdf(self, scene: Scene) -> web.StreamResponse:
        if not scene.vehicles:
            return self._site.message_page(404, "Report not found", "This report is no longer available.")
        name = disposition("inline", self._portal.file_name(scene.vehicle, "report.pdf"))
        headers = {"Content-Disposition": name, "Cache-Control": "private, no-store"}
        body = self._portal.pdf(scene.vehicle)
        return web.Response(body=body, content_type="application/pdf", headers=headers)
