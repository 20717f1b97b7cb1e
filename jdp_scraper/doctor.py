"""``doctor``: checks what a run needs, and says for each thing that is missing what to do."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import httpx
from dotenv import dotenv_values

from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.console import say
from jdp_scraper.disk import storage_errors
from jdp_scraper.errors import PortalDown, ScraperError
from jdp_scraper.events import Bus
from jdp_scraper.portal.profile_file import load_profile
from jdp_scraper.portal.site import Site
from jdp_scraper.settings import Settings, bad_values

REACH_S = 10.0
Check = Callable[[Settings], Awaitable[str]]


async def doctor(settings: Settings, faults: Mapping[str, str]) -> int:
    """Print a line for each check and return 0 where all are well, else the first failure's exit code.

    ``faults`` are by the field whose value is bad; what needs one of these is not checked.
    """
    checks: dict[str, tuple[Check, set[str]]] = {
        "settings": (partial(_settings, faults), set()),
        "profile": (_profile, {"portal", "portal_url"}),
        "folder": (_folder, {"download_folder"}),
        "browser": (_browser, {"headless", "browser_path", "browser_sandbox"}),
        "portal": (_portal, {"portal", "portal_url"}),
    }
    code = 0
    for name, (check, needed) in checks.items():
        if bad := sorted(needed & faults.keys()):
            say(f"skip  {name:<9} not checked without {', '.join(field.upper() for field in bad)}")
            continue
        try:
            say(f"ok    {name:<9} {await check(settings)}")
        except ScraperError as error:
            say(f"FAIL  {name:<9} {error}")
            code = code or error.exit_code
    return code


async def _settings(faults: Mapping[str, str], settings: Settings) -> str:
    if faults:
        raise bad_values(faults)
    settings.require_credentials()
    known = {name.upper() for name in Settings.model_fields}
    strange = sorted(set(await asyncio.to_thread(dotenv_values, ".env")) - known)
    return "JD_USER and JD_PASS are set" + (f"; unknown names in .env: {', '.join(strange)}" if strange else "")


async def _profile(settings: Settings) -> str:
    profile = load_profile(settings.portal)
    return f"{profile.name}: {profile.title}, {settings.portal_url or profile.origin}"


async def _folder(settings: Settings) -> str:
    folder = settings.download_folder
    await asyncio.to_thread(_try_folder, folder)
    return f"{folder} can be written"


def _try_folder(folder: Path) -> None:
    with storage_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"can be written")


async def _browser(settings: Settings) -> str:
    options = BrowserOptions(headless=settings.headless, path=settings.browser_path, sandbox=settings.browser_sandbox)
    async with BrowserSession(options, Bus()) as browser:
        return f"{browser.source}: {browser.program} {browser.version}"


async def _portal(settings: Settings) -> str:
    site = Site(load_profile(settings.portal), settings.portal_url)
    url = site.url(site.profile.sign_in.address)
    try:
        async with httpx.AsyncClient(timeout=REACH_S, follow_redirects=True, trust_env=site.may_use_proxy) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        raise PortalDown(
            f"{site.origin} cannot be reached ({type(error).__name__}): check the network and PORTAL_URL"
        ) from error
    if answer.status_code >= 400:
        raise PortalDown(f"{site.origin} answered with status {answer.status_code}: try again later")
    form = "shows its sign-in form" if site.is_sign_in(answer.text) else "answers, its form may be made by a script"
    return f"{site.origin} {form}"
