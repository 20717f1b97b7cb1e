"""Run scripts in a page over a debugging session of its own.

Playwright's own way puts its library of helpers into each new document before the first script runs there, which costs
a vehicle's page as much as its own scripts do. A page without a console is asked in Playwright's way.
"""

from __future__ import annotations

import asyncio
import json
import weakref
from typing import Any

from playwright.async_api import CDPSession, Page
from playwright.async_api import Error as PlaywrightError

_MOVED_ON = ("navigated or closed", "Cannot find default execution context")
_consoles: weakref.WeakKeyDictionary[Page, _Console] = weakref.WeakKeyDictionary()


async def open_console(page: Page) -> None:
    """Give ``page`` a console, for as long as it lives; raises Playwright's ``Error``."""
    _consoles[page] = _Console(page, await page.context.new_cdp_session(page))


async def evaluate(page: Page, function: str, given: dict[str, Any]) -> Any:
    """Call a function of JavaScript in ``page``'s document with one argument, and return what it resolves to.

    Argument and result are what JSON can say. Raises Playwright's ``Error``, with the words of Playwright's own
    ``evaluate`` where the page has gone on to another document or was lost.
    """
    console = _consoles.get(page)
    return await (page.evaluate(function, given) if console is None else console.evaluate(function, given))


class _Console:
    """One page's session. It never hears from a process that has ended: the page's crash ends what waits for it."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self._session = session
        self._crashed = asyncio.Event()
        page.once("crash", lambda _: self._crashed.set())

    async def evaluate(self, function: str, given: dict[str, Any]) -> Any:
        call = {
            "expression": f"({function})({json.dumps(given)})",
            "awaitPromise": True,
            "returnByValue": True,
            "userGesture": True,
        }
        try:
            answer = await self._answer(call)
        except PlaywrightError as error:
            if any(words in str(error) for words in _MOVED_ON):
                raise PlaywrightError("Execution context was destroyed, most likely because of a navigation") from error
            raise
        if (thrown := answer.get("exceptionDetails")) is not None:
            raise PlaywrightError(str(thrown.get("exception", {}).get("description") or thrown.get("text")))
        return answer["result"].get("value")

    async def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        sending = asyncio.ensure_future(self._session.send("Runtime.evaluate", call))
        crash = asyncio.ensure_future(self._crashed.wait())
        try:
            await asyncio.wait({sending, crash}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise PlaywrightError("Target crashed")
            answer: dict[str, Any] = sending.result()
            return answer
        finally:
            sending.cancel()
            crash.cancel()
