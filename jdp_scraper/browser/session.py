"""One browser, one context: launched with the signals in our hands, and everything it started closed again."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from playwright.async_api import Browser, BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from jdp_scraper.browser.driver import Driver
from jdp_scraper.browser.find import FoundBrowser, find_browser
from jdp_scraper.browser.footprint import Footprint, Memory
from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.errors import BrowserLost, PageLost, ScraperError
from jdp_scraper.events import Bus

LAUNCH_S = 90.0  # also where the machine is short of time: a night's run must not end of that
CLOSE_S = 10.0
GONE_S = 2.0
PAGE_S = 20.0
PAGE_CLOSE_S = 2.5
WATCH_EVERY_S = 0.25
TOLD_S = 3 * WATCH_EVERY_S


class BrowserSession:
    """Chromium with one context, as an async context manager.

    It takes over ``driver``, which may have been begun before, and closes it. ``lost`` is set the moment that the
    browser or the driver has ended by itself. Raises ``BrowserMissing`` and ``BrowserLost``.
    """

    def __init__(self, options: BrowserOptions, bus: Bus, driver: Driver | None = None) -> None:
        self._options = options
        self._bus = bus
        self._driver = driver or Driver()
        self._browser: Browser | None = None
        self._context: BrowserContext | None = None
        self._first: Page | None = None
        self._children: list[psutil.Process] = []
        self._footprint = Footprint([])
        self._watch: asyncio.Task[None] | None = None
        self._closing = False
        self.program = self.source = self.version = self.user_agent = ""
        self.lost = asyncio.Event()

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(LAUNCH_S):
                await self._start()
        except TimeoutError as error:
            await self._close()
            raise BrowserLost(f"the browser did not start within {LAUNCH_S:.0f} s") from error
        except ScraperError:
            await self._close()
            raise
        except Exception as error:  # a driver that is killed while it starts is told by a bare Exception
            await self._close()
            raise BrowserLost(f"the browser did not start: {first_line(error)}") from error
        except BaseException:
            await self._close()
            raise
        self._watch = asyncio.create_task(self._watch_processes(), name="browser processes")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _start(self) -> None:
        chromium = (await self._driver.playwright()).chromium
        found = find_browser(self._options.path, self._options.headless, Path(chromium.executable_path))
        try:
            self._browser = await chromium.launch(
                executable_path=found.program,
                headless=self._options.headless,
                chromium_sandbox=self._options.use_sandbox,
                args=self._options.flags(),
                traces_dir=self._options.traces,
                timeout=LAUNCH_S * 1000,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
            self._browser.on("disconnected", lambda _: self._note_loss())
            self._context = await self._browser.new_context(accept_downloads=True)
            self._first = await self._context.new_page()
            self.user_agent = str(await self._first.evaluate("navigator.userAgent"))
        except PlaywrightError as error:
            raise BrowserLost(_launch_fault(found, str(error))) from error
        self._context.set_default_timeout(self._options.step_timeout_s * 1000)
        self._children = await asyncio.to_thread(self._driver.processes)
        self._footprint = Footprint(self._drivers())
        if not self._children:
            self._bus.notice("warning", "the process of Playwright's driver was not found: its end will not be noticed")
        self.program, self.source, self.version = str(found.program), found.source, self._browser.version
        self._bus.notice("debug", f"browser {self.version} ({self.source}: {self.program})")

    async def _watch_processes(self) -> None:
        """Notice that the driver has ended: Playwright tells of the browser's end alone, and through the driver."""
        drivers = [process.pid for process in self._drivers()]
        while all(psutil.pid_exists(pid) for pid in drivers):  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(WATCH_EVERY_S)
        self._note_loss()

    def _drivers(self) -> list[psutil.Process]:
        mine = psutil.Process().pid
        return [process for process in self._children if _parent(process) == mine]

    def _note_loss(self) -> None:
        if not self._closing:
            self.lost.set()

    async def has_ended(self) -> bool:
        """Tell whether the browser or its driver has ended by itself; the calls that fail of it may be told before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TOLD_S):
                await self.lost.wait()
        return self.lost.is_set()

    @property
    def alive(self) -> bool:
        """Tell whether pages can still be worked with."""
        return (
            self._browser is not None and self._browser.is_connected() and not self._closing and not self.lost.is_set()
        )

    @property
    def context(self) -> BrowserContext:
        """The one context; raises ``BrowserLost`` before the start and after the end."""
        if self._context is None:
            raise BrowserLost("the browser is not running")
        return self._context

    @property
    def headless(self) -> bool:
        """Whether nobody sees the pages."""
        return self._options.headless

    async def new_page(self) -> Page:
        """Open a page in the context; raises ``PageLost``, or ``BrowserLost`` where the browser has ended."""
        self._footprint.look_again()
        first, self._first = self._first, None
        if first is not None and self.alive and not first.is_closed():
            return first  # it was opened to ask for the user agent
        try:
            async with asyncio.timeout(PAGE_S):
                return await self.context.new_page()
        except (TimeoutError, PlaywrightError) as error:
            kind = PageLost if self.alive else BrowserLost
            raise kind(f"the browser opened no page: {first_line(error)}") from error

    async def memory(self) -> Memory:
        """Return what the driver and the processes that render pages hold."""
        return await asyncio.to_thread(self._footprint.read)

    async def cookies(self, origin: str | None = None) -> list[dict[str, Any]]:
        """Return the context's live cookies, of one origin where it is given, in Playwright's form."""
        found = [dict(cookie) for cookie in await self.context.cookies([origin] if origin else None)]
        self._bus.secrets.add_cookies(found)
        return found

    async def set_cookies(self, cookies: Sequence[dict[str, Any]]) -> None:
        """Put cookies in Playwright's form into the context."""
        if cookies:
            self._bus.secrets.add_cookies(cookies)
            await self.context.add_cookies(list(cookies))  # type: ignore[arg-type]

    async def _close(self) -> None:
        self._closing = True
        if self._watch is not None:
            self._watch.cancel()
        if not self._children:  # it did not come to that
            self._children = await asyncio.to_thread(self._driver.processes)
        if self._context is not None:
            await _within(CLOSE_S, self._context.close())
        if self._browser is not None:
            await _within(CLOSE_S, self._browser.close())
        await self._driver.close()
        # What an orderly close left behind is ended by its process id; only what we started is in this list.
        for process in await asyncio.to_thread(_still_alive, self._children, GONE_S):
            self._bus.notice("warning", f"ended process {process.pid} that the browser left behind")
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _still_alive(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Return those that are alive after at most ``seconds``; one that waits to be reaped is not."""
    end = time.monotonic() + seconds
    alive = [process for process in processes if _is_alive(process)]
    while alive and time.monotonic() < end:
        time.sleep(0.01)
        alive = [process for process in alive if _is_alive(process)]
    return alive


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def _within(seconds: float, call: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await call
    except Exception:  # noqa: S110 - gone already, or ended by its process id below: a close has no other outcome
        pass


async def close_page(page: Page) -> None:
    """Close a page, bounded: one that is busy in a script, or whose addresses all failed, may not close by itself."""
    with contextlib.suppress(TimeoutError, PlaywrightError):
        async with asyncio.timeout(PAGE_CLOSE_S):
            await page.close()
            return
    with contextlib.suppress(TimeoutError, PlaywrightError):
        async with asyncio.timeout(PAGE_CLOSE_S):
            await _end_target(page)


async def _end_target(page: Page) -> None:
    """Have the browser itself end a page: it needs no answer from the page's process."""
    browser = page.context.browser
    if browser is None:
        return
    of_page = await page.context.new_cdp_session(page)
    target = (await of_page.send("Target.getTargetInfo"))["targetInfo"]["targetId"]
    of_browser = await browser.new_browser_cdp_session()
    await of_browser.send("Target.closeTarget", {"targetId": target})
    await of_browser.detach()


def first_line(error: BaseException) -> str:
    """Return an error's first line, without Playwright's prefix and call log."""
    line = str(error).strip().partition("\n")[0]
    return re.sub(r"^[A-Za-z.]+: ", "", line) or type(error).__name__


_NO_SANDBOX = ("No usable sandbox", "without --no-sandbox is not supported", "SUID sandbox helper")


def _launch_fault(found: FoundBrowser, message: str) -> str:
    if any(sign in message for sign in _NO_SANDBOX):
        return "Chromium's sandbox does not work here: allow user namespaces, or set BROWSER_SANDBOX=off"
    if "X server" in message or "DISPLAY" in message or "ozone" in message:
        return "a headed browser needs a screen: set HEADLESS=true, or run it under xvfb-run"
    return f"the browser {found.program} cannot be started: {message.strip().partition(chr(10))[0]}"
