"""Fill in the sign-in form once, and tell what came of it.

A sign-in has worked when something shows that only a signed-in page has, never because nothing went wrong.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page, Response

from jdp_scraper.errors import AccountInUse, AccountLocked, PortalDown, UnknownPage, WrongCredentials
from jdp_scraper.portal.in_page import click, page_step, run_across_navigation
from jdp_scraper.portal.profile import SignIn
from jdp_scraper.portal.site import Site, as_arg

LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Look:
    """What a page is at one moment, as far as the sign-in goes; ``before`` is the document that held the form."""

    before: bool
    loading: bool
    form: bool
    signed_in: bool
    license: bool
    title: str
    text: str


async def look(page: Page, site: Site, seconds: float) -> Look:
    """Read what ``page`` is; raises the errors of ``page_step``."""
    profile = site.profile
    async with page_step("sign-in", seconds):
        found: dict[str, Any] = await run_across_navigation(
            page,
            "look",
            form=profile.sign_in.password,
            signedIn=[as_arg(control) for control in profile.sign_in.signed_in],
            license=profile.license.checkbox if profile.license else None,
        )
    return Look(
        before=found["before"],
        loading=found["loading"],
        form=found["form"],
        signed_in=found["signedIn"],
        license=found["license"],
        title=found["title"],
        text=found["text"],
    )


async def fill_in(page: Page, site: Site, user: str, password: str, seconds: float) -> None:
    """Fill in the form that ``page`` shows; raises the errors of ``page_step``."""
    rule = site.profile.sign_in
    async with page_step("sign-in", seconds):
        await page.locator(rule.user).first.fill(user)
        await page.locator(rule.password).first.fill(password)


async def submit_sign_in(page: Page, site: Site, seconds: float) -> None:
    """Send the form that was filled in, once.

    Returns when the sign-in is proven. Raises ``WrongCredentials``, ``AccountLocked``, ``AccountInUse``,
    ``UnknownPage`` and ``PortalDown``, and the errors of ``page_step``.
    """
    rule = site.profile.sign_in
    before = await look(page, site, seconds)
    answers: list[int] = []

    def note(response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == page.main_frame:
            answers.append(response.status)

    page.on("response", note)
    try:
        async with page_step("sign-in", seconds):
            await click(page, as_arg(rule.submit), seconds, mark=True)
        await _outcome(page, site, before.text, answers, seconds)
    finally:
        page.remove_listener("response", note)


async def _outcome(page: Page, site: Site, text_before: str, answers: list[int], seconds: float) -> None:
    """Watch until the page says what came of the sign-in."""
    rule = site.profile.sign_in
    loop = asyncio.get_running_loop()
    end, unknown_since = loop.time() + seconds, None
    while loop.time() < end:
        seen = await look(page, site, seconds)
        if seen.signed_in:
            return
        if page.url.startswith("chrome-error:"):
            raise PortalDown("the connection broke at the sign-in; try again later")
        if answers and answers[-1] >= 500:
            raise PortalDown(f"the portal answered the sign-in with status {answers[-1]}; try again later")
        if not seen.loading and not (seen.before and seen.text == text_before):
            _raise_refusal(seen, rule)
            if not seen.form and not seen.before:
                unknown_since = unknown_since or loop.time()
                if loop.time() - unknown_since > rule.settle_s:
                    raise unknown_page(seen)
        await asyncio.sleep(LOOK_EVERY_S)
    if seen.before and seen.form:
        raise PortalDown(f"the portal did not answer the sign-in within {seconds:.0f} s; try again later")
    raise unknown_page(seen)


def _raise_refusal(seen: Look, rule: SignIn) -> None:
    for pattern, error in ((rule.in_use, AccountInUse), (rule.locked, AccountLocked), (rule.refused, WrongCredentials)):
        if pattern and re.search(pattern, seen.text, re.IGNORECASE):
            raise error
    if seen.form and not seen.before:
        raise WrongCredentials


def unknown_page(seen: Look) -> UnknownPage:
    """Return the error for a page that is neither a signed-in one nor any known refusal."""
    return UnknownPage(
        f"after the sign-in came a page that the profile does not know ({seen.title.strip()[:80]!r}): "
        "open the portal by hand and answer what it asks"
    )
