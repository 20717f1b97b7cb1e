"""What all pages of the site `jdpower` share: cookies, layout, and what stands before each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from aiohttp import web

from .account import Session, Stage
from .fault_table import play
from .lot import Vehicle
from .portal import Portal
from .scene import Scene

ROOT = "/ValuesOnline"
HOME = f"{ROOT}/"
SIGN_IN = f"{ROOT}/Home/LicenseAgreement"
SESSION_COOKIE = "ASP.NET_SessionId"
AUTH_COOKIE = ".ASPXAUTH"
TOKEN_FIELD = "__RequestVerificationToken"  # noqa: S105 - a name, not a secret

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[[Scene], Awaitable[web.StreamResponse]]
About = Callable[[web.Request, Session], Awaitable[Sequence[Vehicle]]]
Counted = Callable[[Scene], AbstractContextManager[object]]


async def nobody(request: web.Request, session: Session) -> Sequence[Vehicle]:
    """The `about` of a request that names no vehicle."""
    return ()


class JdPowerFrame:
    """The site without its pages."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def session(self, request: web.Request) -> Session:
        """Give the session of a request's cookies, a new one where there is none."""
        return self.portal.desk.session(request.cookies.get(SESSION_COOKIE), request.cookies.get(AUTH_COOKIE))

    def set_cookies(self, session: Session, response: web.StreamResponse) -> None:
        """Send the cookies that are new in a session."""
        if session.is_new:
            session.is_new = False
            self.portal.ledger.cookies.append(session.id)
            response.set_cookie(SESSION_COOKIE, session.id, httponly=True, samesite="Lax")
        if session.auth_is_new and session.auth is not None:
            session.auth_is_new = False
            self.portal.ledger.cookies.append(session.auth)
            response.set_cookie(AUTH_COOKIE, session.auth, httponly=True, samesite="Lax")

    def handler(
        self,
        point: str,
        step: str,
        answer: Answer,
        *,
        about: About = nobody,
        gated: bool = True,
        counted: Counted = nullcontext,
    ) -> Handler:
        """Make a handler: time passes, faults happen, who may not see it is sent away, and the rest gets the answer.

        `about` finds the vehicles that a request names; `counted` is a context that lasts as long as the request.
        """

        async def regular(scene: Scene) -> web.StreamResponse:
            await self.portal.wait(step)
            if gated:
                self._bar(scene)
            return await answer(scene)

        async def handle(request: web.Request) -> web.StreamResponse:
            session = self.session(request)
            every = self.portal.options.rotate_every
            if every and session.signed_in and session.requests % every == 0:
                self.portal.desk.rotate(session)
            scene = Scene(self.portal, self, request, session, point, await about(request, session), regular)
            with counted(scene):
                return await play(scene)

        return handle

    def page(self, template: str, session: Session, status: int = 200, **values: object) -> web.Response:
        """Give a page for a session."""
        text = self.portal.render(template, session=session, token_field=TOKEN_FIELD, **values)
        return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})

    def sign_in_page(self, session: Session, message: str = "") -> web.Response:
        """Give the sign-in form, with a message above it."""
        return self.page("sign_in.html", session, message=message, address=f"{SIGN_IN}?ReturnUrl={HOME}")

    def message_page(self, status: int, title: str, text: str) -> web.Response:
        """Give a page that says one thing."""
        return self.page("message.html", Session(), status, title=title, text=text)

    async def check_token(self, scene: Scene) -> None:
        """Refuse a form whose anti-forgery field is not this session's. Raises web.HTTPBadRequest."""
        form = await scene.request.post()
        if form.get(TOKEN_FIELD) != scene.session.token:
            scene.portal.ledger.refused["token"] += 1
            raise web.HTTPBadRequest(text="The anti-forgery token could not be validated.")

    def _bar(self, scene: Scene) -> None:
        session, request = scene.session, scene.request
        if session.stage is Stage.SECOND_FACTOR:
            raise web.HTTPFound(f"{ROOT}/Home/VerifyCode")
        if session.stage is Stage.EXPIRED_PASSWORD:
            raise web.HTTPFound(f"{ROOT}/Home/ChangePassword")
        if session.stage is Stage.OUT:
            by_script = request.headers.get("X-Requested-With") == "XMLHttpRequest"
            if by_script and self.portal.options.xhr_signed_out == "401":
                raise web.HTTPUnauthorized(text="Your session has ended.")
            raise web.HTTPFound(f"{SIGN_IN}?ReturnUrl={_return_address(request)}")
        if session.license_due:
            raise web.HTTPFound(f"{SIGN_IN}?ReturnUrl={_return_address(request)}")


def _return_address(request: web.Request) -> str:
    return request.path if request.method == "GET" else HOME
