"""Requests caught before they leave the browser.

A report's address is learned here without the report being loaded: the page's own debugging session pauses each
request whose address matches, and the request is ended in the browser, so that the portal never sees it. Because the
patterns are narrow, no other request passes through Python and the browser's cache stays on. A new tab would have a
session of its own, too late to catch its first request: tabs.js turns each new tab into a hidden frame of its page.

Being able to pause requests costs each of a page's requests a detour, whether it matches or not. A portal whose pages
open the report's tab by its address tells it before any request is made: once that was seen, requests are no longer
paused, and tabs.js lets no tab open in any other way, until one tries to.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from playwright.async_api import CDPSession, Page
from playwright.async_api import Error as PlaywrightError

from jdp_scraper.report_request import ReportRequest

_TABS = (resources.files("jdp_scraper.browser") / "tabs.js").read_text(encoding="utf-8")
_BINDING = "noteRefusedRequest"  # the name that tabs.js calls
_WILD = str.maketrans({"*": r"\*", "?": r"\?", "\\": r"\\"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The portal's answer to a request that the page itself made: an HTTP status of 400 or more, 0 if none came.

    ``retry_after`` is the answer's header of that name.
    """

    status: int
    retry_after: str = ""


class Pausing:
    """What all catchers of a run know of the portal: does the browser have to pause requests to catch the report's?"""

    def __init__(self) -> None:
        self.needed = True
        self._in_doubt = False

    def told_in_page(self) -> None:
        """Note that a page has told the report's address before any request was made."""
        self.needed = self._in_doubt

    def doubt(self) -> None:
        """Note that it was not told, or that anything else failed: requests are paused again, to the run's end."""
        self.needed = self._in_doubt = True


class RequestCatcher:
    """Catches one page's requests to addresses that hold ``wanted``, and drops those that hold one of ``blocked``.

    Refusals of the page's own requests are told in the same place, since one of the two is what a click leads to.
    """

    def __init__(self, wanted: str | None, blocked: Sequence[str] = (), pausing: Pausing | None = None) -> None:
        self.pausing = pausing or Pausing()
        self._wanted = wanted
        self._blocked = tuple(blocked)
        self._patterns: list[dict[str, str]] = []
        self._pauses = False
        self._caught: asyncio.Queue[ReportRequest | Refusal] = asyncio.Queue()
        self._session: CDPSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def attach(self, page: Page) -> None:
        """Begin to catch on ``page``; raises Playwright's ``Error``."""
        parts = [*([self._wanted] if self._wanted else []), *self._blocked]
        if self._wanted:
            await page.expose_binding(_BINDING, self._refused)
            await page.add_init_script(_TABS)
        if not parts:
            return
        self._patterns = [{"urlPattern": f"*{part.translate(_WILD)}*"} for part in parts]
        self._session = await page.context.new_cdp_session(page)
        self._session.on("Fetch.requestPaused", self._paused)
        await self._adjust(self._session)

    async def make_ready(self) -> bool:
        """Drop what was caught so far, so that the next request caught is of what is done next.

        Returns whether a request would be caught; raises Playwright's ``Error``.
        """
        while not self._caught.empty():
            self._caught.get_nowait()
        if self._session is None:
            return False
        await self._adjust(self._session)
        return self._pauses

    async def _adjust(self, session: CDPSession) -> None:
        """Have requests paused, or no longer; ``_pauses`` tells only of a change that has come to its end."""
        needed = self.pausing.needed or bool(self._blocked)
        if needed and not self._pauses:
            await session.send("Fetch.enable", {"patterns": self._patterns})
        elif self._pauses and not needed:
            self._pauses = False
            await session.send("Fetch.disable")
        self._pauses = needed

    async def next(self) -> ReportRequest | Refusal:
        """Wait for the next request caught, or refusal seen."""
        return await self._caught.get()

    def _refused(self, _source: object, status: int, retry_after: str | None = None) -> None:
        self._caught.put_nowait(Refusal(int(status), str(retry_after or "")))

    def _paused(self, event: dict[str, Any]) -> None:
        request = event["request"]
        wanted = self._wanted is not None and self._wanted in request["url"]
        if wanted:
            self._caught.put_nowait(_caught(request))
        reason = "Aborted" if wanted else "BlockedByClient"
        task = asyncio.get_running_loop().create_task(self._end(event["requestId"], reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, request_id: str, reason: str) -> None:
        if self._session is None:
            return
        with contextlib.suppress(PlaywrightError):  # the page is gone, and with it the request
            await self._session.send("Fetch.failRequest", {"requestId": request_id, "errorReason": reason})


def _caught(request: dict[str, Any]) -> ReportRequest:
    kept = {name: value for name, value in request["headers"].items() if name.lower() in {"content-type", "referer"}}
    return ReportRequest(request["url"], request["method"], _body(request), kept)


def _body(request: dict[str, Any]) -> bytes | None:
    entries = request.get("postDataEntries")
    if entries:
        return b"".join(base64.b64decode(entry.get("bytes", "")) for entry in entries)
    text = request.get("postData")
    return None if text is None else str(text).encode()
