"""The browser's cookies for the HTTP client, and back: both are one session to the portal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any

import httpx

from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.events import Bus

HAND_OVER_S = 5.0
_SAME_SITE = {"Strict", "Lax", "None"}


class CookieBridge:
    """Reads the live cookies before each request, and hands what an answer sets to the browser before the next.

    ``on_cookies`` gets the live cookies each time.
    """

    def __init__(
        self, browser: BrowserSession, origin: str, bus: Bus, on_cookies: Callable[[list[dict[str, Any]]], None]
    ) -> None:
        self._on_cookies = on_cookies
        self._browser = browser
        self._origin = origin
        self._bus = bus
        self._set: list[dict[str, Any]] = []
        self._lock = asyncio.Lock()

    async def cookies(self) -> list[dict[str, Any]]:
        """Return the portal's cookies in Playwright's form; raises Playwright's ``Error``."""
        await self.flush()
        cookies = await self._browser.cookies(self._origin)
        self._on_cookies(cookies)
        return cookies

    def take(self, response: httpx.Response) -> None:
        """Keep what an answer sets, for ``flush``; never raises."""
        for header in response.headers.get_list("set-cookie"):
            try:
                parsed = SimpleCookie(header)
                found = [_cookie(name, morsel, response.url) for name, morsel in parsed.items()]
                self._bus.secrets.add_cookies(found)
                self._set += found
            except (CookieError, ValueError, TypeError):
                self._bus.notice("debug", "the portal set a cookie that cannot be read")

    async def flush(self) -> None:
        """Hand the cookies kept to the browser, in their order."""
        async with self._lock:
            kept, self._set = self._set, []
            if self._browser.alive:
                for cookie in kept:  # one by one: a cookie that the browser refuses must not cost the others
                    await self._hand_over(cookie)

    async def _hand_over(self, cookie: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(HAND_OVER_S):
                await self._browser.set_cookies([cookie])
        except Exception as error:
            self._bus.notice(
                "debug", f"the browser does not take the cookie {cookie['name']!r}: {type(error).__name__}"
            )


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
