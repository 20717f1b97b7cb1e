"""What a benchmark is told: by the command line, or by the default set."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from jdp_scraper.browser.find import find_browser
from jdp_scraper.demo.options import LatencyName
from tests.benchmarks.clients.catalog import FLOOR, PLAIN, THIS

SHELL, FULL = "shell", "full"


@dataclass(frozen=True)
class Setting:
    """Which clients, against what, how often; what is ``None`` is the benchmark's own to choose."""

    browser: str
    clients: Sequence[str] = (THIS, PLAIN, FLOOR)
    latency: LatencyName | None = None
    sizes: tuple[int, int] | None = None
    pages: Sequence[int] | None = None
    repeat: int | None = None
    long: bool = False


async def program_of(browser: str) -> str:
    """Return the program of ``shell``, ``full`` or a path; raises ``BrowserMissing``."""
    if browser not in {SHELL, FULL}:
        return browser
    async with async_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return str(find_browser(None, browser == SHELL, own).program)


def machine(browser: str) -> dict[str, Any]:
    """Return what figures depend on; the load is that of the moment, before anything is measured."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "playwright": version("playwright"),
        "browser": Path(browser).name,
    }
