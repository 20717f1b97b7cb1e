"""Run the portal floor's scripts in a page, with a deadline from outside and every failure named once.

A page that is busy in a script of its own ignores Playwright's time-outs, so the deadline here is the event loop's.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Response

from jdp_scraper.browser.console import evaluate
from jdp_scraper.browser.session import first_line
from jdp_scraper.errors import NotShown, PageLost, PortalAnswered, StepTimeout
from jdp_scraper.pdf.answer import retry_after_s

_SCRIPTS = resources.files("jdp_scraper.portal") / "scripts"
_GRACE_S = 2.0
_ERROR_PAGE_MS = 3000
_LOST = ("has been closed", "crashed", "Target closed", "Connection closed", "Browser closed", "disposed")
_DIED_LOADING = "ERR_ABORTED; maybe frame was detached"  # a load, as its page's process ended or its page was closed
_NOT_SHOWN = "not shown: "  # what the scripts say whose own deadline has passed
_MOVED = ("context was destroyed", "navigati", "Cannot find context", "frame was detached", "frame got detached")


@functools.cache
def _script(name: str) -> str:
    common = (_SCRIPTS / "common.js").read_text(encoding="utf-8")
    own = (_SCRIPTS / f"{name}.js").read_text(encoding="utf-8")
    return f"async (given) => {{\n{common}\nconst act = (\n{own}\n);\nreturn await act(given);\n}}"


@asynccontextmanager
async def page_step(what: str, seconds: float) -> AsyncIterator[None]:
    """Bound a step on a page and map what fails in it.

    Raises ``StepTimeout`` (``NotShown`` by a script's own deadline), ``PageLost`` and ``PortalAnswered``; each message
    begins with ``what``.
    """
    try:
        async with asyncio.timeout(seconds + _GRACE_S):  # a script's own deadline says more, so it comes first
            yield
    except TimeoutError as error:
        raise StepTimeout(f"{what}: no answer within {seconds:.0f} s") from error
    except PlaywrightError as error:
        raise page_error(what, error) from error


def page_error(what: str, error: PlaywrightError) -> StepTimeout | PageLost | PortalAnswered:
    """Return the error of ours that a Playwright error stands for."""
    line = first_line(error)
    if any(sign in line for sign in (*_LOST, _DIED_LOADING)):
        return PageLost(f"{what}: the page was lost: {line}")
    if "net::" in line or "NS_ERROR" in line:
        return PortalAnswered(f"{what}: {line}")
    if _NOT_SHOWN in line:
        return NotShown(f"{what}: {line}")
    return StepTimeout(f"{what}: {line}")


async def run_script(page: Page, name: str, **given: Any) -> Any:
    """Run one of the scripts in ``page``; raises Playwright's ``Error``."""
    return await evaluate(page, _script(name), given)


async def run_across_navigation(page: Page, name: str, **given: Any) -> Any:
    """Run a script; where the page moves on meanwhile, run it again in the document that it moved to."""
    while True:
        try:
            return await run_script(page, name, **given)
        except PlaywrightError as error:
            if not moved_on(error):
                raise
            await page.wait_for_load_state("domcontentloaded")


def moved_on(error: PlaywrightError) -> bool:
    """Tell whether a script ended because its page has gone on to another document."""
    line = first_line(error)
    return any(sign in line for sign in _MOVED) and not any(sign in line for sign in _LOST)


async def open_address(page: Page, url: str, what: str, seconds: float) -> Response | None:
    """Go to an address up to its first byte; raises ``PortalAnswered`` with the status of an error page."""
    async with page_step(what, seconds):
        response = await page.goto(url, wait_until="commit", timeout=seconds * 1000)
    if response is not None and response.status >= 400:
        # A page that is closed at the very first byte of its answer may never close.
        with contextlib.suppress(PlaywrightError):
            await page.wait_for_load_state("domcontentloaded", timeout=_ERROR_PAGE_MS)
        wait = retry_after_s(response.headers.get("retry-after", ""))
        raise PortalAnswered(
            f"{what}: the portal answered with status {response.status}", status=response.status, retry_after_s=wait
        )
    return response


async def click(page: Page, control: dict[str, Any] | None, seconds: float, mark: bool = False) -> None:
    """Click a control as soon as it shows; raises Playwright's ``Error``.

    ``mark`` marks the document, so that ``look`` can tell it from the one that the click leads to.
    """
    try:
        await run_script(page, "click", control=control, time=seconds * 1000, mark=mark)
    except PlaywrightError as error:
        if not moved_on(error):  # the click itself may have taken the document away
            raise
