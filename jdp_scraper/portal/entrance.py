"""The way into the portal: what its entrance shows, the sign-in, and the license behind it.

Looking is free and is repeated where the portal stumbles; the form is sent once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
)
from tenacity.stop import stop_base

from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.disk import PRIVATE, Disk
from jdp_scraper.errors import (
    AccountInUse,
    AccountLocked,
    PortalAnswered,
    PortalChanged,
    PortalDown,
    SignInError,
    StepTimeout,
    StorageError,
    UnknownPage,
    WrongCredentials,
)
from jdp_scraper.events import Bus, Countdown
from jdp_scraper.portal.in_page import open_address, page_step
from jdp_scraper.portal.lease_keeper import LeaseKeeper
from jdp_scraper.portal.license import AcceptedLicense, accept_license
from jdp_scraper.portal.sign_in import LOOK_EVERY_S, Look, fill_in, look, submit_sign_in, unknown_page
from jdp_scraper.portal.sign_out import learn_recipe
from jdp_scraper.portal.site import Site

ANSWER_S = 10.0
COUNT_EVERY_S = 1.0
FIRST_PAUSE_S = 3.0  # three tries: at once, after 3 s, after 6 s more
LONGEST_PAUSE_S = 30.0
LONGEST_ASKED_S = 120.0
MOST_UNANSWERED = 2  # whether a form that got no answer was refused nobody knows, and refusals lock accounts
AT_START = stop_after_attempt(3)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the portal asks for; ``retry_refused`` lets a password be tried that was refused before."""

    user: str
    password: str = field(repr=False)
    retry_refused: bool = False


