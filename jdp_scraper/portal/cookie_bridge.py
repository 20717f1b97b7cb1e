"""The browser's cookies for the HTTP client, and back: both are one session to the portal."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any

import httpx

from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.events import Bus
from jdp_scraper.portal.lease_keeper import LeaseKeeper

HAND_OVER_S = 5.0
_SAME_SITE = {"Strict", "Lax", "None"}


@dataclass(frozen=True, slots=True)
class Renewed:
    """A cookie that an answer sets, in Playwright's form, and the value that was sent to get that answer."""

    cookie: dict[str, Any]
    sent: str | None


class CookieBridge:
    """Reads the live cookies before each request, and hands what an answer sets to the browser at once.

    A browser whose cookie is not what was sent any more has been given a newer one meanwhile, by a sign-in or by an
    answer to a page, and keeps that. ``keeper`` gets the live cookies each time they are read, the ones that lost, and
    those that no browser is left for.
    """

    def __init__(self, browser: BrowserSession, origin: str, bus: Bus, keeper: LeaseKeeper) -> None:
        self._keeper = keeper
        self._browser = browser
        self._origin = origin
        self._bus = bus
        self._renewed: list[Renewed] = []
        self._lock = asyncio.Lock()
        self._flushing: set[asyncio.Task[None]] = set()

    async def cookies(self) -> list[dict[str, Any]]:
        """Return the portal's cookies in Playwright's form; raises Playwright's ``Error``."""
        await self.flush()
        cookies = await self._browser.cookies(self._origin)
        self._keeper.note_cookies(cookies)
        return cookies

    def take(self, response: httpx.Response) -> None:
        """Hand to the browser what an answer sets, in the background; never raises."""
        sent = dict(part.strip().split("=", 1) for part in _sent(response).split(";") if "=" in part)
        for header in response.headers.get_list("set-cookie"):
            try:
                parsed = SimpleCookie(header)
                found = [_cookie(name, morsel, response.url) for name, morsel in parsed.items()]
            except (CookieError, ValueError, TypeError):
                self._bus.notice("debug", "the portal set a cookie that cannot be read")
                continue
            self._bus.secrets.add_cookies(found)
            self._renewed += [Renewed(cookie, sent.get(cookie["name"])) for cookie in found]
        task = asyncio.get_running_loop().create_task(self.flush(), name="hand over cookies")
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)

    async def flush(self) -> None:
        """Return once the browser has what was taken, as far as it is newer than its own."""
        async with self._lock:
            while self._renewed:  # one by one: neither one that the browser refuses nor a stop may cost the others
                one = self._renewed[0]
                if self._browser.alive:
                    await self._hand_over(one)
                else:
                    self._keeper.note_orphan(one.cookie, one.sent)
                del self._renewed[0]

    async def _hand_over(self, renewed: Renewed) -> None:
        cookie = renewed.cookie
        try:
            async with asyncio.timeout(HAND_OVER_S):
                live = {each["name"]: each["value"] for each in await self._browser.cookies(self._origin)}
                if live.get(cookie["name"]) == renewed.sent:
                    await self._browser.set_cookies([cookie])
                elif live.get(cookie["name"]) != cookie["value"]:
                    self._keeper.note_rival(cookie)
        except Exception as error:
            self._keeper.note_rival(cookie)
            self._bus.notice(
                "debug", f"the browser does not take the cookie {cookie['name']!r}: {type(error).__name__}"
            )


def _sent(response: httpx.Response) -> str:
    return str(response.request.headers.get("cookie", ""))


def _cookie(name: str, morsel: Morsel[str], url: httpx.URL) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "value": morsel.value,
        "domain": morsel["domain"] or url.host,
        "path": morsel["path"] or "/",
        "httpOnly": bool(morsel["httponly"]),
        "secure": bool(morsel["secure"]),
    }
    if morsel["max-age"]:
        found["expires"] = time.time() + int(morsel["max-age"])
    elif morsel["expires"]:
        found["expires"] = parsedate_to_datetime(morsel["expires"]).timestamp()
    if morsel["samesite"].capitalize() in _SAME_SITE:
        found["sameSite"] = morsel["samesite"].capitalize()
    return found
