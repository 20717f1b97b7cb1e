"""What is kept of a vehicle that finally failed: the error, its page, the last answers, and a trace where one is made.

Nothing of it costs a healthy run any time: Playwright's driver remembers a page's last requests by itself and is asked
for them at the failure alone.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request

from jdp_scraper.disk import Disk
from jdp_scraper.pdf.answer import Answer
from jdp_scraper.redact import Secrets

LONGEST_S = 15.0  # also where the machine is short of time: a page that is well must not pass for one that hangs
ANSWERED_S = 1.0
MOST_RESPONSES = 25
MOST_OF_ANSWER = 2000
_KINDS = {"document", "xhr", "fetch"}

T = TypeVar("T")


@dataclass(slots=True)
class Evidence:
    """What an attempt leaves to be looked at; ``answers`` are those to the report's own request.

    The page is held for an attempt's first half only: once ``page_returned`` it may show another vehicle.
    """

    began: float = field(default_factory=time.time)
    answers: list[Answer] = field(default_factory=list)
    page: str = "not looked at: the attempt ended before it had one"
    html: str | None = None
    picture: bytes | None = None
    responses: list[dict[str, Any]] = field(default_factory=list)
    _returned: Page | None = None
    _until: float = 0.0

    async def look_at(self, page: Page, secrets: Secrets) -> None:
        """Take what the page shows and what it was answered, as far as it still tells."""
        self.responses = await _last_responses(page, self.began, time.time())
        self.html = await _within(LONGEST_S, page.content)
        secrets.add_cookies(await _within(ANSWERED_S, page.context.cookies) or [])  # the page may show the newest
        if self.html is None:
            self.page = "no picture and no HTML: the page is gone or hangs"
        elif secrets.found_in(self.html):
            self.page = "no picture: the page shows a secret, which is removed from the HTML"
        else:
            self.picture = await _within(LONGEST_S, page.screenshot)
            self.page = "as it was at the failure" if self.picture else "no picture: the page gave none in time"

    def page_returned(self, page: Page) -> None:
        """Take note that the page goes on to another vehicle."""
        self._returned, self._until = page, time.time()
        self.page = "no picture and no HTML: the page had been given back when this failed"

    async def write(self, folder: Path, facts: dict[str, Any], disk: Disk, secrets: Secrets) -> None:
        """Write all into ``folder``, ``error.json`` last; raises ``StorageError``."""
        if self._returned is not None:
            self.responses = await _last_responses(self._returned, self.began, self._until)
        await asyncio.to_thread(self._write, folder, facts, disk, secrets)

    def _write(self, folder: Path, facts: dict[str, Any], disk: Disk, secrets: Secrets) -> None:
        disk.make_folder(folder)
        if self.html is not None:
            disk.write_whole(folder / "page.html", secrets.clean(self.html).encode("utf-8", "replace"))
        if self.picture is not None:
            disk.write_whole(folder / "screenshot.png", self.picture)
        other = next((answer for answer in reversed(self.answers) if answer.start), None)
        if other is not None:
            disk.write_whole(folder / _name_of(other), secrets.clean_bytes(other.start)[:MOST_OF_ANSWER])
        answers = [{name: value for name, value in asdict(one).items() if name != "start"} for one in self.answers]
        content = secrets.clean_json(facts | {"page": self.page, "responses": self.responses, "report": answers})
        disk.write_whole(folder / "error.json", json.dumps(content, indent=2).encode("ascii") + b"\n")


async def _within(seconds: float, call: Callable[[], Awaitable[T]]) -> T | None:
    try:
        async with asyncio.timeout(seconds):
            return await call()
    except (TimeoutError, PlaywrightError):
        return None  # a page that is gone or hangs has nothing to show


async def _last_responses(page: Page, since: float, until: float) -> list[dict[str, Any]]:
    """Return what the page's documents and scripts asked for in that time (since the epoch), the oldest first."""
    asked = await _within(LONGEST_S, page.requests) or []
    kept = [one for one in _between(asked, since * 1000, until * 1000) if one.resource_type in _KINDS]
    return list(await asyncio.gather(*map(_told, kept[-MOST_RESPONSES:])))


def _between(asked: Sequence[Request], since_ms: float, until_ms: float) -> list[Request]:
    """Return the requests of a time.

    One without an answer tells no time and goes by its neighbors; before the first with one it is an earlier attempt's.
    """
    found: list[Request] = []
    dated = False
    for request in asked:
        at = request.timing["startTime"]
        if at > until_ms:
            break
        if 0 < at < since_ms or (at > 0 and not dated):
            found.clear()
        if at >= since_ms:
            dated = True
        if not 0 < at < since_ms:
            found.append(request)
    return found


async def _told(request: Request) -> dict[str, Any]:
    parts = urlsplit(request.url)
    told: dict[str, Any] = {
        "method": request.method,
        "address": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",
        "kind": request.resource_type,
        "status": None,
    }
    if request.failure is None:
        response = await _within(ANSWERED_S, request.response)
        told["status"] = None if response is None else response.status
    else:
        told["failure"] = request.failure
    return told


def _name_of(answer: Answer) -> str:
    is_page = "html" in answer.content_type.lower() or answer.start.lstrip()[:1] == b"<"
    return "answer.html" if is_page else "answer.txt"
