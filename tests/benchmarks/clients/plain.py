"""The yardstick: a plain Playwright script, as a very good engineer writes it from what is known of the portal.

One context, one sign-in, one page a worker. A worker waits until the grid is drawn, filters it for its reference and
takes the one row that shows exactly that, so that a filter which tabs share can only cost time. Each wait is for what
is needed next. The report is taken by the opener's own events, fetched once, saved and let go; everything that was
opened is closed. Pictures are blocked by a launch flag, since ``route`` would switch the browser's cache off.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import BrowserContext, Page, async_playwright, expect

from tests.benchmarks.clients.order import GRID, LINK, PASSWORD, REPORTS, ROW, SIGN_IN, USER, Order

NO_PICTURES = ("--blink-settings=imagesEnabled=false",)


async def main(order: Order) -> None:
    """Sign in, let each page take vehicles from the queue, and sign out whatever happens."""
    async with _context(order) as context:
        page = await context.new_page()
        await _sign_in(page, order)
        try:
            await _fetch_all(context, order)
        finally:
            await page.locator("#btnLogout").click()
            await page.locator("#usernameInput").wait_for()


@asynccontextmanager
async def _context(order: Order) -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        if order.headless_shell:
            browser = await playwright.chromium.launch(executable_path=order.browser, args=NO_PICTURES)
            yield await browser.new_context()
            await browser.close()
            return
        # Full Chromium shows a PDF in its viewer, and only a profile's preference makes a download of it.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            await asyncio.to_thread(_prefer_downloads, Path(folder))
            context = await playwright.chromium.launch_persistent_context(
                folder, executable_path=order.browser, args=NO_PICTURES
            )
            yield context
            await context.close()


def _prefer_downloads(profile: Path) -> None:
    preferences = profile / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps({"plugins": {"always_open_pdf_externally": True}}), "ascii")


async def _sign_in(page: Page, order: Order) -> None:
    await page.goto(order.url + SIGN_IN)
    await page.locator("#usernameInput").fill(USER)
    await page.locator("#passwordInput").fill(PASSWORD)
    await page.locator("#loginButton").click()
    license_box, inventory = page.locator("#agreementCheckBox"), page.locator(f"a[href='{GRID}']").first
    await license_box.or_(inventory).first.wait_for()
    if await license_box.is_visible():
        await license_box.click()
    await inventory.wait_for()


async def _fetch_all(context: BrowserContext, order: Order) -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()
    for reference in order.references:
        queue.put_nowait(reference)
    async with asyncio.TaskGroup() as group:
        for _ in range(order.pages):
            group.create_task(_work(await context.new_page(), queue, order))


async def _work(page: Page, queue: asyncio.Queue[str], order: Order) -> None:
    while not queue.empty():
        reference = queue.get_nowait()
        await _open(page, order, reference)
        await _save(page, order.pdf(reference))
    await page.close()


async def _open(page: Page, order: Order, reference: str) -> None:
    """Open the vehicle whose reference is exactly this one, and make sure of it on its page."""
    exactly = re.compile(rf"^\s*{re.escape(reference)}\s*$")
    await page.goto(order.url + GRID, wait_until="domcontentloaded")
    await page.locator(".dxgvFilterBar").wait_for()  # drawn by the first callback, whatever it shows
    await page.locator("#StockNumberInput").fill(reference)
    await page.locator("#StockNumberInput").dispatch_event("change")
    row = page.locator(ROW).filter(has=page.locator("td", has_text=exactly))
    # By the link's address: a click would wait for the row to hold still.
    address = await row.locator(LINK).get_attribute("href")
    await page.goto(f"{order.url}{address}", wait_until="domcontentloaded")
    await expect(page.locator("#bookout dd", has_text=exactly)).to_be_visible()


async def _save(page: Page, path: Path) -> None:
    """Make the report, and take it as a download of the page that asked for it."""
    await page.locator(REPORTS).click()
    async with page.expect_popup() as popup, page.expect_download() as download:
        await page.locator("button", has_text="Create PDF").click()
    report = await download.value
    await report.save_as(path)
    await report.delete()
    await (await popup.value).close()


if __name__ == "__main__":
    asyncio.run(main(Order.from_arguments()))
