"""``python -m jdp_scraper.browser.install``: get a browser where none is, by whatever this machine offers.

Debian as root gets it from its own packages, any other machine from Playwright. ``--for-tests`` also gets what the
tests show a window with: a full Chromium and Xvfb, on Debian as root only; the tests that need them are skipped
elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import async_playwright

from jdp_scraper import system
from jdp_scraper.browser.find import HOW_TO_GET_ONE, find_browser
from jdp_scraper.console import say, use_ascii
from jdp_scraper.errors import BrowserMissing

SHELL = ("chromium-headless-shell",)
FOR_TESTS = ("chromium", "xvfb")


def main(arguments: Sequence[str]) -> int:
    """Get what is missing; 0 where there is a browser at the end, 4 where there is none."""
    use_ascii()
    if not _browser():
        say("no browser here yet: getting one")
        _apt(SHELL) or _playwright_install()
    if "--for-tests" in arguments and (shutil.which("chromium") is None or shutil.which("Xvfb") is None):
        _apt(FOR_TESTS)
    found = _browser()
    say(f"browser: {found}" if found else f"error: {HOW_TO_GET_ONE}")
    return 0 if found else BrowserMissing.exit_code


def _browser() -> Path | None:
    try:
        return find_browser(None, True, asyncio.run(_playwright_chromium())).program
    except BrowserMissing:
        return None


async def _playwright_chromium() -> Path:
    async with async_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _apt(packages: Sequence[str]) -> bool:
    """Install Debian packages; tells whether it worked, and does nothing where it cannot."""
    if not system.is_root() or shutil.which("apt-get") is None:
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    commands = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    )
    for command in commands:
        ended = subprocess.run(command, env=environment, capture_output=True, check=False)
        if ended.returncode:
            say(f"apt-get {command[1]} failed: {ended.stderr.decode('utf-8', 'replace').strip()[-300:]}")
            return False
    return True


def _playwright_install() -> bool:
    command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
    ended = subprocess.run(command, capture_output=True, check=False)
    if ended.returncode:
        say(f"playwright install failed: {ended.stderr.decode('utf-8', 'replace').strip()[-300:]}")
    return ended.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
