"""What the pool asks of a page beside its work, over a debugging session of its own: is it well, and how full is it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from playwright.async_api import CDPSession, Page
from playwright.async_api import Error as PlaywrightError

ANSWER_S = 3.0
# The viewport that Playwright gives to each page, and the part of it that is drawn, in CSS pixels.
VIEWPORT = {"width": 1280, "height": 720}
LAID_OUT = {
    **VIEWPORT,
    "screenWidth": VIEWPORT["width"],
    "screenHeight": VIEWPORT["height"],
    "deviceScaleFactor": 1,
    "mobile": False,
}
DRAWN = {"width": 64, "height": 64}


class Vitals:
    """A page's debugging session for its own upkeep."""

    def __init__(self) -> None:
        self._session: CDPSession | None = None

    async def attach(self, page: Page) -> None:
        """Open the session; raises Playwright's ``Error``. A page that is busy already would not let it be opened."""
        self._session = await page.context.new_cdp_session(page)

    async def draw_a_corner(self) -> None:
        """Have the page laid out as before, but only a corner of it drawn, as nobody looks at it.

        Its scripts see the same window, frames and intersections, and a picture of the page is still a whole one.
        Raises Playwright's ``Error``.
        """
        await self._send("Emulation.setDeviceMetricsOverride", **LAID_OUT, dontSetVisibleSize=True)
        await self._send("Emulation.setVisibleSize", **DRAWN)

    async def documents(self) -> int:
        """Return how many documents all pages of the page's process hold; raises Playwright's ``Error``."""
        counted = await self._send("Memory.getDOMCounters")
        return int(counted["documents"])

    async def collect_garbage(self) -> None:
        """Have the page's process drop the documents that its pages have left; raises Playwright's ``Error``."""
        await self._send("HeapProfiler.collectGarbage")

    async def unblock(self) -> None:
        """End what the page still loads, and the script that keeps its process from answering, if there is one.

        A page has no answer while it waits for another document, and keeps whoever opens the same address waiting.

        Pages share processes, and closing the page alone leaves its script running and the others waiting for it.
        What is ended is whatever runs in the process at that moment or else what runs there next: so a script of our
        own stands right behind, in which an end that came too late for the other one spends itself.
        """
        with contextlib.suppress(PlaywrightError):  # the page is gone, and its script with it
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self._send("Page.stopLoading")
                    await self._send("Runtime.evaluate", expression="1")
                    return
            except TimeoutError:
                pass
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_S):
                    await asyncio.gather(
                        self._send("Runtime.terminateExecution"),
                        self._send("Runtime.evaluate", expression="1"),
                        return_exceptions=True,
                    )

    async def _send(self, method: str, **given: object) -> dict[str, Any]:
        if self._session is None:
            raise PlaywrightError(f"{method}: the page has no debugging session")
        answer: dict[str, Any] = await self._session.send(method, given)
        return answer
