"""The browser's life: started, lost, closed, and nothing left of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import cache_from_source
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Error as PlaywrightError

from jdp_scraper.browser import driver as driver_module
from jdp_scraper.browser.driver import Driver
from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.errors import BrowserLost, PageLost, SettingsError

from .conftest import Ear
from .server import SmallSite

OURS = psutil.Process()


def children() -> set[psutil.Process]:
    return {process for process in OURS.children(recursive=True) if is_living(process)}


def begun_since(before: set[psutil.Process]) -> set[psutil.Process]:
    """Return the living processes that we have started since, with all of theirs.

    What a process of before has started since is not ours to count: the browser that tests share starts helpers
    whenever it likes.
    """
    found: set[psutil.Process] = set()
    for child in set(OURS.children()) - before:
        found.add(child)
        with contextlib.suppress(psutil.Error):  # it has ended since the list was made
            found.update(child.children(recursive=True))
    return {process for process in found if is_living(process)}


def is_living(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:  # it has ended since the list was made
        return False


def is_browser(process: psutil.Process) -> bool:
    """Tell whether a process is a browser's own, not one of its helpers nor the driver."""
    try:
        line = process.cmdline()
    except psutil.Error:
        return False
    return any("remote-debugging" in word for word in line) and not any(word.startswith("--type=") for word in line)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition; the time is only how long a failure takes."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def leaving_nothing() -> AsyncIterator[set[psutil.Process]]:
    """Check that every process begun within has ended; what has not is killed. The set given is those of before."""
    before = children()
    try:
        yield before
        with contextlib.suppress(TimeoutError):
            await until(lambda: not begun_since(before))
    finally:
        left = begun_since(before)
        for process in left:
            process.kill()
    assert not left, f"left behind: {left}"


async def test_it_starts_opens_a_page_and_leaves_no_process(ear: Ear, site: SmallSite) -> None:
    address = site.html("/", "<p>hello")
    async with leaving_nothing() as before:
        async with BrowserSession(BrowserOptions(), ear.bus) as session:
            assert session.alive and not session.lost.is_set()
            assert len(begun_since(before)) >= 2
            assert Path(session.program).exists() and session.version and session.source
            page = await session.new_page()
            await page.goto(address)
            assert await page.inner_text("p") == "hello"
        assert not session.alive
        assert not session.lost.is_set(), "a close that was asked for is no loss"


