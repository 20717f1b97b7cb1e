"""Scrapy with scrapy-playwright: a request a vehicle, each on a page of one context that its callback works on."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from playwright.async_api import Page
from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from tests.benchmarks.clients.order import GRID, SIGN_IN, Order
from tests.benchmarks.clients.steps import NO_PICTURES, open_vehicle, prefer_downloads, save_report, sign_in, sign_out

HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
CONTEXT = "account"


class Reports(Spider):
    """Signs in on its first page, then fetches every report."""

    name = "reports"

    def __init__(self, order: Order) -> None:
        super().__init__()
        self._order = order
        self._left = len(order.references)
        self._entrance: Page  # stays open: full Chromium ends with its last tab

    async def start(self) -> AsyncIterator[Request]:
        yield Request(self._order.url + SIGN_IN, callback=self.enter, meta=_on_a_page())

    async def enter(self, response: Response) -> AsyncIterator[Request]:
        self._entrance = response.meta["playwright_page"]
        await sign_in(self._entrance, self._order)
        for reference in self._order.references:
            yield Request(
                self._order.url + GRID,
                callback=self.fetch,
                dont_filter=True,
                meta=_on_a_page() | {"playwright_page_goto_kwargs": {"wait_until": "domcontentloaded"}},
                cb_kwargs={"reference": reference},
            )

    async def fetch(self, response: Response, reference: str) -> None:
        page = response.meta["playwright_page"]
        await open_vehicle(page, self._order, reference)
        await save_report(page, self._order.pdf(reference))
        await page.close()
        self._left -= 1
        if not self._left:
            await sign_out(self._entrance)
            await self._entrance.close()


def _on_a_page() -> dict[str, Any]:
    return {"playwright": True, "playwright_include_page": True, "playwright_context": CONTEXT}


def settings(order: Order, profile: Path | None) -> dict[str, Any]:
    """Return the settings under which as many pages as are asked for are at work at once."""
    launch = {"executable_path": order.browser, "args": list(NO_PICTURES)}
    # With a profile the context is launched by itself, and has to be told the same.
    return {
        "DOWNLOAD_HANDLERS": {"http": HANDLER, "https": HANDLER},
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "PLAYWRIGHT_LAUNCH_OPTIONS": launch,
        "PLAYWRIGHT_CONTEXTS": {CONTEXT: launch | {"user_data_dir": str(profile)} if profile else {}},
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": order.pages + 1,
        "PLAYWRIGHT_PROCESS_REQUEST_HEADERS": None,
        "CONCURRENT_REQUESTS": order.pages,
        "CONCURRENT_REQUESTS_PER_DOMAIN": order.pages,
        "DOWNLOAD_DELAY": 0,
        "COOKIES_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
        "RETRY_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
    }


def run(order: Order, profile: Path | None) -> None:
    """Run the spider to its end."""
    process = CrawlerProcess(settings(order, profile))
    process.crawl(Reports, order=order)
    process.start()


if __name__ == "__main__":
    told = Order.from_arguments()
    if told.headless_shell:
        run(told, None)
    else:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            prefer_downloads(Path(folder))
            run(told, Path(folder))
