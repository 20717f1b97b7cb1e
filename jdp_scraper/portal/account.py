"""The one session that a run has on the portal: taken up or signed in to, mended once for all, always signed out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Response

from jdp_scraper.browser.session import BrowserSession, close_page
from jdp_scraper.checkpoint.lease import LeaseFile, Phase, SessionLease, SignOutRecipe
from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.disk import PRIVATE, Disk
from jdp_scraper.errors import (
    AccountInUse,
    AccountLocked,
    BrowserLost,
    PageLost,
    PortalAnswered,
    PortalChanged,
    PortalDown,
    SessionExpired,
    StepTimeout,
    StorageError,
    UnknownPage,
    WrongCredentials,
)
from jdp_scraper.events import Bus, Countdown
from jdp_scraper.portal.in_page import open_address, page_step
from jdp_scraper.portal.license import AcceptedLicense, accept_license
from jdp_scraper.portal.sign_in import LOOK_EVERY_S, Look, fill_in, look, submit_sign_in, unknown_page
from jdp_scraper.portal.sign_out import learn_recipe, sign_out_in_browser, sign_out_over_http
from jdp_scraper.portal.site import Site

SIGN_OUT_S = 10.0
ANSWER_S = 10.0
COOKIES_S = 3.0
COUNT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the portal asks for; ``retry_refused`` lets a password be tried that was refused before."""

    user: str
    password: str = field(repr=False)
    retry_refused: bool = False


