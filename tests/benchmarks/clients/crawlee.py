"""Crawlee's Playwright crawler: a request a vehicle, each on a new page of its one browser context, as it is made."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from crawlee import ConcurrencySettings, Request
from crawlee.browsers import BrowserPool, PlaywrightBrowserPlugin
from crawlee.crawlers import PlaywrightCrawler, PlaywrightCrawlingContext, PlaywrightPreNavCrawlingContext
from crawlee.storage_clients import MemoryStorageClient

from tests.benchmarks.clients.order import GRID, SIGN_IN, Order
from tests.benchmarks.clients.steps import NO_PICTURES, open_vehicle, prefer_downloads, save_report, sign_in, sign_out

# Crawlee lets a browser go after a hundred pages by default; the session is in its only context.
NEVER = 10**9
ENTER = "enter"


async def main(order: Order, profile: Path | None) -> None:
    """Sign in on a first page, fetch everything, and sign out on the last."""
    launch = {"executable_path": order.browser, "headless": True, "chromium_sandbox": False, "args": list(NO_PICTURES)}
    plugin = PlaywrightBrowserPlugin(
        browser_launch_options=launch,
        user_data_dir=profile,
        max_open_pages_per_browser=2 * order.pages + 1,
    )
    crawler = PlaywrightCrawler(
        browser_pool=BrowserPool([plugin], retire_browser_after_page_count=NEVER),
        concurrency_settings=ConcurrencySettings(order.pages, order.pages, desired_concurrency=order.pages),
        storage_client=MemoryStorageClient(),
        use_session_pool=False,
        max_request_retries=0,
    )
    left = len(order.references)

    @crawler.pre_navigation_hook
    async def _go(context: PlaywrightPreNavCrawlingContext) -> None:
        context.goto_options["wait_until"] = "domcontentloaded"

    # Alone at first: requests that begin together would each launch a browser, with a session of its own.
    @crawler.router.handler(ENTER)
    async def _enter(context: PlaywrightCrawlingContext) -> None:
        await sign_in(context.page, order)
        await context.add_requests([Request.from_url(order.url + GRID, unique_key=one) for one in order.references])

    @crawler.router.default_handler
    async def _fetch(context: PlaywrightCrawlingContext) -> None:
        nonlocal left
        reference = context.request.unique_key
        await open_vehicle(context.page, order, reference)
        await save_report(context.page, order.pdf(reference))
        left -= 1
        if not left:
            await sign_out(context.page)

    await crawler.run([Request.from_url(order.url + SIGN_IN, label=ENTER)])


if __name__ == "__main__":
    told = Order.from_arguments()
    if told.headless_shell:
        asyncio.run(main(told, None))
    else:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            prefer_downloads(Path(folder))
            asyncio.run(main(told, Path(folder)))
