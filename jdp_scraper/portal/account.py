"""The one session that a run has on the portal: taken up or signed in to, mended once for all, always signed out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.browser.session import BrowserSession, close_page
from jdp_scraper.checkpoint.lease import LeaseFile, SessionLease
from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.disk import Disk
from jdp_scraper.errors import BrowserLost, PortalDown, ScraperError
from jdp_scraper.events import Bus
from jdp_scraper.portal.entrance import Credentials, Entrance
from jdp_scraper.portal.lease_keeper import LeaseKeeper
from jdp_scraper.portal.license import AcceptedLicense
from jdp_scraper.portal.sign_in import Look
from jdp_scraper.portal.sign_out import sign_out_in_browser, sign_out_over_http
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.visit import Visit
from jdp_scraper.portal.whole_run import whole_run_errors

SIGN_OUT_S = 10.0
MOST_SIGN_INS_IN_VAIN = 12
OURS_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds.

    ``lock_s`` is for an account that somebody else uses, ``own_lock_s`` for one that this program's own lost session
    keeps in use, ``down_s`` for a portal that does not answer as one in the middle of a run.
    """

    lock_s: float
    own_lock_s: float
    down_s: float


class Mended(Enum):
    """What a call to mend the session came to: it was not at fault, or another call or this one mended it."""

    NOT = auto()
    BEFORE = auto()
    NOW = auto()


