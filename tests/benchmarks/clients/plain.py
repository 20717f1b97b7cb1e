"""The yardstick: a plain Playwright script, as a very good engineer writes it from what is known of the portal.

One context, one sign-in, one page a worker, and a queue. A report is taken by the opener's own events and fetched once;
everything that was opened is closed.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import BrowserContext, Page, async_playwright

from tests.benchmarks.clients.order import GRID, Order
from tests.benchmarks.clients.steps import NO_PICTURES, open_vehicle, prefer_downloads, save_report, sign_in, sign_out


async def main(order: Order) -> None:
    """Sign in, let each page take vehicles from the queue, and sign out whatever happens."""
    async with _context(order) as context:
        page = await context.new_page()
        await sign_in(page, order)
        try:
            await _fetch_all(context, order)
        finally:
            await sign_out(page)


@asynccontextmanager
async def _context(order: Order) -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        if order.headless_shell:
            browser = await playwright.chromium.launch(executable_path=order.browser, args=NO_PICTURES)
            yield await browser.new_context()
            await browser.close()
            return
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            await asyncio.to_thread(prefer_downloads, Path(folder))
            context = await playwright.chromium.launch_persistent_context(
                folder, executable_path=order.browser, args=NO_PICTURES
            )
            yield context
            await context.close()


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
        await page.goto(order.url + GRID, wait_until="domcontentloaded")
        await open_vehicle(page, order, reference)
        await save_report(page, order.pdf(reference))
    await page.close()


if __name__ == "__main__":
    asyncio.run(main(Order.from_arguments()))
