"""Keep the memory of the pages small, beside their work: look, judge, and collect or open them anew."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from playwright.async_api import Error as PlaywrightError

from jdp_scraper.browser.footprint import Memory
from jdp_scraper.browser.growth import Growth, Verdict
from jdp_scraper.browser.vitals import Vitals

LOOK_EVERY_S = 0.25
COLLECTING_SHARE = 0.3
NEW_DOCUMENTS = 4
COLLECT_S = 3.0
RENEW_AGAIN_S = 60.0


class Upkeep:
    """Looks no more than four times a second, when asked to, and spends at most a third of the time on collecting.

    ``memory`` tells what the browser holds; ``pages`` those of its pages that are well; ``renew`` opens all pages anew
    and tells whether it came to that: where a page is held for long it did not, and is tried again after a minute.
    """

    def __init__(
        self,
        memory: Callable[[], Awaitable[Memory]],
        pages: Callable[[], Sequence[Vitals]],
        renew: Callable[[], Awaitable[bool]],
    ) -> None:
        self._memory = memory
        self._pages = pages
        self._renew = renew
        self._growth = Growth()
        self._task: asyncio.Task[None] | None = None
        self._look_from = 0.0
        self._renewal_due = False
        self._renew_from = 0.0
        self.collections = 0

    def look_after(self, *, filling: bool) -> None:
        """Begin to look, in the background, where the last look is over and long enough ago.

        ``filling``: pages come into use one by one, so growth is no sign of waste.
        """
        loop = asyncio.get_running_loop()
        idle = self._task is None or self._task.done()
        if idle and loop.time() >= self._look_from:
            self._look_from = loop.time() + LOOK_EVERY_S
            self._task = loop.create_task(self._keep_small(filling), name="page upkeep")

    async def stop(self) -> None:
        """End a look that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _keep_small(self, filling: bool) -> None:
        verdict = self._growth.judge(await self._memory(), filling=filling)
        self._renewal_due = self._renewal_due or verdict is Verdict.RENEW
        if self._renewal_due and await self._renewed():
            return
        if verdict is Verdict.COLLECT:
            await self._collect()

    async def _renewed(self) -> bool:
        loop = asyncio.get_running_loop()
        if loop.time() < self._renew_from:
            return False
        self._renewal_due = not await self._renew()
        if self._renewal_due:
            self._renew_from = loop.time() + RENEW_AGAIN_S
        return not self._renewal_due

    async def _collect(self) -> None:
        """Collect garbage once in each process.

        Pages that share one tell the same number of documents: as few as the last collection has left, and those that
        they have opened since.
        """
        self.collections += 1
        loop = asyncio.get_running_loop()
        began = loop.time()
        cleared = -NEW_DOCUMENTS
        for vitals in self._pages():
            with contextlib.suppress(PlaywrightError, TimeoutError):  # gone, or busy: its next step will tell
                async with asyncio.timeout(COLLECT_S):
                    if await vitals.documents() > cleared + NEW_DOCUMENTS:
                        await vitals.collect_garbage()
                        cleared = await vitals.documents()
        self._look_from = loop.time() + max(LOOK_EVERY_S, (loop.time() - began) / COLLECTING_SHARE)
