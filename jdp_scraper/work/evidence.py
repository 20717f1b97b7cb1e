"""What a page looked like when its vehicle finally failed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.disk import Disk

LONGEST_S = 5.0


async def keep_evidence(folder: Path, page: Page, disk: Disk) -> None:
    """Write ``page.html`` and ``screenshot.png`` as far as the page still gives them; raises ``StorageError``."""
    await asyncio.to_thread(disk.make_folder, folder)
    try:
        async with asyncio.timeout(LONGEST_S):
            html = await page.content()
            await asyncio.to_thread(disk.write_whole, folder / "page.html", html.encode("utf-8", "replace"))
            picture = await page.screenshot()
            await asyncio.to_thread(disk.write_whole, folder / "screenshot.png", picture)
    except (TimeoutError, PlaywrightError):
        return  # a page that is gone or hangs has nothing to show
