"""One browser's part of a run: a run whose browser is lost goes on in another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page

from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.portal.profile import Block, SiteProfile
from jdp_scraper.settings import Settings


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser and the run's own page in it, on which the account signs in and out and the grid is walked."""

    browser: BrowserSession
    page: Page


def browser_options(settings: Settings, profile: SiteProfile, traces: Path | None = None) -> BrowserOptions:
    """Return how the browser is launched for a portal; ``traces`` is where it keeps a trace while it records."""
    block = profile.block if settings.block_resources else Block(images=False, fonts=False)
    return BrowserOptions(
        headless=settings.headless,
        path=settings.browser_path,
        sandbox=settings.browser_sandbox,
        pages=settings.concurrent_contexts,
        block_images=block.images,
        block_fonts=block.fonts,
        blocked_hosts=block.hosts,
        step_timeout_s=settings.step_timeout_s,
        traces=traces,
    )