class AccountSession:
    """The account's session; ``generation`` grows with each sign-in, so that workers can tell a mended one.

    ``open`` raises ``SignInError`` kinds, ``PortalDown``, ``PortalChanged`` and ``BrowserLost``.
    """

    def __init__(
        self,
        site: Site,
        browser: BrowserSession,
        credentials: Credentials,
        lease_file: LeaseFile,
        refused: RefusedMarker,
        *,
        bus: Bus,
        disk: Disk,
        step_s: float,
        lock_wait_s: float,
        screenshots: Path,
        unrecorded: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self._site = site
        self._browser = browser
        self._credentials = credentials
        self._lease_file = lease_file
        self._refused = refused
        self._bus = bus
        self._disk = disk
        self._step_s = step_s
        self._lock_wait_s = lock_wait_s
        self._screenshots = screenshots
        self._unrecorded = unrecorded
        self._mending = asyncio.Lock()
        self._saves: set[asyncio.Task[None]] = set()
        self._recipe: SignOutRecipe | None = None
        self._may_be_open = False
        self._phase = Phase.SIGNING_IN
        self._saved_cookies: tuple[dict[str, Any], ...] = ()
        self.license: AcceptedLicense | None = None
        self.generation = 0
        self.sign_ins = 0

    async def open(self, page: Page) -> None:
        """Leave ``page`` signed in, with the license accepted: by the session an earlier run left, or by a sign-in."""
        with whole_run_errors(self._site.origin):
            left = await self._lease_file.load()
            if left is not None and (left.origin != self._site.origin or self._credentials.retry_refused):
                await self._let_go(left)
                left = None
            if left is None or not await self._take_up(page, left):
                await self._sign_in(page)
            await self._enter(page)

    async def mend(self, generation: int) -> bool:
        """Sign in again for all workers where the portal has ended the session of ``generation``.

        The sign-in address is opened first with the same cookies. Returns whether the session is another one now.
        """
        async with self._mending:
            if generation != self.generation:
                return True
            page = await self._browser.new_page()
            try:
                with whole_run_errors(self._site.origin):
                    seen = await self._look_at_entrance(page)
                    expired = not seen.signed_in
                    if expired:
                        self._bus.notice("warning", "the portal has ended the session; signing in again")
                        await self._sign_in(page)
                    await self._enter(page)
                    return expired
            finally:
                await close_page(page)

    async def learn_sign_out(self, page: Page) -> None:
        """Learn from ``page`` how to sign out without a browser, unless that is known already."""
        if self._recipe is None:
            self._recipe = await learn_recipe(page, self._site)
            await self._save()

    async def settled(self) -> None:
        """Return once no sign-in is under way, so that nothing is begun on a session that has ended."""
        async with self._mending:
            return

    def note_cookies(self, cookies: list[dict[str, Any]]) -> None:
        """Save the session's cookies, in the background, where the portal has renewed them."""
        if self._may_be_open and cookies and tuple(cookies) != self._saved_cookies:
            self._saved_cookies = tuple(cookies)
            self._in_background(self._save(tuple(cookies)))

    async def refresh_lease(self) -> None:
        """Save the cookies again where the portal has renewed them: the next start needs the live ones."""
        if self._may_be_open and self._browser.alive:
            cookies = await self._live_cookies()
            if cookies and cookies != self._saved_cookies:
                await self._save(cookies)

    async def close(self, page: Page | None, seconds: float = SIGN_OUT_S) -> bool:
        """Sign out, in the browser or over HTTP, and tell whether no session is left open."""
        await self._saved()
        if not self._may_be_open:
            return True
        cookies = await self._live_cookies() or self._saved_cookies
        done = False
        if page is not None and self._browser.alive and not page.is_closed():
            done = await sign_out_in_browser(page, self._site, seconds, reopen=self.sign_ins > 1)
        if not done and self._recipe is not None:
            done = await sign_out_over_http(self._recipe, cookies, self._site, self._browser.user_agent)
        if done:
            self._may_be_open = False
            await self._lease_file.forget()
            self._bus.notice("info", "signed out")
        else:
            self._bus.notice(
                "warning", "could not sign out: the portal may take the account as in use for some minutes"
            )
        return done

    async def _let_go(self, left: SessionLease) -> None:
        """End a session of an earlier run that is not to be taken up."""
        if left.sign_out is not None and left.origin == self._site.origin:
            await sign_out_over_http(left.sign_out, [dict(cookie) for cookie in left.cookies], self._site)
        await self._lease_file.forget()

    async def _live_cookies(self) -> tuple[dict[str, Any], ...]:
        """Return the context's cookies; none where the browser does not give them."""
        try:
            async with asyncio.timeout(COOKIES_S):
                return tuple(await self._browser.cookies(self._site.origin))
        except Exception:  # whatever a dead driver raises: the cookies saved last are there for this
            return ()

    # -- the way in ----------------------------------------------------------------------------------------------

    async def _look_at_entrance(self, page: Page) -> Look:
        """Open the sign-in address and wait until the page is a known one, a form or a signed-in one."""
        await open_address(page, self._site.url(self._site.profile.sign_in.address), "sign-in page", self._step_s)
        async with page_step("sign-in page", self._step_s):
            await page.wait_for_load_state("domcontentloaded")
        loop = asyncio.get_running_loop()
        end = loop.time() + max(self._site.profile.sign_in.settle_s, LOOK_EVERY_S)
        while True:
            seen = await look(page, self._site, self._step_s)
            if seen.form or seen.signed_in or loop.time() >= end:
                return seen
            await asyncio.sleep(LOOK_EVERY_S)

    async def _take_up(self, page: Page, left: SessionLease) -> bool:
        """Go on with the session of an earlier run that was cut off; tells whether the portal still knows it."""
        await self._browser.set_cookies([dict(cookie) for cookie in left.cookies])
        seen = await self._look_at_entrance(page)
        if seen.signed_in:
            self._may_be_open = True
            self._recipe, self._phase = left.sign_out, Phase.SIGNED_IN
            self._bus.notice("info", "took up the session that an earlier run left open; no sign-in was needed")
            return True
        if not seen.form:
            raise await self._with_screenshot(page, unknown_page(seen))
        await self._browser.context.clear_cookies()
        return False

    async def _sign_in(self, page: Page) -> None:
        user, password = self._credentials.user, self._credentials.password
        if self._credentials.retry_refused:
            await self._refused.forget()
        elif await self._refused.was_refused(user, password):
            raise WrongCredentials(
                "the portal refused this user name and password before, and they are not tried again, "
                "so that the account is not locked: correct JD_USER and JD_PASS, or give --retry-sign-in"
            )
        waited = 0.0
        while True:
            try:
                async with self._unrecorded():  # a password is filled in: nothing may record the page meanwhile
                    await self._sign_in_once(page)
            except AccountInUse as error:
                pause = min(self._site.profile.sign_in.in_use_retry_s, self._lock_wait_s - waited)
                if pause <= 0:
                    wait = f"waited {waited:.0f} s; LOCK_WAIT_S sets how long"
                    raise AccountInUse(f"{str(error).rstrip('.')} ({wait})") from error
                await self._count_down("the account is in use", pause)
                waited += pause
            else:
                return

    async def _sign_in_once(self, page: Page) -> None:
        """Send the form once; from the click on the session may be open, whatever is seen of it."""
        seen = await self._look_at_entrance(page)
        if not seen.form:
            raise PortalChanged(
                f"the sign-in page shows no form ({seen.title.strip()[:80]!r}): correct sign_in in the profile"
            )
        page.on("response", self._note_response)
        try:
            user, password = self._credentials.user, self._credentials.password
            await fill_in(page, self._site, user, password, self._step_s)
            self._phase = Phase.SIGNING_IN
            self._may_be_open = True
            self._recipe = None  # another session has another token
            await self._save()
            await seen_through(self._submit(page), ANSWER_S)
        finally:
            page.remove_listener("response", self._note_response)

    async def _submit(self, page: Page) -> None:
        """Send the form and take note of what came of it; once begun, cutting it off would leave a session unknown."""
        try:
            await submit_sign_in(page, self._site, self._step_s)
        except (WrongCredentials, AccountLocked, AccountInUse) as error:
            await self._refuse(error)
            raise
        except UnknownPage as error:
            raise await self._with_screenshot(page, error) from None
        self.sign_ins += 1
        self.generation += 1
        self._phase = Phase.SIGNED_IN
        await self._refused.forget()
        await self.learn_sign_out(page)  # this page may be the last that a stop lets us see
        await self._save()

    async def _refuse(self, error: Exception) -> None:
        """A refused sign-in leaves no session; a refused password is remembered, so that no start tries it again."""
        self._may_be_open = False
        await self._saved()
        await self._lease_file.forget()
        if isinstance(error, WrongCredentials):
            await self._refused.remember(self._credentials.user, self._credentials.password)

    async def _enter(self, page: Page) -> None:
        """Accept the license where it is asked for, and learn the way out."""
        rule = self._site.profile.license
        if rule is not None and (await look(page, self._site, self._step_s)).license:
            self.license = await accept_license(page, rule, self._step_s)
        await self.learn_sign_out(page)

    async def _count_down(self, reason: str, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            self._bus.publish(Countdown(reason, left))
            await asyncio.sleep(min(COUNT_EVERY_S, left))

    async def _with_screenshot(self, page: Page, error: UnknownPage) -> UnknownPage:
        path = self._screenshots / f"sign-in-{datetime.now(UTC):%Y%m%d-%H%M%S}.png"
        try:
            async with asyncio.timeout(self._step_s):
                if self._bus.secrets.found_in(await page.content()):
                    return UnknownPage(f"{error}; no screenshot, as the page shows a secret")
                picture = await page.screenshot()
            await asyncio.to_thread(self._disk.make_folder, path.parent)
            await asyncio.to_thread(self._disk.write_whole, path, picture, PRIVATE)
        except (PlaywrightError, StorageError, TimeoutError):
            return error
        return UnknownPage(f"{error}; screenshot: {path}")

    # -- the lease -------------------------------------------------------------------------------------------------

    def _note_response(self, response: Response) -> None:
        """Save the cookies at each answer to the sign-in: a kill right after it must not leave a session unknown."""
        if response.request.is_navigation_request() and self._site.is_own(response.url):
            self._in_background(self._save())

    def _in_background(self, saving: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(saving, name="save session")
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)

    async def _save(self, cookies: tuple[dict[str, Any], ...] = ()) -> None:
        cookies = cookies or await self._live_cookies()
        lease = SessionLease(self._site.origin, self._phase, datetime.now(UTC), cookies, self._recipe)
        if self._may_be_open and cookies:
            self._saved_cookies = cookies
            await self._lease_file.save(lease)

    async def _saved(self) -> None:
        if self._saves:
            await asyncio.gather(*self._saves, return_exceptions=True)


async def seen_through(call: Coroutine[Any, Any, None], seconds: float) -> None:
    """Await ``call``; where this is cancelled, give the call ``seconds`` to end by itself first."""
    task = asyncio.ensure_future(call)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


@contextmanager
def whole_run_errors(origin: str) -> Iterator[None]:
    """Map what fails in a step that no vehicle can do without to an error that stops the run."""
    try:
        yield
    except PortalAnswered as error:
        raise PortalDown(
            f"the portal at {origin} cannot be used: {error}; check the network, PORTAL_URL, or wait"
        ) from error
    except StepTimeout as error:
        raise PortalChanged(f"the portal does not behave as the profile says: {error}") from error
    except SessionExpired as error:
        raise PortalDown(f"the portal ended the session at once: {error}") from error
    except PageLost as error:
        raise BrowserLost(f"the browser's page was lost: {error}") from error
