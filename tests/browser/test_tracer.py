"""A trace is begun after the sign-in, dropped before a password is filled in, and cleaned before it is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page

from jdp_scraper.browser import tracer as tracers
from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.browser.tracer import Tracer
from jdp_scraper.disk import Disk
from jdp_scraper.errors import BrowserLost
from tests.support.leaks import leaks

from .conftest import STEP_S, Ear
from .server import SmallSite

PASSWORD = "p@ss\"w<rd&%41'"
COOKIE = "0123456789abcdef"
FORM = "<form><input id=user><input id=secret type=password></form>"


class Ground:
    """A browser of its own whose traces lie in ``folder``, and a page on a form."""

    def __init__(self, browser: BrowserSession, page: Page, folder: Path, ear: Ear) -> None:
        self.browser, self.page, self.folder, self.ear = browser, page, folder, ear

    def tracer(self, on: bool = True) -> Tracer:
        return Tracer(on, self.folder, Disk(), self.ear.bus)

    def recorded(self) -> str:
        """What lies in the private folder as it is being recorded."""
        return "".join(path.read_text("utf-8") for path in self.folder.glob("*.trace"))


@pytest_asyncio.fixture(loop_scope="session")
async def ground(site: SmallSite, ear: Ear, tmp_path: Path) -> AsyncIterator[Ground]:
    site.html("/form", FORM)
    folder = tmp_path / "private"
    async with BrowserSession(BrowserOptions(step_timeout_s=STEP_S, traces=folder), ear.bus) as browser:
        page = await browser.new_page()
        await page.goto(site.url("/form"))
        yield Ground(browser, page, folder, ear)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_what_is_kept_tells_what_pages_did_and_no_cookie(ground: Ground, site: SmallSite, tmp_path: Path) -> None:
    url = site.url("/")
    async with ground.tracer() as tracer:
        await tracer.begin(ground.browser.context)
        since = now()
        await ground.browser.context.add_cookies([{"name": "sid", "value": COOKIE, "url": url}])
        await ground.page.goto(site.url("/form"))
        await ground.page.fill("#user", f"shows {COOKIE}")
        assert COOKIE in ground.recorded()  # so there is something to clean
        assert await tracer.keep(tmp_path / "kept" / "trace.zip", since) == "trace.zip"
        assert list(ground.folder.glob("*.zip")) == []
    with zipfile.ZipFile(tmp_path / "kept" / "trace.zip") as archive:
        actions = [json.loads(line) for line in archive.read("trace.trace").splitlines()]
        network = [json.loads(line) for line in archive.read("trace.network").splitlines()]
    assert {"goto", "fill"} <= {action.get("method") for action in actions}
    assert any(entry["snapshot"]["request"]["url"] == site.url("/form") for entry in network)
    assert leaks(tmp_path / "kept", [COOKIE]) == []
    assert stat.S_IMODE((tmp_path / "kept" / "trace.zip").stat().st_mode) == 0o600


async def test_a_password_filled_in_while_paused_is_not_even_recorded(ground: Ground) -> None:
    async with ground.tracer() as tracer:
        await tracer.begin(ground.browser.context)
        await ground.page.fill("#user", "before-the-pause")
        assert "before-the-pause" in ground.recorded()
        async with tracer.paused():
            await ground.page.fill("#secret", PASSWORD)
            assert leaks(ground.folder, [PASSWORD]) == []
            await ground.page.fill("#secret", "")
        await ground.page.fill("#user", "behind-the-pause")
        assert "behind-the-pause" in ground.recorded()
        assert leaks(ground.folder, [PASSWORD]) == []
        await ground.page.fill("#secret", PASSWORD)
        assert leaks(ground.folder, [PASSWORD])  # it would have been seen


async def test_after_a_sign_in_that_failed_nothing_is_recorded(ground: Ground, tmp_path: Path) -> None:
    async with ground.tracer() as tracer:
        await tracer.begin(ground.browser.context)
        with contextlib.suppress(RuntimeError):
            async with tracer.paused():
                await ground.page.fill("#secret", PASSWORD)
                raise RuntimeError
        assert (await tracer.keep(tmp_path / "trace.zip", now())).startswith("none: nothing was recorded")
        assert leaks(tmp_path, [PASSWORD]) == []
        async with tracer.paused():
            await ground.page.fill("#secret", "")
        assert await tracer.keep(tmp_path / "trace.zip", now()) == "trace.zip"


async def test_no_password_is_sent_where_the_recording_cannot_be_ended(ground: Ground) -> None:
    filled = False
    async with ground.tracer() as tracer:
        await tracer.begin(ground.browser.context)
        await ground.browser.context.close()  # so that the tracer's own call fails
        with pytest.raises(BrowserLost):
            async with tracer.paused():
                filled = True
    assert not filled


async def test_what_nobody_needs_is_dropped_now_and_then(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracers, "DROP_AFTER_VEHICLES", 2)
    async with ground.tracer() as tracer:
        await tracer.begin(ground.browser.context)
        await ground.page.fill("#user", "first-of-all")
        await tracer.turn()
        assert "first-of-all" in ground.recorded()
        await tracer.turn()
        assert "first-of-all" not in ground.recorded()
        await ground.page.fill("#user", "second-of-all")
        assert "second-of-all" in ground.recorded()


async def test_a_later_failure_tells_where_its_beginning_is(ground: Ground, tmp_path: Path) -> None:
    async with ground.tracer() as tracer:
        await tracer.begin(ground.browser.context)
        since = now()
        await tracer.keep(tmp_path / "first" / "trace.zip", since)
        assert await tracer.keep(tmp_path / "second" / "trace.zip", since) == "trace.zip; what came before is in first"
        assert await tracer.keep(tmp_path / "third" / "trace.zip", now()) == "trace.zip"


async def test_the_folder_is_private_emptied_at_the_start_and_gone_at_the_end(ground: Ground) -> None:
    ground.folder.mkdir(exist_ok=True)
    (ground.folder / "left-by-a-kill.network").write_text(COOKIE)
    async with ground.tracer() as tracer:
        assert list(ground.folder.iterdir()) == []
        assert stat.S_IMODE(ground.folder.stat().st_mode) == 0o700
        assert tracer.folder == ground.folder
    assert not ground.folder.exists()


async def test_off_it_records_nothing_and_still_removes_what_was_left(ground: Ground, tmp_path: Path) -> None:
    ground.folder.mkdir(exist_ok=True)
    async with ground.tracer(on=False) as tracer:
        assert not ground.folder.exists()
        await tracer.begin(ground.browser.context)
        async with tracer.paused():
            await tracer.turn()
        assert await tracer.keep(tmp_path / "trace.zip", now()) == "none: TRACE is off"
        assert tracer.folder is None
    assert list(tmp_path.iterdir()) == []


async def test_a_browser_that_is_lost_gives_no_trace_and_no_error(ground: Ground, tmp_path: Path) -> None:
    async with ground.tracer() as tracer:
        await tracer.begin(ground.browser.context)
        await ground.browser.context.close()
        assert (await tracer.keep(tmp_path / "trace.zip", now())).startswith("none")
        await tracer.turn()
