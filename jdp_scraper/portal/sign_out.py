"""End a portal session: in the browser where one is left, else over HTTP by what was learned after the sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.checkpoint.lease import SignOutRecipe
from jdp_scraper.errors import PageLost, VehicleError
from jdp_scraper.portal.in_page import click, open_address, page_step, run_across_navigation, run_script
from jdp_scraper.portal.license import accept_license
from jdp_scraper.portal.site import Site, as_arg

HTTP_TIMEOUT_S = 10.0
MAX_HOPS = 5
AGAIN_S = 0.2
LEARN_S = 1.5


async def learn_recipe(page: Page, site: Site) -> SignOutRecipe | None:
    """Return how to sign out without a browser, from the profile or from the control on ``page``; else ``None``."""
    rule = site.profile.sign_out
    if rule.address is not None:
        return SignOutRecipe(rule.method, site.url(rule.address), ())
    try:
        async with page_step("sign-out", LEARN_S):
            found: dict[str, Any] | None = await run_script(page, "sign_out_recipe", control=as_arg(rule.control))
    except VehicleError:
        return None
    if found is None or not site.is_own(found["address"]):
        return None
    return SignOutRecipe(found["method"], found["address"], tuple((name, value) for name, value in found["fields"]))


async def sign_out_in_browser(page: Page, site: Site, seconds: float, *, reopen: bool = False) -> bool:
    """Click the sign-out control and tell whether the session is proven to have ended.

    ``reopen``: the page may be of an earlier session, whose token the portal no longer takes. It may also still be on
    its way somewhere when a stop comes, so what fails is tried again within ``seconds``.
    """
    try:
        async with asyncio.timeout(seconds):
            while not page.is_closed():
                try:
                    return await _sign_out_once(page, site, seconds, reopen)
                except PageLost:
                    return False
                except (VehicleError, PlaywrightError):
                    await asyncio.sleep(AGAIN_S)
    except TimeoutError:
        return False
    return False


async def _sign_out_once(page: Page, site: Site, seconds: float, reopen: bool) -> bool:
    profile = site.profile
    control, form = as_arg(profile.sign_out.control), {"css": profile.sign_in.password}
    given = {"form": profile.sign_in.password, "control": control, "time": seconds * 1000}
    async with page_step("sign-out", seconds):
        await page.wait_for_load_state("domcontentloaded")
        if reopen or not await _shows(page, control):
            await open_address(page, site.url(profile.inventory.address), "sign-out", seconds)
            wanted = [control, form, *([{"css": profile.license.checkbox}] if profile.license else [])]
            shown = await run_across_navigation(page, "await_any", controls=wanted, time=seconds * 1000)
            if shown == 1:
                return True  # the portal asks for a sign-in: there is no session to end
            if shown == 2 and profile.license is not None:
                await accept_license(page, profile.license, seconds)
        await click(page, control, seconds)
        if await run_across_navigation(page, "signed_out", **given) == "form":
            return True
        await open_address(page, site.url(profile.sign_in.address), "sign-out", seconds)
        return bool(await run_across_navigation(page, "signed_out", **given) == "form")


async def _shows(page: Page, control: dict[str, Any] | None) -> bool:
    try:
        return bool(await run_script(page, "await_any", controls=[control], time=0) == 0)
    except PlaywrightError:
        return False


async def sign_out_over_http(
    recipe: SignOutRecipe, cookies: Sequence[dict[str, Any]], site: Site, user_agent: str = ""
) -> bool:
    """End the session that ``cookies`` belong to, and tell whether the portal asks for a sign-in since."""
    headers = {"Cookie": "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)}
    if user_agent:
        headers["User-Agent"] = user_agent
    try:
        async with httpx.AsyncClient(headers=headers, timeout=HTTP_TIMEOUT_S, trust_env=site.may_use_proxy) as client:
            if await _asks_for_sign_in(client, site):
                return False  # cookies that are no session's any more would prove nothing afterwards
            if recipe.method == "GET":
                await client.get(recipe.address)
            else:
                await client.request(recipe.method, recipe.address, data=dict(recipe.fields))
            return await _asks_for_sign_in(client, site)
    except httpx.HTTPError:
        return False


async def is_over(cookies: Sequence[dict[str, Any]], site: Site) -> bool:
    """Tell whether the portal asks whoever has these cookies for a sign-in; raises httpx's ``HTTPError``."""
    headers = {"Cookie": "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)}
    async with httpx.AsyncClient(headers=headers, timeout=HTTP_TIMEOUT_S, trust_env=site.may_use_proxy) as client:
        return await _asks_for_sign_in(client, site)


async def _asks_for_sign_in(client: httpx.AsyncClient, site: Site) -> bool:
    """Open the sign-in address with the old cookies; redirects are followed by hand, at the portal's origin only."""
    url = site.url(site.profile.sign_in.address)
    for _ in range(MAX_HOPS):
        answer = await client.get(url)
        if not answer.has_redirect_location:
            return answer.is_success and site.is_sign_in(answer.text)
        url = str(answer.url.join(answer.headers["location"]))
        if not site.is_own(url):
            return False
    return False
