"""Sign-in, license, home and sign-out of the site `jdpower`."""

from __future__ import annotations

from aiohttp import web

from .account import Outcome, Stage
from .jdpower_frame import AUTH_COOKIE, HOME, ROOT, SIGN_IN, JdPowerFrame
from .scene import Scene

MESSAGES = {
    Outcome.BAD_PASSWORD: "The user name or password you entered is incorrect.",
    Outcome.LOCKED: "Your account has been locked. Please contact customer support.",
    Outcome.IN_USE: "There is already an active session for this account. Please wait about 5 minutes and try again.",
}


class AccountPages:
    """Everything about who is there."""

    def __init__(self, site: JdPowerFrame) -> None:
        self._site = site

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of these pages."""
        handler = self._site.handler
        sign_out = handler("sign_out", "page", self._sign_out, gated=False)
        return [
            web.get(SIGN_IN, handler("sign_in_page", "page", self._show, gated=False)),
            web.post(SIGN_IN, handler("sign_in", "page", self._post, gated=False)),
            web.get(HOME, handler("home", "page", self._home)),
            web.get(f"{ROOT}/Home/LogOff", sign_out),
            web.post(f"{ROOT}/Home/LogOff", sign_out),
            web.get(f"{ROOT}/Home/VerifyCode", handler("home", "page", self._second_factor, gated=False)),
            web.post(f"{ROOT}/Home/VerifyCode", handler("home", "page", self._second_factor, gated=False)),
            web.get(f"{ROOT}/Home/ChangePassword", handler("home", "page", self._new_password, gated=False)),
        ]

    async def _show(self, scene: Scene) -> web.StreamResponse:
        session, address = scene.session, _return_address(scene)
        if session.stage is Stage.OUT:
            return self._site.sign_in_page(session)
        if not session.signed_in:
            raise web.HTTPFound(f"{ROOT}/Home/{_next_step(session.stage)}")
        if session.license_due or scene.portal.options.license == "always":
            return self._site.page("license.html", session, address=f"{SIGN_IN}?ReturnUrl={address}")
        raise web.HTTPFound(address)

    async def _post(self, scene: Scene) -> web.StreamResponse:
        await self._site.check_token(scene)
        form = await scene.request.post()
        if "agreement" not in form:
            return await self._sign_in(scene, str(form.get("UserName", "")), str(form.get("Password", "")))
        if not scene.session.signed_in:
            return self._site.sign_in_page(scene.session)
        scene.portal.desk.accept_license(scene.session)
        scene.portal.ledger.license_accepted += 1
        raise web.HTTPFound(_return_address(scene))

    async def _sign_in(self, scene: Scene, user: str, password: str) -> web.StreamResponse:
        outcome = scene.portal.desk.sign_in(scene.session, user, password)
        if outcome is Outcome.SIGNED_IN:
            scene.portal.ledger.signed_in()
        else:
            scene.portal.ledger.refused[outcome.value] += 1
        if outcome in MESSAGES:
            return self._site.sign_in_page(scene.session, MESSAGES[outcome])
        raise web.HTTPFound(f"{SIGN_IN}?ReturnUrl={_return_address(scene)}")

    async def _home(self, scene: Scene) -> web.StreamResponse:
        return self._site.page("home.html", scene.session)

    async def _second_factor(self, scene: Scene) -> web.StreamResponse:
        return self._site.page("second_factor.html", scene.session)

    async def _new_password(self, scene: Scene) -> web.StreamResponse:
        return self._site.page("new_password.html", scene.session)

    async def _sign_out(self, scene: Scene) -> web.StreamResponse:
        if scene.request.method == "POST":
            await self._site.check_token(scene)
        elif scene.portal.options.logout != "link":
            raise web.HTTPMethodNotAllowed("GET", ["POST"])
        if scene.session.stage is not Stage.OUT:
            scene.portal.desk.end(scene.session)
            scene.portal.ledger.sign_outs += 1
        answer = web.HTTPFound(f"{SIGN_IN}?ReturnUrl={HOME}")
        answer.del_cookie(AUTH_COOKIE)
        raise answer


def _next_step(stage: Stage) -> str:
    return "VerifyCode" if stage is Stage.SECOND_FACTOR else "ChangePassword"


def _return_address(scene: Scene) -> str:
    address = scene.request.query.get("ReturnUrl", HOME)
    # Only places of this site: an address that begins with two slashes is another host's.
    return address if address.startswith("/") and not address.startswith("//") else HOME
