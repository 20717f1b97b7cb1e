"""The account's session where one browser is lost and another takes its place: never forgotten, never doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.checkpoint.lease import LeaseFile, Phase, SessionLease
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.errors import AccountInUse
from jdp_scraper.portal.account import AccountSession, Mended
from jdp_scraper.portal.cookie_bridge import CookieBridge
from jdp_scraper.portal.lease_keeper import LeaseKeeper
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.visit import Visit
from tests.support.disks import FaultyDisk
from tests.support.program import until_portal

from ..unit.portal.profiles import profile_of
from .conftest import STEP_S, Ear, StartPortal
from .server import SmallSite
from .test_account import Account, counts
from .test_session import until

HOME = "/ValuesOnline/"


@pytest.fixture
def account(browser: BrowserSession, tmp_path: Path, ear: Ear) -> Account:
    """The account as seen from the browser that takes another one's place."""
    return Account(browser, Site(profile_of()), tmp_path, ear)


@asynccontextmanager
async def to_be_lost(ear: Ear) -> AsyncIterator[BrowserSession]:
    async with BrowserSession(BrowserOptions(step_timeout_s=STEP_S), ear.bus) as browser:
        yield browser


async def lose(browser: BrowserSession) -> None:
    """End a browser behind its session's back, as a crash does."""
    assert browser.context.browser is not None
    await browser.context.browser.close()
    await until(browser.lost.is_set)


# -- signed out wherever the change is cut off -------------------------------------------------------------------------


async def test_a_stop_before_the_next_browser_has_the_session_s_cookies_still_signs_out(
    account: Account, page: Page, start_portal: StartPortal, ear: Ear
) -> None:
    portal = await start_portal()
    session = account.at(portal.url).session()
    async with to_be_lost(ear) as first:
        await session.open(Visit(first, await first.new_page()))
        await lose(first)
    opening = asyncio.ensure_future(session.open(Visit(account.browser, page)))
    await asyncio.sleep(0)  # it has begun to read the saved session
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert await session.close()
    assert await counts(portal) == (1, 1, 0), "a browser without the cookies is no proof that the session has ended"


async def test_a_session_that_is_just_being_taken_up_is_signed_out_over_http(
    account: Account, page: Page, start_portal: StartPortal, ear: Ear
) -> None:
    portal = await start_portal()
    await account.at(portal.url).session().open(Visit(account.browser, page))  # by a start that was killed
    await portal.fault("hang", at="home")
    async with to_be_lost(ear) as browser:
        session = Account(browser, account.site, account.folder, ear).session()
        opening = asyncio.ensure_future(session.open(Visit(browser, await browser.new_page())))
        await until_portal(portal, lambda ledger: ledger["faults"].get("hang@home"))
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await lose(browser)
    assert await session.close()
    assert await counts(portal) == (1, 1, 0)
    assert not account.lease_file.path.exists()


# -- cookies that no browser takes -------------------------------------------------------------------------------------


async def renewed(session: AccountSession, browser: BrowserSession, portal: DemoPortal) -> httpx.Response:
    """Return an answer to the HTTP client that renews the session's cookie."""
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in await browser.cookies(portal.url))
    await portal.fault("rotate_cookie", at="home")
    async with httpx.AsyncClient(headers={"Cookie": cookies}, trust_env=False, timeout=STEP_S) as client:
        answer = await client.get(portal.url + HOME)
    assert "set-cookie" in answer.headers
    return answer


async def test_a_cookie_that_is_renewed_after_the_browser_s_end_is_the_next_one_s(
    account: Account, page: Page, start_portal: StartPortal, ear: Ear
) -> None:
    portal = await start_portal(rotate_grace_s=0)
    session = account.at(portal.url).session()
    async with to_be_lost(ear) as first:
        await session.open(Visit(first, await first.new_page()))
        bridge = CookieBridge(first, portal.url, ear.bus, session.keeper)
        answer = await renewed(session, first, portal)
        await lose(first)
        bridge.take(answer)
        await bridge.flush()
    await session.open(Visit(account.browser, page))
    assert (session.sign_ins, await counts(portal)) == (1, (1, 0, 1))
    assert await session.close()
    assert await counts(portal) == (1, 1, 0)