class Entrance:
    """Goes in by the page that it is given; ``sign_ins`` counts those that worked.

    ``unrecorded`` is entered for as long as the page may hold a password.
    Every method raises the errors of ``page_step`` beside its own.
    """

    def __init__(
        self,
        site: Site,
        credentials: Credentials,
        refused: RefusedMarker,
        keeper: LeaseKeeper,
        *,
        bus: Bus,
        disk: Disk,
        step_s: float,
        screenshots: Path,
        unrecorded: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self._site = site
        self._credentials = credentials
        self._refused = refused
        self._keeper = keeper
        self._bus = bus
        self._disk = disk
        self._step_s = step_s
        self._screenshots = screenshots
        self._unrecorded = unrecorded
        self._retry_refused = credentials.retry_refused
        self._unanswered = 0
        self.license: AcceptedLicense | None = None
        self.sign_ins = 0

    @property
    def starts_afresh(self) -> bool:
        """Whether the user asked for a sign-in that has not been tried yet."""
        return self._retry_refused and not self._unanswered

    def note_answer(self) -> None:
        """Take note that the portal has answered a sign-in, or shows that one has worked."""
        self._unanswered, self._retry_refused = 0, False

    async def look(self, page: Page, stop: stop_base = AT_START) -> Look:
        """Open the sign-in address until the page is a known one, a form or a signed-in one; again until ``stop``."""
        async for attempt in _again(stop):
            with attempt:
                return await self._look_once(page)
        raise AssertionError("tenacity returns or raises")

    async def look_within(self, page: Page, seconds: float) -> Look:
        """Look again and again for as long as the portal does not answer as a portal, at most ``seconds``."""
        return await self.look(page, stop_after_delay(seconds))

    async def sign_in(self, page: Page, lock_wait_s: float, *, ours: bool) -> None:
        """Sign in, once; an account in use is tried again for ``lock_wait_s``.

        ``ours``: it may be in use by a session that this program has lost, which a later start should know, too.
        Raises ``SignInError`` kinds, ``PortalDown`` and ``PortalChanged``.
        """
        user, password = self._credentials.user, self._credentials.password
        if not self._retry_refused and await self._refused.was_refused(user, password):
            raise WrongCredentials(
                "the portal refused this user name and password before, and they are not tried again, "
                "so that the account is not locked: correct JD_USER and JD_PASS, or give --retry-sign-in"
            )
        self._bus.notice("info", f"signing in at {self._site.origin}")
        waited = 0.0
        while True:
            try:
                async with self._unrecorded():  # a password is filled in: nothing may record the page meanwhile
                    await self._sign_in_once(page, ours)
            except AccountInUse as error:
                pause = min(self._site.profile.sign_in.in_use_retry_s, lock_wait_s - waited)
                if pause <= 0:
                    wait = (
                        f"waited {waited:.0f} s; LOCK_WAIT_S sets how long; where a run that was killed holds it, "
                        "start with the DOWNLOAD_FOLDER of that run"
                    )
                    raise AccountInUse(f"{str(error).rstrip('.')} ({wait})") from error
                await self._count_down("the account is in use", pause)
                waited += pause
            else:
                return

    async def go_in(self, page: Page) -> bool:
        """Accept the license if a signed-in page asks for it, which is told, and learn the way out."""
        asked = False
        async for attempt in _again(AT_START):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    await self._look_once(page)
                rule = self._site.profile.license
                if rule is not None and (await look(page, self._site, self._step_s)).license:
                    asked = True
                    self.license = await accept_license(page, rule, self._step_s)
                await self.learn_sign_out(page)
        return asked

    async def learn_sign_out(self, page: Page) -> None:
        """Learn from ``page`` how to sign out without a browser, unless that is known already."""
        if self._keeper.recipe is None:
            await self._keeper.learn(await learn_recipe(page, self._site))

    async def unknown(self, page: Page, seen: Look) -> UnknownPage:
        """Return the error for a page that only a person can answer, with a picture of it."""
        return await self._with_screenshot(page, unknown_page(seen))

    async def _look_once(self, page: Page) -> Look:
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

    async def _look_and_fill(self, page: Page) -> Look:
        """Open the sign-in address and fill in the form, if there is one to send; both send nothing, so they repeat."""
        async for attempt in _again(AT_START):
            with attempt:
                seen = await self._look_once(page)
                if seen.form and not seen.signed_in and self._unanswered < MOST_UNANSWERED:
                    user, password = self._credentials.user, self._credentials.password
                    await fill_in(page, self._site, user, password, self._step_s)
                return seen
        raise AssertionError("tenacity returns or raises")

    async def _sign_in_once(self, page: Page, ours: bool) -> None:
        """Send the form once; from the click on the session may be open, whatever is seen of it."""
        seen = await self._look_and_fill(page)
        if seen.signed_in:  # the session was good after all: nothing is sent, but it is ours to end
            self.note_answer()
            await self._keeper.begin()
            await self._keeper.signed_in()
            await self.learn_sign_out(page)
            return
        if self._unanswered >= MOST_UNANSWERED:
            raise PortalDown(
                f"{self._unanswered} sign-ins in a row got no answer: no more are sent, so that the account is not "
                "locked; open the portal by hand, or try again later"
            )
        if not seen.form:
            raise PortalChanged(
                f"the sign-in page shows no form ({seen.title.strip()[:80]!r}): correct sign_in in the profile"
            )
        page.on("response", self._keeper.note_response)
        try:
            await self._keeper.begin()
            self._unanswered += 1
            await seen_through(self._submit(page, ours), ANSWER_S)
        finally:
            page.remove_listener("response", self._keeper.note_response)

    async def _submit(self, page: Page, ours: bool) -> None:
        """Send the form and take note of what came of it; once begun, cutting it off would leave a session unknown."""
        try:
            await self._submit_and_count(page)
        except AccountInUse:
            await self._refused.pardon(self._credentials.user, self._credentials.password)
            await self._keeper.end(keep_mark=ours)
            raise
        except AccountLocked:
            await self._keeper.end()
            raise
        except WrongCredentials:
            await self._refused.remember(self._credentials.user, self._credentials.password)
            await self._keeper.end()
            raise
        except UnknownPage as error:
            await self._refused.pardon(self._credentials.user, self._credentials.password)
            raise await self._with_screenshot(page, error) from None
        self.sign_ins += 1
        await self._keeper.signed_in()
        await self._refused.forget()
        await self.learn_sign_out(page)  # this page may be the last that a stop lets us see

    async def _submit_and_count(self, page: Page) -> None:
        """Send the form; an answer, whichever, ends the count and the user's word, which was for one try."""
        try:
            await submit_sign_in(page, self._site, self._step_s)
        except SignInError:
            self.note_answer()
            raise
        self.note_answer()

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


def _again(stop: stop_base) -> AsyncRetrying:
    """Repeat what only looks, while the portal stumbles; the last failure is raised as it is."""
    stumbles = retry_if_exception_type((PortalAnswered, StepTimeout))
    return AsyncRetrying(retry=stumbles, wait=_pause, stop=stop, reraise=True)


def _pause(state: RetryCallState) -> float:
    """Return how long to wait before the next look, in seconds: what the portal asks for, and at least a back-off."""
    error = state.outcome.exception() if state.outcome else None
    asked = min(getattr(error, "retry_after_s", None) or 0.0, LONGEST_ASKED_S)
    return max(asked, wait_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S)(state))


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