async def test_the_driver_is_kept_small_and_the_user_s_own_options_are_kept(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--no-deprecation")
    before = children()
    async with BrowserSession(BrowserOptions(), ear.bus):
        (driver,) = [child for child in begun_since(before) if child.ppid() == OURS.pid]
        options = driver.environ()["NODE_OPTIONS"].split()
    assert options[0] == "--no-deprecation"
    assert any(option.startswith("--max-semi-space-size=") for option in options)
    assert os.environ["NODE_OPTIONS"] == "--no-deprecation"


@pytest.mark.parametrize("given", [None, "elsewhere"])
async def test_what_the_driver_has_compiled_is_kept_for_its_next_start(
    given: str | None, ear: Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    if given is None:
        monkeypatch.delenv("NODE_COMPILE_CACHE", raising=False)
    else:
        monkeypatch.setenv("NODE_COMPILE_CACHE", str(tmp_path / given))
    async with Driver() as driver:
        await driver.playwright()
    kept = Path(cache_from_source(str(Path(driver_module.__file__)))).parent if given is None else tmp_path / given
    assert tmp_path in kept.parents
    assert [path for path in kept.rglob("*") if path.is_file()]
    assert os.environ.get("NODE_COMPILE_CACHE") == (None if given is None else str(tmp_path / given))


async def test_where_python_keeps_no_compiled_modules_the_driver_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.delenv("NODE_COMPILE_CACHE", raising=False)
    async with Driver() as driver:
        await driver.playwright()
    assert not list(tmp_path.iterdir())


async def test_a_driver_that_was_begun_before_is_the_browser_s_own_and_ends_with_it(ear: Ear, site: SmallSite) -> None:
    async with leaving_nothing() as before, Driver() as driver:
        await driver.playwright()
        (begun,) = await asyncio.to_thread(driver.processes)
        async with BrowserSession(BrowserOptions(), ear.bus, driver) as session:
            assert [child for child in begun_since(before) if child.ppid() == OURS.pid] == [begun]
            assert (await session.memory()).driver > 10
        assert not is_living(begun)


@pytest.mark.parametrize("turns", [0, 1, 20])
async def test_a_driver_that_nobody_uses_is_stopped_also_while_it_starts(turns: int) -> None:
    async with leaving_nothing(), Driver():
        for _ in range(turns):
            await asyncio.sleep(0.01)


async def test_a_driver_that_does_not_start_is_told_to_whoever_wants_a_browser(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_driver() -> None:
        raise RuntimeError("no driver here")

    monkeypatch.setattr("jdp_scraper.browser.driver.async_playwright", no_driver)
    async with Driver() as driver:
        with pytest.raises(BrowserLost, match="did not start: no driver here"):
            async with BrowserSession(BrowserOptions(), ear.bus, driver):
                pass
    async with Driver():
        pass


def features(process: psutil.Process, switch: str) -> list[set[str]]:
    """Return each list of features that a browser was given; it heeds the last one alone."""
    given = [part.partition("=")[2] for part in process.cmdline() if part.startswith(f"--{switch}=")]
    return [{name.partition(":")[0] for name in one.split(",")} for one in given]


async def test_what_playwright_asks_of_its_browser_is_asked_by_us_too(ear: Ear) -> None:
    before = children()
    async with BrowserSession(BrowserOptions(), ear.bus):
        browsers = [child for child in begun_since(before) if is_browser(child)]
        assert browsers
        for browser in browsers:
            first, *others = features(browser, "enable-features")
            assert others and first <= others[-1], "name them in browser/options.py, too"
            assert len(features(browser, "disable-features")) == 1


async def test_the_memory_of_pages_and_driver_is_told(ear: Ear, site: SmallSite) -> None:
    site.html("/", "<script>window.kept = new Uint8Array(100_000_000).fill(1)</script><p>full")
    async with BrowserSession(BrowserOptions(), ear.bus) as session:
        page = await session.new_page()
        before = await session.memory()
        assert before.renderers > 0 and before.driver > 10
        await page.goto(site.url("/"))
        assert await page.inner_text("p") == "full"
        assert (await session.memory()).renderers > before.renderers + 80
        await page.close()
        await until(lambda: not session.context.pages)
    assert (await session.memory()).renderers == 0


async def test_pages_and_cookies_are_all_in_the_one_context(ear: Ear, site: SmallSite) -> None:
    site.html("/in", "<p>in", headers={"Set-Cookie": "auth=7; HttpOnly"})
    site.html("/", "<p>home")
    async with BrowserSession(BrowserOptions(), ear.bus) as session:
        first, second = await session.new_page(), await session.new_page()
        assert first.context is second.context is session.context
        await first.goto(site.url("/in"))
        await second.goto(site.url("/"))
        assert site.seen[-1].cookies["auth"] == "7"
        assert [cookie["name"] for cookie in await session.cookies(site.origin)] == ["auth"]
        assert await session.cookies("https://elsewhere.example") == []
        saved = await session.cookies()
        await session.context.clear_cookies()
        await session.set_cookies([])
        assert await session.cookies() == []
        await session.set_cookies(saved)
        await second.goto(site.url("/"))
        assert site.seen[-1].cookies["auth"] == "7"


async def test_before_its_start_and_after_its_end_there_is_no_browser(ear: Ear) -> None:
    session = BrowserSession(BrowserOptions(), ear.bus)
    assert not session.alive
    with pytest.raises(BrowserLost):
        await session.new_page()
    async with session:
        pass
    with pytest.raises(BrowserLost):
        await session.new_page()


async def test_a_setting_that_names_no_browser_is_told_and_leaves_no_process(ear: Ear, tmp_path: Path) -> None:
    async with leaving_nothing():
        with pytest.raises(SettingsError, match="BROWSER_PATH"):
            async with BrowserSession(BrowserOptions(path=tmp_path / "none"), ear.bus):
                pass


async def test_a_program_that_is_no_browser_is_one_line_and_leaves_no_process(ear: Ear, tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    async with leaving_nothing():
        with pytest.raises(BrowserLost) as caught:
            async with BrowserSession(BrowserOptions(path=program), ear.bus):
                pass
    assert "\n" not in str(caught.value)


async def test_a_program_that_ends_at_once_is_not_taken_for_a_fault_of_the_sandbox(ear: Ear, tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(BrowserLost, match="cannot be started") as caught:
        async with BrowserSession(BrowserOptions(path=program), ear.bus):
            pass
    assert str(program) in str(caught.value)


async def test_a_start_that_is_cut_off_leaves_no_process(ear: Ear, tmp_path: Path) -> None:
    began = tmp_path / "began"
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\ntouch '{began}'\nexec sleep 600\n")
    program.chmod(0o755)

    async def start() -> None:
        async with BrowserSession(BrowserOptions(path=program), ear.bus):
            raise AssertionError("a sleeping program is no browser")

    async with leaving_nothing():
        starting = asyncio.ensure_future(start())
        await until(began.exists)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting


async def test_a_browser_that_is_killed_is_told_as_lost(ear: Ear) -> None:
    async with leaving_nothing() as before, BrowserSession(BrowserOptions(), ear.bus) as session:
        page = await session.new_page()
        pending = asyncio.ensure_future(page.evaluate("new Promise(() => {})"))
        for process in begun_since(before):
            if is_browser(process):
                os.kill(process.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            await session.lost.wait()
            with pytest.raises(PlaywrightError):
                await pending
        assert not session.alive
        with pytest.raises(BrowserLost):
            await session.new_page()


def driver_among(processes: set[psutil.Process]) -> psutil.Process:
    (driver,) = processes & set(OURS.children())
    return driver


async def test_a_driver_that_is_killed_is_told_as_lost(ear: Ear) -> None:
    async with leaving_nothing() as before, BrowserSession(BrowserOptions(), ear.bus) as session:
        driver_among(begun_since(before)).kill()
        async with asyncio.timeout(60):
            await session.lost.wait()
        assert not session.alive


async def test_after_its_driver_was_killed_calls_fail_and_the_close_keeps_its_bound(ear: Ear) -> None:
    async with leaving_nothing() as before:
        async with BrowserSession(BrowserOptions(), ear.bus) as session:
            page = await session.new_page()
            pending = asyncio.ensure_future(page.evaluate("new Promise(() => {})"))
            driver_among(begun_since(before)).kill()
            async with asyncio.timeout(60):
                with pytest.raises(PlaywrightError):
                    await pending
                with pytest.raises((PageLost, BrowserLost)):  # the first until the driver's end was noticed
                    await session.new_page()
            closing = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - closing < 60


async def test_a_browser_that_is_stopped_dead_is_closed_within_its_bound(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jdp_scraper.browser.session.CLOSE_S", 0.5)
    async with leaving_nothing() as before:
        async with BrowserSession(BrowserOptions(), ear.bus) as session:
            await session.new_page()
            for process in begun_since(before):
                if is_browser(process):
                    os.kill(process.pid, signal.SIGSTOP)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 60


async def test_what_is_blocked_is_not_asked_for(ear: Ear, site: SmallSite) -> None:
    site.content("/car.png", b"", "image/png")
    site.content("/face.woff2", b"", "font/woff2")
    style = "<style>@font-face { font-family: x; src: url(/face.woff2) } p { font-family: x }</style>"
    address = site.html("/", f"{style}<p>text<img src=/car.png>")
    async with BrowserSession(BrowserOptions(block_images=True, block_fonts=True), ear.bus) as session:
        page = await session.new_page()
        await page.goto(address)
        await page.evaluate("document.fonts.ready")
        assert set(site.asked) - {"/favicon.ico"} == {"/"}


async def test_without_blocking_all_is_loaded(browser: BrowserSession, site: SmallSite) -> None:
    site.content("/car.png", b"", "image/png")
    page = await browser.new_page()
    await page.goto(site.html("/", "<p>text<img src=/car.png>"))
    assert site.asked["/car.png"] == 1
