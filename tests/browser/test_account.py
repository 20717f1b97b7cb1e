"""The account's session on the demo portal: one sign-in, proven, and signed out on every way out."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from playwright.async_api import Page

from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.checkpoint.lease import LeaseFile, Phase, SessionLease, SignOutRecipe, account_id
from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.disk import Disk
from jdp_scraper.errors import (
    AccountInUse,
    AccountLocked,
    PortalChanged,
    PortalDown,
    ScraperError,
    UnknownPage,
    WrongCredentials,
)
from jdp_scraper.events import Countdown
from jdp_scraper.portal.account import AccountSession, Mended, Patience
from jdp_scraper.portal.entrance import Credentials
from jdp_scraper.portal.sign_out import learn_recipe, sign_out_over_http
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.visit import Visit

from ..unit.portal.profiles import profile_of
from .conftest import STEP_S, Ear, StartPortal
from .server import SmallSite
from .test_pool import keep_busy
from .test_session import until

SITES = ["jdpower", "plain"]
SETTLE_S = 0.3  # how long a page after the sign-in may stay unknown, in these tests
PASSWORD = "demo"
DOWN_S = 10.0


@dataclass
class Account:
    """One start's view of the account: what a run puts together."""

    browser: BrowserSession
    site: Site
    folder: Path
    ear: Ear

    @property
    def lease_file(self) -> LeaseFile:
        return LeaseFile(self.folder, self.site.profile.name, self._id, Disk(), self.ear.bus)

    @property
    def _id(self) -> str:
        return account_id(self.site.profile.name, "demo")

    def session(
        self,
        password: str = PASSWORD,
        *,
        retry: bool = False,
        lock_wait_s: float = 0,
        own_lock_wait_s: float = 0,
        step_s: float = STEP_S,
    ) -> AccountSession:
        return AccountSession.of(
            self.site,
            Credentials("demo", password, retry),
            self.lease_file,
            RefusedMarker(self.folder, self.site.profile.name, self._id, Disk(), self.ear.bus),
            Patience(lock_s=lock_wait_s, own_lock_s=own_lock_wait_s, down_s=DOWN_S),
            bus=self.ear.bus,
            disk=Disk(),
            step_s=step_s,
            screenshots=self.folder / "sign-in",
        )

    async def leave_open(self, page: Page) -> None:
        """Sign in as a start does that is killed: the lease stays, and the browser with its cookies is gone."""
        await self.session().open(Visit(self.browser, page))
        await self.browser.context.clear_cookies()

    def at(self, origin: str, name: str = "jdpower", **profile: Any) -> Account:
        values = {"sign_in__settle_s": SETTLE_S} | profile
        self.site = Site(profile_of(name, **values), origin)
        return self


@pytest.fixture
def account(browser: BrowserSession, tmp_path: Path, ear: Ear) -> Account:
    return Account(browser, Site(profile_of()), tmp_path, ear)


async def counts(portal: DemoPortal) -> tuple[int, int, int]:
    """Return sign-ins, sign-outs and sessions that are open, as the portal saw them."""
    ledger = await portal.ledger()
    return ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]


