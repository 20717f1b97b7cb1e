"""Keeps the saved session as new as the real one, so that a start after a kill can take it up or end it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Response

from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.checkpoint.lease import LeaseFile, Phase, SessionLease, SignOutRecipe
from jdp_scraper.errors import BrowserLost
from jdp_scraper.portal.site import Site

COOKIES_S = 3.0
MOST_RIVALS = 4


class LeaseKeeper:
    """The lease of the account's one session: whether one may be open, its cookies, and how to end it over HTTP.

    What writes the file raises ``StorageError``.
    """

    def __init__(self, site: Site, file: LeaseFile) -> None:
        self._site = site
        self._file = file
        self._browser: BrowserSession | None = None
        self._phase = Phase.SIGNING_IN
        self._cookies: tuple[dict[str, Any], ...] = ()
        self._saved: tuple[dict[str, Any], ...] = ()
        self._left: SessionLease | None = None
        self._saves: set[asyncio.Task[None]] = set()
        self._may_be_open = False
        self._recipe: SignOutRecipe | None = None
        self._rivals: deque[dict[str, Any]] = deque(maxlen=MOST_RIVALS)

    @property
    def may_be_open(self) -> bool:
        """Whether the portal may hold a session of ours: from the click on, until a sign-out is proven."""
        return self._may_be_open

    @property
    def recipe(self) -> SignOutRecipe | None:
        """How to sign out without a browser, once it has been learned."""
        return self._recipe

    def follow(self, browser: BrowserSession) -> None:
        """Read the cookies from this browser from now on."""
        self._browser = browser

    async def load(self) -> SessionLease | None:
        """Return what an earlier process or browser left, if anything."""
        self._left = await self._file.load()
        return self._left

    # -- the session's life ------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Say that the form is about to be sent: from here on a session may be open, and its token is another."""
        self._phase, self._may_be_open, self._recipe = Phase.SIGNING_IN, True, None
        self._rivals.clear()
        await self.save()

    async def signed_in(self) -> None:
        """Say that the sign-in is proven."""
        self._phase = Phase.SIGNED_IN
        await self.save()

    def take_up(self, left: SessionLease) -> None:
        """Go on with a session that was left open, until the portal says that it knows it no more."""
        self._phase, self._may_be_open, self._recipe = Phase.SIGNED_IN, True, left.sign_out
        self._cookies = tuple(dict(cookie) for cookie in left.cookies)

    async def learn(self, recipe: SignOutRecipe | None) -> None:
        """Keep how to sign out without a browser."""
        self._recipe = recipe
        await self.save()

    async def end(self, *, keep_mark: bool = False) -> None:
        """Say that no session is open that could be used.

        With ``keep_mark`` the lease becomes the one of before the form was sent: the portal still holds a session of
        ours that nobody can use any more, and the next start should know why the account is in use.
        """
        self._may_be_open = False
        await self.settled()
        if not keep_mark:
            self._left = None
            await self._file.forget()
        elif self._left is not None:  # as old as it is, so that it does not count as ours for ever
            await self._file.save(self._left)

    # -- its cookies -------------------------------------------------------------------------------------------------

    def note_response(self, response: Response) -> None:
        """Save the cookies at each answer to the sign-in: a kill right after it must not leave a session unknown."""
        if response.request.is_navigation_request() and self._site.is_own(response.url):
            self._in_background(self.save())

    def note_cookies(self, cookies: list[dict[str, Any]]) -> None:
        """Save the session's cookies, in the background, where the portal has renewed them."""
        if self._may_be_open and cookies and tuple(cookies) != self._cookies:
            self._cookies = tuple(cookies)
            self._in_background(self.save(tuple(cookies)))

    def note_orphan(self, cookie: dict[str, Any], sent: str | None) -> None:
        """Keep a cookie that came when no browser was left to take it, for an answer to ``sent``: the next needs it."""
        known = {each.get("name"): each.get("value") for each in self._cookies}.get(cookie["name"])
        if known != sent:
            self.note_rival(cookie)
            return
        others = (each for each in self._cookies if each.get("name") != cookie["name"])
        self.note_cookies([*others, cookie])

    def note_rival(self, cookie: dict[str, Any]) -> None:
        """Keep a cookie that lost against the browser's own: which is the newer one only the portal knows."""
        self._rivals.append(cookie)

    async def rivals(self) -> AsyncIterator[dict[str, Any]]:
        """Put one rival after another, the newest first, in place of the browser's own; raises ``BrowserLost``."""
        while self._rivals and self._browser is not None:
            rival = self._rivals.pop()
            try:
                await self._browser.set_cookies([rival])
            except PlaywrightError as error:
                if await self._browser.has_ended():
                    self._rivals.append(rival)
                    raise BrowserLost("the browser ended by itself") from error
                continue  # one that the browser refuses is none to try
            yield rival

    async def refresh(self) -> None:
        """Save the cookies where the browser alone has seen the portal renew them: the next start needs live ones."""
        if self._may_be_open:
            cookies = await self._live()
            if cookies and cookies != self._saved:
                await self.save(cookies)

    async def cookies(self) -> tuple[dict[str, Any], ...]:
        """Return the live cookies, or those saved last where the browser gives none any more."""
        return await self._live() or self._cookies

    async def save(self, cookies: tuple[dict[str, Any], ...] = ()) -> None:
        """Write the lease; without cookies as well, as it tells that the portal may hold a session of ours."""
        cookies = cookies or await self.cookies()
        if self._may_be_open:
            self._cookies = cookies
            lease = SessionLease(self._site.origin, self._phase, datetime.now(UTC), cookies, self._recipe)
            await self._file.save(lease)
            self._saved = cookies
            if lease.phase is Phase.SIGNED_IN:
                self._left = lease

    async def settled(self) -> None:
        """Return once what is being saved in the background is saved."""
        if self._saves:
            await asyncio.gather(*self._saves, return_exceptions=True)

    async def _live(self) -> tuple[dict[str, Any], ...]:
        if self._browser is None or not self._browser.alive:
            return ()
        try:
            async with asyncio.timeout(COOKIES_S):
                return tuple(await self._browser.cookies(self._site.origin))
        except Exception:  # whatever a dead driver raises: the cookies saved last are there for this
            return ()

    def _in_background(self, saving: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(saving, name="save session")
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)