class AccountSession:
    """The account's session, from browser to browser; whoever works remembers the ``generation`` it worked with.

    ``open`` raises ``SignInError`` kinds, ``PortalDown``, ``PortalChanged`` and ``BrowserLost``.
    """

    def __init__(self, site: Site, entrance: Entrance, keeper: LeaseKeeper, patience: Patience, bus: Bus) -> None:
        self._site = site
        self._entrance = entrance
        self._keeper = keeper
        self._patience = patience
        self._bus = bus
        self._visit: Visit | None = None
        self._user_agent = ""
        self._mending = asyncio.Lock()
        self._in_vain = 0
        self._generation = 1

    @classmethod
    def of(
        cls,
        site: Site,
        credentials: Credentials,
        lease_file: LeaseFile,
        refused: RefusedMarker,
        patience: Patience,
        *,
        bus: Bus,
        disk: Disk,
        step_s: float,
        screenshots: Path,
        unrecorded: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> AccountSession:
        """Put a session together; ``unrecorded`` is entered for as long as a page may hold the password."""
        keeper = LeaseKeeper(site, lease_file)
        entrance = Entrance(
            site,
            credentials,
            refused,
            keeper,
            bus=bus,
            disk=disk,
            step_s=step_s,
            screenshots=screenshots,
            unrecorded=unrecorded,
        )
        return cls(site, entrance, keeper, patience, bus)

    @property
    def sign_ins(self) -> int:
        """How often a sign-in worked."""
        return self._entrance.sign_ins

    @property
    def generation(self) -> int:
        """Grows with each mending and with each further sign-in, so that workers can tell one session from the next."""
        return self._generation

    @property
    def license(self) -> AcceptedLicense | None:
        """The license as it was accepted last."""
        return self._entrance.license

    async def open(self, visit: Visit) -> None:
        """Leave the visit's page signed in, the license accepted: by a session that was left open, or by a sign-in."""
        with whole_run_errors(self._site.origin):
            left = await self._keeper.load()
            here = left is not None and left.origin == self._site.origin
            ours = left is not None and here and datetime.now(UTC) - left.saved_at < OURS_FOR
            if left is not None and (not here or self._entrance.starts_afresh):
                await self._let_go(left)
                left = None
            if left is not None:
                await _give(visit.browser, left)
            goes_on = self._visit is not None
            # Not before its cookies are there: a browser without them would take the session for one that has ended.
            self._visit, self._user_agent = visit, visit.browser.user_agent
            self._keeper.follow(visit.browser)
            if left is None or not await self._take_up(visit, left):
                await self._sign_in(visit.page, ours)
                self._generation += goes_on
            await self._entrance.go_in(visit.page)

    async def mend(self, generation: int) -> Mended:
        """Do for all workers what the portal asks for in the middle of a run: a sign-in, its license.

        The sign-in address is opened first with the same cookies, for as long as the portal does not say. Returns
        whether the session of ``generation`` was at fault, and is mended. Raises as ``open`` does.
        """
        async with self._mending:
            if generation != self._generation:
                return Mended.BEFORE
            if self._visit is None:
                raise BrowserLost("no browser is open to sign in with")
            page = await self._visit.browser.new_page()
            try:
                with whole_run_errors(self._site.origin):
                    mended = await self._mend_on(page)
            finally:
                await close_page(page)
            self._generation += mended
            return Mended.NOW if mended else Mended.NOT

    async def _mend_on(self, page: Page) -> bool:
        seen = await self._entrance.look_within(page, self._patience.down_s)
        if seen.signed_in:
            asked = await self._entrance.go_in(page)
            if asked:
                self._count_in_vain()
            return asked
        if await self._by_rival(lambda: self._entrance.look_within(page, self._patience.down_s)) is not None:
            await self._entrance.go_in(page)
            return True
        self._count_in_vain()
        self._bus.notice("warning", "the portal has ended the session")
        await self._sign_in(page, ours=True)
        await self._entrance.go_in(page)
        return True

    @property
    def in_vain(self) -> int:
        """How often in a row the session was mended without one report in between."""
        return self._in_vain

    def note_success(self) -> None:
        """Take note that the session was good for a report."""
        self._in_vain = 0

    async def learn_sign_out(self, page: Page) -> None:
        """Learn from ``page`` how to sign out without a browser, unless that is known already."""
        await self._entrance.learn_sign_out(page)

    async def settled(self) -> None:
        """Return once no sign-in is under way, so that nothing is begun on a session that has ended."""
        async with self._mending:
            return

    @property
    def keeper(self) -> LeaseKeeper:
        """The keeper of the saved session, for whoever learns of its cookies."""
        return self._keeper

    async def refresh_lease(self) -> None:
        """Save the cookies again where the portal has renewed them; raises ``StorageError``."""
        await self._keeper.refresh()

    async def close(self, seconds: float = SIGN_OUT_S) -> bool:
        """Sign out, in the browser or over HTTP, and tell whether no session is left open; raises ``StorageError``."""
        await self._keeper.settled()
        if not self._keeper.may_be_open:
            return True
        cookies = await self._keeper.cookies()
        done = await self._sign_out_in_browser(seconds)
        if not done and self._keeper.recipe is not None:
            done = await sign_out_over_http(self._keeper.recipe, cookies, self._site, self._user_agent)
        if not done:
            done = await self._sign_out_in_browser(seconds, another_page=True)  # the run's own may have crashed
        if done:
            await self._keeper.end()
            self._bus.notice("info", "signed out")
        else:
            self._bus.notice(
                "warning", "could not sign out: the portal may take the account as in use for some minutes"
            )
        return done

    # -- within --------------------------------------------------------------------------------------------------

    async def _take_up(self, visit: Visit, left: SessionLease) -> bool:
        """Go on with a session that was left open; tells whether the portal still knows it."""
        self._keeper.take_up(left)
        seen = await self._entrance.look(visit.page)
        if not seen.signed_in:
            seen = await self._by_rival(lambda: self._entrance.look(visit.page)) or seen
        if seen.signed_in:
            self._entrance.note_answer()
            self._bus.notice("info", "took up the session that was left open; no sign-in was needed")
            return True
        if not seen.form:
            raise await self._entrance.unknown(visit.page, seen)
        await visit.browser.context.clear_cookies()
        return False

    async def _by_rival(self, look: Callable[[], Awaitable[Look]]) -> Look | None:
        """Try the session's other cookies; returns what ``look`` saw with one that the portal takes."""
        async for rival in self._keeper.rivals():
            try:
                seen = await look()
            except BaseException:
                self._keeper.note_rival(rival)  # it may be the live one all the same
                raise
            if seen.signed_in:
                self._bus.notice("debug", "the portal takes another one of the session's cookies")
                return seen
        return None

    async def _sign_in(self, page: Page, ours: bool) -> None:
        wait = max(self._patience.lock_s, self._patience.own_lock_s if ours else 0.0)
        await self._entrance.sign_in(page, wait, ours=ours)

    async def _let_go(self, left: SessionLease) -> None:
        """End a session of an earlier run that is not to be taken up."""
        if left.sign_out is not None and left.origin == self._site.origin:
            await sign_out_over_http(left.sign_out, [dict(cookie) for cookie in left.cookies], self._site)
        await self._keeper.end()

    async def _sign_out_in_browser(self, seconds: float, *, another_page: bool = False) -> bool:
        visit = self._visit
        if visit is None or not visit.browser.alive:
            return False
        try:
            page = await visit.browser.new_page() if another_page else visit.page
        except ScraperError:
            return False
        return await sign_out_in_browser(page, self._site, seconds, reopen=another_page or self.sign_ins > 1)

    def _count_in_vain(self) -> None:
        """A portal that ends each session at once must not be signed in to for ever: that is what locks accounts."""
        self._in_vain += 1
        if self._in_vain > MOST_SIGN_INS_IN_VAIN:
            raise PortalDown(
                f"the portal asked for a sign-in or its license {self._in_vain} times without one report in between: "
                "not going on, so that the account is not locked; try again later"
            )


async def _give(browser: BrowserSession, lease: SessionLease) -> None:
    """Put a lease's cookies into the browser, one by one: one that it refuses must not cost the others."""
    for cookie in lease.cookies:
        with suppress(PlaywrightError):  # a browser that has died shows at the next step
            await browser.set_cookies([dict(cookie)])