@pytest.mark.parametrize("name", SITES)
async def test_a_sign_in_is_proven_and_its_sign_out_leaves_nothing_open(
    name: str, account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(site=name)
    session = account.at(portal.url, name).session()
    await session.open(Visit(account.browser, page))
    assert (session.sign_ins, session.generation) == (1, 1)
    assert await counts(portal) == (1, 0, 1)
    assert await session.close()
    assert await counts(portal) == (1, 1, 0)
    assert await session.close(), "a second close has nothing to do"
    assert await counts(portal) == (1, 1, 0)


async def test_the_license_is_accepted_and_its_text_kept_with_its_hash(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(license="each")
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    assert session.license is not None
    assert "This License Agreement is between you and the operator" in session.license.text
    assert session.license.sha256 == hashlib.sha256(session.license.text.encode()).hexdigest()
    assert (await portal.ledger())["license_accepted"] == 1
    await session.close()


async def test_where_no_license_is_asked_for_none_is_kept(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(license="never")
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    assert session.license is None
    await session.close()


@pytest.mark.parametrize("name", SITES)
async def test_a_wrong_password_is_sent_once_and_never_again(
    name: str, account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(site=name)
    account.at(portal.url, name)
    for _ in range(2):
        session = account.session("wrong")
        with pytest.raises(WrongCredentials):
            await session.open(Visit(account.browser, page))
        assert await session.close()
    ledger = await portal.ledger()
    assert (ledger["refused"], ledger["points"]["sign_in"]) == ({"bad_password": 1}, 1)
    assert await account.lease_file.load() is None


async def test_another_password_is_tried_and_clears_the_memory(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    account.at(portal.url)
    with pytest.raises(WrongCredentials):
        await account.session("wrong").open(Visit(account.browser, page))
    session = account.session()
    await session.open(Visit(account.browser, page))
    await session.close()
    with pytest.raises(WrongCredentials):
        await account.session("wrong").open(Visit(account.browser, page))
    assert (await portal.ledger())["refused"] == {"bad_password": 2}


async def test_a_password_that_was_refused_is_tried_again_at_the_user_s_word(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    account.at(portal.url)
    with pytest.raises(WrongCredentials):
        await account.session("new one").open(Visit(account.browser, page))
    await portal.set(password="new one")
    with pytest.raises(WrongCredentials, match="not tried again"):
        await account.session("new one").open(Visit(account.browser, page))
    session = account.session("new one", retry=True)
    await session.open(Visit(account.browser, page))
    assert (await portal.ledger())["sign_ins"] == 1
    await session.close()


@pytest.mark.parametrize("name", SITES)
async def test_an_account_in_use_is_told_and_waited_for_no_longer_than_asked(
    name: str, account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(site=name)
    other = account.at(portal.url, name).session()
    await other.open(Visit(account.browser, page))
    await account.browser.context.clear_cookies()
    await account.lease_file.forget()
    session = account.session()
    with pytest.raises(AccountInUse, match="LOCK_WAIT_S"):
        await session.open(Visit(account.browser, page))
    assert await session.close(), "a refused sign-in leaves no session"
    assert (await portal.ledger())["refused"] == {"in_use": 1}
    assert session.sign_ins == 0


async def test_an_account_in_use_is_waited_for_with_a_countdown(
    account: Account, page: Page, start_portal: StartPortal, ear: Ear
) -> None:
    portal = await start_portal()
    account.at(portal.url, sign_in__in_use_retry_s=1)
    await account.leave_open(page)
    await account.lease_file.forget()
    session = account.session(lock_wait_s=30)
    waiting = asyncio.ensure_future(session.open(Visit(account.browser, page)))
    await until(lambda: any(isinstance(event, Countdown) for event in ear.events))
    await portal.expire()
    await waiting
    countdown = [event for event in ear.events if isinstance(event, Countdown)]
    assert all(0 < event.seconds_left <= 1 for event in countdown)
    await session.close()
    assert (await counts(portal))[2] == 0


@pytest.mark.parametrize("name", SITES)
async def test_a_locked_account_is_told_as_that_and_is_no_refused_password(
    name: str, account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(site=name, account="locked")
    account.at(portal.url, name)
    with pytest.raises(AccountLocked):
        await account.session().open(Visit(account.browser, page))
    await portal.set(account="ok")
    session = account.session()
    await session.open(Visit(account.browser, page))
    await session.close()


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("state", ["second_factor", "expired_password"])
async def test_a_page_that_only_a_person_can_answer_is_told_with_a_screenshot(
    state: str, name: str, account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(site=name, account=state)
    session = account.at(portal.url, name).session()
    with pytest.raises(UnknownPage, match="screenshot: ") as caught:
        await session.open(Visit(account.browser, page))
    picture = Path(str(caught.value).partition("screenshot: ")[2])
    assert picture.parent == account.folder / "sign-in"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert (await portal.ledger())["points"]["sign_in"] == 1, "there is no second try"


async def test_a_portal_that_is_down_is_told_with_its_address(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(down=True)
    session = account.at(portal.url).session()
    with pytest.raises(PortalDown, match="503") as caught:
        await session.open(Visit(account.browser, page))
    assert portal.url in str(caught.value)
    assert await session.close()


async def test_a_portal_that_cannot_be_reached_is_told_with_its_address(account: Account, page: Page) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(PortalDown, match="ERR_CONNECTION_REFUSED") as caught:
            await account.at(origin).session().open(Visit(account.browser, page))
    assert origin in str(caught.value)


@pytest.mark.parametrize("kind", ["error_500", "error_503"])
async def test_a_sign_in_that_is_answered_with_an_error_is_no_wrong_password(
    kind: str, account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await portal.fault(kind, at="sign_in")
    account.at(portal.url)
    with pytest.raises(PortalDown):
        await account.session().open(Visit(account.browser, page))
    session = account.session()
    await session.open(Visit(account.browser, page))
    await session.close()


async def test_a_form_that_cannot_be_filled_in_is_opened_again_and_sent_once(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
            if (!document.querySelector("[type=password]") || sessionStorage.getItem("seen")) return;
            sessionStorage.setItem("seen", "yes");
            for (const field of document.querySelectorAll("input")) field.disabled = true;
        })"""
    )
    page.set_default_navigation_timeout(STEP_S * 1000)
    page.set_default_timeout(1000)  # which a field that cannot be filled in is waited for
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    assert await page.evaluate("sessionStorage.getItem('seen')") == "yes"
    assert await counts(portal) == (1, 0, 1)
    assert await session.close()


async def test_a_sign_in_that_is_cut_off_is_the_portal_s_fault(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await portal.fault("reset", at="sign_in", times=-1)
    with pytest.raises(PortalDown):
        await account.at(portal.url).session().open(Visit(account.browser, page))


async def test_a_sign_in_page_that_never_ends_is_one_of_our_errors(
    account: Account, page: Page, site: SmallSite
) -> None:
    site.hanging("/account/login", b"<!DOCTYPE html><p>one moment")
    page.set_default_timeout(500)
    with pytest.raises(ScraperError):
        await account.at(site.origin, "plain").session(step_s=0.5).open(Visit(account.browser, page))


async def test_a_page_without_a_form_where_the_form_should_be_names_the_profile(
    account: Account, page: Page, site: SmallSite
) -> None:
    site.html("/account/login", "<p>We have moved")
    with pytest.raises(PortalChanged, match="sign_in in the profile"):
        await account.at(site.origin, "plain").session().open(Visit(account.browser, page))
    assert site.asked["/account/login"] == 1


# -- the lease ---------------------------------------------------------------------------------------------------------


async def test_the_lease_is_saved_before_the_form_is_sent_and_removed_at_the_sign_out(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    account.at(portal.url)
    seen: list[dict[str, Any]] = []

    def note(request: Any) -> None:
        if request.method == "POST":
            path = account.lease_file.path
            seen.append(json.loads(path.read_text()) if path.exists() else {})

    page.on("request", note)
    session = account.session()
    await session.open(Visit(account.browser, page))
    assert seen and seen[0]["phase"] == Phase.SIGNING_IN
    lease = await account.lease_file.load()
    assert lease is not None and lease.phase is Phase.SIGNED_IN and lease.origin == portal.url
    assert {cookie["name"] for cookie in lease.cookies} == {"ASP.NET_SessionId", ".ASPXAUTH"}
    assert lease.sign_out is not None
    assert PASSWORD not in {value for _, value in lease.sign_out.fields}
    await session.close()
    assert not account.lease_file.path.exists()


@pytest.mark.parametrize("name", SITES)
async def test_a_session_left_open_is_taken_up_by_the_next_start(
    name: str, account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(site=name)
    await account.at(portal.url, name).leave_open(page)
    session = account.session()
    await session.open(Visit(account.browser, page))
    assert (session.sign_ins, await counts(portal)) == (0, (1, 0, 1))
    assert await session.close()
    assert await counts(portal) == (1, 1, 0)


async def test_a_session_left_open_that_has_expired_is_replaced(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await account.at(portal.url).leave_open(page)
    await portal.expire()
    session = account.session()
    await session.open(Visit(account.browser, page))
    assert session.sign_ins == 1
    assert await session.close()


async def test_a_session_left_at_another_portal_is_not_taken_up(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    first, second = await start_portal(), await start_portal()
    await account.at(first.url).leave_open(page)
    session = account.at(second.url).session()
    await session.open(Visit(account.browser, page))
    assert (session.sign_ins, await counts(second)) == (1, (1, 0, 1))
    await session.close()


async def test_a_left_session_is_taken_up_although_the_browser_refuses_one_of_its_cookies(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await account.at(portal.url).leave_open(page)
    left = await account.lease_file.load()
    assert left is not None
    refused = {"name": "__Host-x", "value": "1", "domain": "127.0.0.1", "path": "/below"}
    await account.lease_file.save(replace(left, cookies=(refused, *left.cookies)))
    session = account.session()
    await session.open(Visit(account.browser, page))
    assert (session.sign_ins, await session.close(), await counts(portal)) == (0, True, (1, 1, 0))


async def test_a_cookie_that_came_as_the_browser_died_is_tried_before_a_sign_in(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    live = await account.browser.cookies(portal.url)
    (newest,) = (cookie for cookie in live if cookie["name"] == ".ASPXAUTH")
    stale = [{**cookie, "value": "0"} if cookie is newest else cookie for cookie in live]
    left = await account.lease_file.load()
    assert left is not None
    await account.browser.context.clear_cookies()
    await account.lease_file.save(replace(left, cookies=tuple(stale)))
    session.keeper.note_rival(newest)
    session.keeper.note_rival({"name": "__Host-x", "value": "1", "domain": "127.0.0.1", "path": "/below"})
    await session.open(Visit(account.browser, page))
    assert (session.sign_ins, await session.close(), await counts(portal)) == (1, True, (1, 1, 0))


async def test_a_session_that_the_entrance_shows_is_signed_out_as_our_own(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await account.at(portal.url).session().open(Visit(account.browser, page))
    await account.lease_file.forget()
    session = account.session()
    await session.open(Visit(account.browser, page))
    assert (session.sign_ins, await counts(portal)) == (0, (1, 0, 1))
    assert await account.lease_file.load() is not None
    assert (await session.close(), await counts(portal)) == (True, (1, 1, 0))


async def test_a_form_without_an_answer_is_sent_twice_and_not_again(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await portal.fault("error_500", at="sign_in", times=-1)
    session = account.at(portal.url).session()
    for _ in range(2):
        with pytest.raises(PortalDown, match="status 500"):
            await session.open(Visit(account.browser, page))
    with pytest.raises(PortalDown, match="no answer"):
        await session.open(Visit(account.browser, page))
    assert (await portal.ledger())["points"]["sign_in"] == 2


async def test_the_word_to_try_a_refused_password_again_is_for_one_answer(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    with pytest.raises(WrongCredentials):
        await account.at(portal.url).session("wrong").open(Visit(account.browser, page))
    await portal.fault("error_500", at="sign_in", times=1)
    session = account.session("wrong", retry=True)
    for kind, told in (
        (PortalDown, "status 500"),
        (WrongCredentials, "refused the user"),
        (WrongCredentials, "before"),
    ):
        with pytest.raises(kind, match=told):
            await session.open(Visit(account.browser, page))
    assert (await portal.ledger())["points"]["sign_in"] == 3


async def test_a_refused_password_that_is_no_more_refused_at_the_user_s_word_is_forgotten(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    await portal.set(account="second_factor")
    marker = RefusedMarker(account.folder, "jdpower", account_id("jdpower", "demo"), Disk(), account.ear.bus)
    await marker.remember("demo", PASSWORD)
    with pytest.raises(UnknownPage):
        await account.at(portal.url).session(retry=True).open(Visit(account.browser, page))
    await portal.set(account="ok")
    await portal.expire()
    await account.lease_file.forget()
    await account.browser.context.clear_cookies()
    session = account.session()
    await session.open(Visit(account.browser, page))
    assert await session.close()


# -- mending -----------------------------------------------------------------------------------------------------------


async def test_an_expired_session_is_mended_once_for_all(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    await portal.expire()
    assert await asyncio.gather(*(session.mend(1) for _ in range(4))) == [Mended.NOW, *[Mended.BEFORE] * 3]
    assert (session.sign_ins, session.generation) == (2, 2)
    assert (await counts(portal))[0] == 2
    assert len(account.browser.context.pages) == 1
    assert await session.close(2.0)
    assert (await counts(portal))[2] == 0


async def test_a_session_that_is_well_is_not_mended(account: Account, page: Page, start_portal: StartPortal) -> None:
    portal = await start_portal()
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    assert await session.mend(session.generation) is Mended.NOT
    assert await session.mend(session.generation - 1) is Mended.BEFORE, "somebody has mended it before"
    assert session.sign_ins == 1
    await session.close()


async def test_a_license_that_is_asked_for_without_end_ends_the_run(
    account: Account, page: Page, start_portal: StartPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jdp_scraper.portal.account.MOST_SIGN_INS_IN_VAIN", 1)
    portal = await start_portal(license="always")
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    for _ in range(2):
        session.note_success()  # a report in between: what was asked for before was not in vain
        assert await session.mend(session.generation) is Mended.NOW
    with pytest.raises(PortalDown, match="2 times without one report"):
        await session.mend(session.generation)
    assert session.sign_ins == 1
    assert await session.close()


async def test_a_form_that_is_gone_at_the_second_look_is_not_sent(
    account: Account, page: Page, site: SmallSite
) -> None:
    """As where another page's answer brings the cookie that the first look had not yet."""

    async def form_at_the_second_time(request: web.Request) -> web.StreamResponse:
        body = FORM if site.asked[request.path] == 2 else "<a href='/account/logout'>Out</a>"
        return web.Response(text=body, content_type="text/html")

    site.pages["/account/login"] = form_at_the_second_time
    await account.at(site.origin, "plain").lease_file.save(
        SessionLease(site.origin, Phase.SIGNED_IN, datetime.now(UTC))
    )
    session = account.session()
    await session.open(Visit(account.browser, page))
    assert await session.mend(session.generation) is Mended.NOW
    assert session.sign_ins == 0
    assert site.asked["/account/login"] == 3
    assert {request.method for request in site.seen} == {"GET"}


# -- the way out -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "logout", "method", "address"),
    [
        ("jdpower", "form", "POST", "/ValuesOnline/Home/LogOff"),
        ("jdpower", "link", "GET", "/ValuesOnline/Home/LogOff"),
        ("plain", "link", "GET", "/account/logout"),
    ],
)
async def test_the_way_out_without_a_browser_is_learned_and_works_when_it_is_gone(
    name: str,
    logout: str,
    method: str,
    address: str,
    start_portal: StartPortal,
    tmp_path: Path,
    ear: Ear,
) -> None:
    portal = await start_portal(site=name, logout=logout)
    async with BrowserSession(BrowserOptions(step_timeout_s=STEP_S), ear.bus) as browser:
        account = Account(browser, Site(profile_of()), tmp_path, ear).at(portal.url, name)
        session, page = account.session(), await browser.new_page()
        await session.open(Visit(account.browser, page))
        lease = await account.lease_file.load()
        assert lease is not None and lease.sign_out is not None
        assert (lease.sign_out.method, lease.sign_out.address) == (method, portal.url + address)
        await browser.context.close()
        assert await session.close()
    assert await counts(portal) == (1, 1, 0)
    assert not account.lease_file.path.exists()


CONTROLS: dict[str, tuple[str, SignOutRecipe | None]] = {
    "link": ("<a id=x href='out?a=1'>Out</a>", SignOutRecipe("GET", "/in/out?a=1")),
    "form": (
        "<form method=post action=/out><input name=t value=7><button id=x name=b value=1>Out</button></form>",
        SignOutRecipe("POST", "/out", (("t", "7"), ("b", "1"))),
    ),
    "form without an action": ("<form><button id=x>Out</button></form>", SignOutRecipe("GET", "/in/home")),
    "link that sends a form": (
        "<form id=f method=post action=/out><input name=t value=7></form>"
        "<a id=x href=\"javascript:document.getElementById('f').submit()\">Out</a>",
        SignOutRecipe("POST", "/out", (("t", "7"),)),
    ),
    "link within a form": (
        "<form method=post action=/out><a id=x href='#' onclick='this.closest(\"form\").submit()'>Out</a></form>",
        SignOutRecipe("POST", "/out"),
    ),
    "button of a form elsewhere": (
        "<form id=f method=post action=/out></form><button id=x form=f>Out</button>",
        SignOutRecipe("POST", "/out"),
    ),
    "button that jumps": ("<button id=x onclick=\"location.href='/out'\">Out</button>", SignOutRecipe("GET", "/out")),
    "button by a script of its own": ("<button id=x>Out</button>", None),
    "link away from the portal": ("<a id=x href='https://evil.example/out'>Out</a>", None),
    "none": ("<p>no way out", None),
}


@pytest.mark.parametrize("kind", CONTROLS)
async def test_the_way_out_is_read_from_its_control(kind: str, page: Page, site: SmallSite) -> None:
    body, recipe = CONTROLS[kind]
    await page.goto(site.html("/in/home", body))
    learned = await learn_recipe(page, Site(profile_of("plain", sign_out__control="#x"), site.origin))
    expected = recipe and SignOutRecipe(recipe.method, site.url(recipe.address), recipe.fields)
    assert learned == expected


async def test_the_profile_s_own_way_out_needs_no_control(page: Page, site: SmallSite) -> None:
    profile = profile_of("plain", sign_out__address="/bye", sign_out__method="POST")
    assert await learn_recipe(page, Site(profile, site.origin)) == SignOutRecipe("POST", site.url("/bye"))


async def test_a_page_busy_in_a_script_holds_up_no_learning(page: Page, site: SmallSite) -> None:
    await keep_busy(page, site)
    page.set_default_timeout(500)
    async with asyncio.timeout(STEP_S):
        assert await learn_recipe(page, Site(profile_of("plain"), site.origin)) is None


@pytest.mark.parametrize("where", ["elsewhere in the portal", "on another site", "on a busy page"])
async def test_wherever_the_page_is_the_sign_out_comes_through(
    where: str, account: Account, page: Page, start_portal: StartPortal, site: SmallSite
) -> None:
    portal = await start_portal()
    session = account.at(portal.url).session(step_s=15)
    await session.open(Visit(account.browser, page))
    if where == "on a busy page":
        await keep_busy(page, site)
    else:
        await page.goto(portal.url + "/ValuesOnline/vehicle/" if where.endswith("portal") else site.html("/", "<p>x"))
    assert await session.close(1.0)
    assert await counts(portal) == (1, 1, 0)


async def test_a_sign_out_that_fails_is_told_and_keeps_the_lease(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal()
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    await portal.fault("error_500", at="sign_out", times=-1)
    assert not await session.close(1.0)
    assert (await counts(portal))[2] == 1
    assert account.lease_file.path.exists()


FORM = "<form><input name=password></form>"


@pytest.mark.parametrize(
    ("before", "after", "ended"),
    [
        ("<p>Welcome back", {"/account/login": FORM}, True),
        ("-> /lot", {"/account/login": "-> /form", "/form": FORM}, True),
        ("<p>Welcome back", {"/account/login": "<p>Welcome back"}, False),
        ("<p>Welcome back", {}, False),
        ("<p>Welcome back", {"/account/login": "-> https://evil.example/"}, False),
        ("<p>Welcome back", {"/account/login": "-> /account/login"}, False),
        (FORM, {"/account/login": FORM}, False),
    ],
    ids=["form", "form behind a redirect", "still in", "error", "away", "round and round", "no session before"],
)
async def test_over_http_only_a_sign_in_form_that_was_not_there_before_proves_the_end(
    before: str, after: dict[str, str], ended: bool, site: SmallSite
) -> None:
    def serve(path: str, text: str) -> None:
        if text.startswith("-> "):
            site.content(path, "", status=302, headers={"Location": text.removeprefix("-> ")})
        else:
            site.html(path, text)

    async def out(_: web.Request) -> web.StreamResponse:
        del site.pages["/account/login"]
        for path, text in after.items():
            serve(path, text)
        return web.Response(text="bye")

    serve("/account/login", before)
    serve("/lot", "<p>Welcome")
    site.pages["/out"] = out
    recipe = SignOutRecipe("POST", site.url("/out"), (("t", "7"),))
    cookies = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    assert await sign_out_over_http(recipe, cookies, Site(profile_of("plain"), site.origin), "Browser/1") is ended
    sent = [request for request in site.seen if request.path == "/out"]
    assert [request.method for request in sent] == ["POST"] * (before != FORM)
    assert {(request.headers["Cookie"], request.headers["User-Agent"]) for request in site.seen} == {
        ("a=1; b=2", "Browser/1")
    }
    assert site.asked["/account/login"] <= 8


async def test_over_http_a_portal_that_is_gone_is_no_proof() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert not await sign_out_over_http(
            SignOutRecipe("GET", f"{origin}/out"), [], Site(profile_of("plain"), origin)
        )


async def test_the_demo_portal_takes_the_way_out_with_the_session_s_cookies_alone(
    account: Account, page: Page, start_portal: StartPortal
) -> None:
    portal = await start_portal(logout="form")
    session = account.at(portal.url).session()
    await session.open(Visit(account.browser, page))
    lease = await account.lease_file.load()
    assert lease is not None and lease.sign_out is not None
    assert not await sign_out_over_http(lease.sign_out, [], account.site) or (await counts(portal))[2] == 1
    assert await sign_out_over_http(lease.sign_out, [dict(cookie) for cookie in lease.cookies], account.site)
    assert (await counts(portal))[2] == 0
    async with httpx.AsyncClient(timeout=STEP_S) as client:
        assert (await client.get(portal.url + "/ValuesOnline/vehicle/")).status_code == 302