async def test_a_cookie_that_could_not_be_handed_over_is_tried_before_a_sign_in(
    account: Account, page: Page, start_portal: StartPortal, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = await start_portal(rotate_grace_s=0)
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    bridge = CookieBridge(account.browser, portal.url, ear.bus, session.keeper)
    answer = await renewed(session, account.browser, portal)

    async def fail(_: list[dict[str, Any]]) -> None:
        raise PlaywrightError("the driver stumbles")

    with monkeypatch.context() as patch:
        patch.setattr(account.browser, "set_cookies", fail)
        bridge.take(answer)
        await bridge.flush()
    assert await session.mend(session.generation) is Mended.NOW
    assert (session.sign_ins, await counts(portal)) == (1, (1, 0, 1))
    assert await session.close()


ODD = ["; Max-Age=999999999999", "; Path=relative"]


def odd_answer(portal: DemoPortal, attributes: str) -> httpx.Response:
    """Return an answer that sets a cookie which Chromium refuses."""
    request = httpx.Request("GET", portal.url + HOME)
    return httpx.Response(200, headers={"Set-Cookie": f"odd=1{attributes}"}, request=request)


@pytest.mark.parametrize("attributes", ODD)
async def test_a_cookie_that_no_browser_takes_is_no_bar_to_a_sign_in(
    attributes: str, account: Account, page: Page, start_portal: StartPortal, ear: Ear
) -> None:
    portal = await start_portal()
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    bridge = CookieBridge(account.browser, portal.url, ear.bus, session.keeper)
    bridge.take(odd_answer(portal, attributes))
    await bridge.flush()
    await portal.expire()
    assert await session.mend(session.generation) is Mended.NOW
    assert session.sign_ins == 2
    assert await session.close()


@pytest.mark.parametrize("attributes", ODD)
async def test_a_cookie_that_no_browser_takes_keeps_the_next_one_from_no_other(
    attributes: str, account: Account, page: Page, start_portal: StartPortal, ear: Ear
) -> None:
    portal = await start_portal()
    session = account.at(portal.url).session()
    async with to_be_lost(ear) as first:
        await session.open(Visit(first, await first.new_page()))
        bridge = CookieBridge(first, portal.url, ear.bus, session.keeper)
        await lose(first)
        bridge.take(odd_answer(portal, attributes))
        await bridge.flush()
    await session.open(Visit(account.browser, page))
    assert (session.sign_ins, await counts(portal)) == (1, (1, 0, 1))
    assert await session.close()


# -- what the saved session tells the next start -----------------------------------------------------------------------


async def test_the_mark_of_a_session_that_is_lost_grows_as_old_as_it_is(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await account.at(portal.url).leave_open(page)
    lost_at = datetime.now(UTC) - timedelta(minutes=50)
    await account.lease_file.save(SessionLease(portal.url, Phase.SIGNED_IN, lost_at))
    for _ in range(2):
        session = account.session()
        with pytest.raises(AccountInUse):
            await session.open(Visit(account.browser, page))
        assert await session.close()
        left = await account.lease_file.load()
        assert left is not None
        assert left.saved_at == lost_at, "an account that others use would count as ours for ever"


async def test_cookies_that_could_not_be_saved_are_saved_later(
    browser: BrowserSession, page: Page, site: SmallSite, tmp_path: Path, ear: Ear
) -> None:
    disk = FaultyDisk()
    file = LeaseFile(tmp_path, "jdpower", "0123456789ab", disk, ear.bus)
    keeper = LeaseKeeper(Site(profile_of(), site.origin), file)
    keeper.follow(browser)
    await keeper.begin()
    await page.goto(site.html("/in", "<p>in", headers={"Set-Cookie": "auth=7"}))
    disk.fail_at = disk.count + 1
    keeper.note_cookies(await browser.cookies(site.origin))
    await keeper.settled()
    disk.fail_at = 0
    await keeper.refresh()
    lease = await file.load()
    assert lease is not None
    assert [cookie["value"] for cookie in lease.cookies] == ["7"]
