"""The site `plain`: no license, no export, no scripts; a paged table, and the report as an attachment behind a link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from aiohttp import web

from .account import Outcome, Session, Stage
from .assets import Assets
from .fault_table import play
from .lot import Vehicle
from .portal import Portal
from .report_pdf import disposition
from .scene import Scene

COOKIE = "sid"
SIGN_IN = "/account/login"
MESSAGES = {
    Outcome.BAD_PASSWORD: "E-mail or password not recognized.",
    Outcome.LOCKED: "This account is locked. Please call your dealer support.",
    Outcome.IN_USE: "This account is in use on another computer. Try again in a few minutes.",
    Outcome.SECOND_FACTOR: "Enter the code we sent you.",
    Outcome.EXPIRED_PASSWORD: "Your password has expired.",
}

Answer = Callable[[Scene], Awaitable[web.StreamResponse]]
Counted = Callable[[Scene], AbstractContextManager[object]]


class PlainSite:
    """A site of another shape: the page number stands in the address, the session holds nothing but the sign-in."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def routes(self) -> list[web.RouteDef]:
        """Give the site's routes."""
        return [
            web.get("/", self._to_lot),
            web.get(SIGN_IN, self._handler("sign_in_page", "page", self._show, gated=False)),
            web.post(SIGN_IN, self._handler("sign_in", "page", self._sign_in, gated=False)),
            web.get("/account/check", self._handler("home", "page", self._check, gated=False)),
            web.get("/account/logout", self._handler("sign_out", "page", self._sign_out, gated=False)),
            web.get("/lot", self._handler("grid_page", "page", self._lot)),
            web.get("/lot/{key}", self._handler("vehicle", "vehicle", self._vehicle)),
            web.get("/lot/{key}/valuation", self._handler("pdf", "pdf", self._pdf, counted=self.portal.count_report)),
            *Assets(self.portal, "/assets").routes(),
        ]

    def session(self, request: web.Request) -> Session:
        """Give the session of a request's cookie, a new one where there is none."""
        session_id, _, auth = request.cookies.get(COOKIE, "").partition(".")
        return self.portal.desk.session(session_id, auth or None)

    def set_cookies(self, session: Session, response: web.StreamResponse) -> None:
        """Send the one cookie where it is new."""
        if session.is_new or session.auth_is_new:
            session.is_new = session.auth_is_new = False
            value = f"{session.id}.{session.auth}" if session.auth else session.id
            self.portal.ledger.cookies.append(value)
            response.set_cookie(COOKIE, value, httponly=True, samesite="Lax")

    def sign_in_page(self, session: Session, message: str = "") -> web.Response:
        """Give the sign-in form, with a message above it."""
        return self._page("sign_in.html", session, message=message)

    def message_page(self, status: int, title: str, text: str) -> web.Response:
        """Give a page that says one thing."""
        return self._page("message.html", Session(), status, title=title, text=text)

    def _page(self, template: str, session: Session, status: int = 200, **values: object) -> web.Response:
        text = self.portal.render(template, session=session, **values)
        return web.Response(text=text, status=status, content_type="text/html")

    def _handler(
        self, point: str, step: str, answer: Answer, gated: bool = True, counted: Counted = nullcontext
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def regular(scene: Scene) -> web.StreamResponse:
            await self.portal.wait(step)
            if gated and not scene.session.signed_in:
                half = scene.session.stage is not Stage.OUT
                raise web.HTTPFound("/account/check" if half else f"{SIGN_IN}?next={scene.request.path}")
            return await answer(scene)

        async def handle(request: web.Request) -> web.StreamResponse:
            session = self.session(request)
            vehicle = self.portal.lot.by_key.get(request.match_info.get("key", ""))
            vehicles: Sequence[Vehicle] = () if vehicle is None else (vehicle,)
            scene = Scene(self.portal, self, request, session, point, vehicles, regular)
            with counted(scene):
                return await play(scene)

        return handle

    async def _show(self, scene: Scene) -> web.StreamResponse:
        if scene.session.signed_in:
            raise web.HTTPFound("/lot")
        return self.sign_in_page(scene.session)

    async def _sign_in(self, scene: Scene) -> web.StreamResponse:
        form = await scene.request.post()
        outcome = self.portal.desk.sign_in(scene.session, str(form.get("email", "")), str(form.get("password", "")))
        scene.session.license_due = False
        if outcome is Outcome.SIGNED_IN:
            self.portal.ledger.signed_in()
            raise web.HTTPFound("/lot")
        self.portal.ledger.refused[outcome.value] += 1
        if scene.session.stage is not Stage.OUT:
            raise web.HTTPFound("/account/check")
        return self.sign_in_page(scene.session, MESSAGES[outcome])

    async def _check(self, scene: Scene) -> web.StreamResponse:
        return self.message_page(200, "One more step", MESSAGES.get(Outcome(self.portal.options.account), ""))

    async def _sign_out(self, scene: Scene) -> web.StreamResponse:
        if scene.session.stage is not Stage.OUT:
            self.portal.desk.end(scene.session)
            self.portal.ledger.sign_outs += 1
        raise web.HTTPFound(SIGN_IN)

    async def _lot(self, scene: Scene) -> web.StreamResponse:
        vehicles, size = self.portal.lot.vehicles, self.portal.options.page_size
        pages = max(1, -(-len(vehicles) // size))
        asked = scene.request.query.get("page", "1")
        page = min(max(1, int(asked) if asked.isdecimal() else 1), pages)
        rows = vehicles[(page - 1) * size : page * size]
        return self._page("lot.html", scene.session, rows=rows, page=page, pages=pages, total=len(vehicles))

    async def _vehicle(self, scene: Scene) -> web.StreamResponse:
        if not scene.vehicles:
            return self.message_page(404, "Not on the lot", "This vehicle is not on the lot any more.")
        self.portal.ledger.opened(scene.vehicle)
        return self._page("vehicle.html", scene.session, vehicle=scene.vehicle)

    async def _pdf(self, scene: Scene) -> web.StreamResponse:
        if not scene.vehicles:
            return self.message_page(404, "Not on the lot", "This vehicle is not on the lot any more.")
        name = self.portal.file_name(scene.vehicle, "valuation.pdf")
        headers = {"Content-Disposition": disposition("attachment", name)}
        body = self.portal.pdf(scene.vehicle)
        return web.Response(body=body, content_type="application/pdf", headers=headers)

    async def _to_lot(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/lot")
