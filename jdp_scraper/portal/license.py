"""Accept the portal's license, and keep what was accepted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from playwright.async_api import Page

from jdp_scraper.portal.in_page import click, page_step, run_across_navigation, run_script
from jdp_scraper.portal.profile import License
from jdp_scraper.portal.site import as_arg


@dataclass(frozen=True, slots=True)
class AcceptedLicense:
    """The text that was accepted and its SHA-256, in hex, over UTF-8."""

    text: str
    sha256: str


async def accept_license(page: Page, license_: License, seconds: float) -> AcceptedLicense:
    """Accept the license that ``page`` shows; raises the errors of ``page_step``."""
    async with page_step("license", seconds):
        text = str(await run_script(page, "read_text", css=license_.text)).strip()
        await click(page, {"css": license_.checkbox}, seconds)
        if license_.submit is not None:
            await click(page, as_arg(license_.submit), seconds)
        await run_across_navigation(page, "await_any", controls=[as_arg(license_.accepted)], time=seconds * 1000)
    return AcceptedLicense(text, hashlib.sha256(text.encode()).hexdigest())
