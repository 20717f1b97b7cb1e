"""A report's address learned by clicks, in each of the ways in which a page may open it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from jdp_scraper.browser.catcher import RequestCatcher
from jdp_scraper.browser.console import open_console
from jdp_scraper.browser.pool import PooledPage
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.errors import ReportRefused, StepTimeout, TabAstray
from jdp_scraper.portal.report import learn_report, new_catcher
from jdp_scraper.report_request import ReportRequest

from ..unit.portal.profiles import profile_of
from .conftest import STEP_S, cleaned
from .server import SmallSite
from .test_catcher import ADDRESS, REPORT, WAYS

PROFILE = profile_of(report__clicks=["#first", "#make"])

Learn = Callable[..., Awaitable[ReportRequest]]


@pytest_asyncio.fixture(loop_scope="session")
async def session(shared_either: BrowserSession) -> AsyncIterator[BrowserSession]:
    async with cleaned(shared_either) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="session")
async def pooled(session: BrowserSession) -> PooledPage:
    page = await session.new_page()
    catcher: RequestCatcher = new_catcher(PROFILE, block=False)
    await asyncio.gather(catcher.attach(page), open_console(page))
    return PooledPage(page, catcher)


@pytest.fixture
def learn(pooled: PooledPage, site: SmallSite) -> Learn:
    """Show a page whose second button runs a script, and ask for the report there."""
    site.content(REPORT, b"%PDF-1.7", "application/pdf")
    site.content("/last", "")

    async def ask(script: str, body: str = "") -> ReportRequest:
        await pooled.page.goto(
            site.html(
                "/vehicle",
                f"<button id=first>Reports</button><button id=make hidden>PDF</button>{body}<script>"
                "first.onclick = () => { make.hidden = false };"
                f"make.onclick = () => {{ {script} }};</script>",
            )
        )
        return await learn_report(pooled, PROFILE, STEP_S)

    return ask


@pytest.mark.parametrize("way", WAYS)
async def test_an_address_is_learned_however_the_report_is_opened(way: str, learn: Learn, site: SmallSite) -> None:
    body, script = WAYS[way]
    request = await learn(script, body)
    assert (request.url, request.method, request.body) == (site.url(ADDRESS), "GET", None)
    assert site.asked[REPORT] == 0


OTHER_TABS = [way for way in WAYS if not way.startswith(("the same tab", "a frame", "a script's request"))]


@pytest.mark.parametrize("way", OTHER_TABS)
async def test_no_tab_opens_unseen_once_requests_are_no_longer_paused(
    way: str, learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    await learn(f"window.open('{ADDRESS}')")
    assert not pooled.catcher.pausing.needed
    body, script = WAYS[way]
    if way.startswith("window.open") and "nowhere" not in way:
        assert (await learn(script, body)).url == site.url(ADDRESS)
        assert not pooled.catcher.pausing.needed
    else:
        with pytest.raises(TabAstray, match="another way"):
            await learn(script, body)
        assert (await learn(script, body)).url == site.url(ADDRESS), "requests are paused again"
        await learn(f"window.open('{ADDRESS}')")
        assert pooled.catcher.pausing.needed, "and stay so"
    assert site.asked[REPORT] == 0
    assert len(pooled.page.context.pages) == 1


async def test_requests_stay_paused_where_a_page_opens_other_tabs_too(
    learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    site.html("/help", "<p>help")
    await learn(f"window.open('/help'); window.open('{ADDRESS}')")
    assert pooled.catcher.pausing.needed


async def test_what_a_page_does_with_the_tab_that_was_told_of_does_it_no_harm(
    learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    for _ in range(2):
        await learn(f"const tab = window.open('{ADDRESS}'); tab.document.title = 'Report'; window.went = 'on'")
        assert await pooled.page.evaluate("window.went") == "on"


LED_THERE_AGAIN = {
    "location": "tab.location = '{address}'",
    "href": "tab.location.href = '{address}'",
    "assign": "tab.location.assign('{address}')",
    "replace": "tab.location.replace(new URL('{address}', location))",
    "read first": "if (tab.location.href.includes('GetPdfReport')) tab.location = tab.location.href + '#page=2'",
    "opened again": "window.open('{address}')",
}


@pytest.mark.parametrize("how", LED_THERE_AGAIN)
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
async def test_a_tab_that_is_led_once_more_to_where_it_is_asks_for_nothing(
    how: str, later: bool, learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    use = LED_THERE_AGAIN[how].format(address=ADDRESS)
    use = f"const use = () => {{ {use}; window.used = 'well' }}; " + ("setTimeout(use, 30)" if later else "use()")
    for _ in range(2):
        request = await learn(f"const tab = window.open('{ADDRESS}'); {use}")
        assert request.url == site.url(ADDRESS)
        await pooled.page.wait_for_function("window.used")
        assert await pooled.page.evaluate("window.used") == "well"
        assert len(pooled.page.frames) == 1
        await settled(pooled, site)
    assert not pooled.catcher.pausing.needed
    assert site.asked[REPORT] == 0


@pytest.mark.parametrize("use", ["tab.location = '/wait'", "tab.document.title = 'report'", "tab.location.hash = 'x'"])
async def test_requests_stay_paused_where_a_script_uses_the_tab_in_a_way_that_needs_a_frame(
    use: str, learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    site.html("/wait", "<p>wait")
    for _ in range(2):
        assert (await learn(f"const tab = window.open('{ADDRESS}'); {use}")).url == site.url(ADDRESS)
        assert pooled.catcher.pausing.needed
    assert site.asked[REPORT] == 0


@pytest.mark.parametrize("way", OTHER_TABS)
async def test_what_tries_to_open_the_report_once_more_after_its_address_was_told_asks_for_nothing(
    way: str, learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    await learn(f"window.open('{ADDRESS}')")
    assert not pooled.catcher.pausing.needed
    body, script = WAYS[way]
    again = f"setTimeout(() => {{ try {{ {script} }} finally {{ window.tried = true }} }}, 30)"
    assert (await learn(f"window.open('{ADDRESS}'); {again}", body)).url == site.url(ADDRESS)
    await pooled.page.wait_for_function("window.tried")
    await settled(pooled, site)
    assert site.asked[REPORT] == 0
    assert len(pooled.page.context.pages) == 1


async def settled(pooled: PooledPage, site: SmallSite) -> None:
    """Return once the server has answered something that was asked for after all else."""
    await pooled.page.evaluate("new Promise((done) => setTimeout(done, 100)).then(() => fetch('/last'))")


async def test_a_report_told_by_a_page_that_goes_away_at_once_is_learned(learn: Learn, site: SmallSite) -> None:
    site.html("/other", "<p>other")
    assert (await learn(f"window.open('{ADDRESS}'); location = '/other'")).url == site.url(ADDRESS)


async def test_a_tab_that_a_script_opens_by_its_address_is_no_frame(
    learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    request = await learn(f"setTimeout(() => window.open('{ADDRESS}#page=1'), 50)")
    assert request == ReportRequest(site.url(ADDRESS), headers={"referer": site.url("/vehicle")})
    assert len(pooled.page.frames) == 1


@pytest.mark.parametrize(
    "use",
    [
        "tab.opener = null; tab.focus(); if (tab.closed) throw 1",
        "tab.document.title = 'report'; if (tab.document.title !== 'report') throw 1",
        "tab.addEventListener('load', () => null); tab.name = 'x'",
        "tab.close()",
    ],
)
async def test_a_script_can_use_the_tab_that_it_has_opened(
    use: str, learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    request = await learn(
        f"const tab = window.open('{ADDRESS}'); try {{ {use}; window.used = 'well' }} catch (e) {{ window.used = e }}"
    )
    assert request.url == site.url(ADDRESS)
    assert await pooled.page.evaluate("window.used") == "well"
    assert site.asked[REPORT] == 0


@pytest.mark.parametrize("features", ["noopener,noreferrer", "noreferrer = 0, NoReferrer=1", "width=9 noreferrer=yes"])
async def test_a_tab_without_a_referrer_is_asked_for_without_one(features: str, learn: Learn) -> None:
    request = await learn(f"window.open('{ADDRESS}', '_blank', '{features}')")
    assert request.headers == {}


@pytest.mark.parametrize("features", ["noreferrer=0", "noreferrer,noreferrer=no", "width=600,noreferrers"])
async def test_a_tab_whose_noreferrer_is_off_is_asked_for_with_one(
    features: str, learn: Learn, site: SmallSite
) -> None:
    request = await learn(f"window.open('{ADDRESS}', '_blank', '{features}')")
    assert request.headers == {"referer": site.url("/vehicle")}


@pytest.mark.parametrize(
    ("policy", "sent"),
    [
        ("<meta name=Referrer content=no-referrer>", None),
        ("<meta name=referrer content=origin>", "/"),
        ("<script>make.setAttribute('referrerpolicy', 'origin')</script>", "/vehicle"),
        ("<script>make.setAttribute('rel', 'NoReferrer')</script>", "/vehicle"),
    ],
    ids=["none", "origin", "the control's", "the control's rel"],
)
async def test_a_page_with_a_referrer_policy_leaves_the_referrer_to_the_browser(
    policy: str, sent: str | None, learn: Learn, pooled: PooledPage, site: SmallSite
) -> None:
    request = await learn(f"window.open('{ADDRESS}')", policy)
    assert request.url == site.url(ADDRESS)
    told = {name.lower(): value for name, value in request.headers.items()}
    assert told == ({"referer": site.url(sent)} if sent else {})
    assert len(pooled.page.frames) == 2, "the browser was not asked"


async def test_an_address_that_holds_what_is_wanted_in_its_fragment_alone_is_no_report(
    learn: Learn, site: SmallSite
) -> None:
    site.html("/wait", f"<script>setTimeout(() => {{ location = '{ADDRESS}' }}, 100)</script>")
    request = await learn("window.open('/wait#GetPdfReport')")
    assert request.url == site.url(ADDRESS)


async def test_a_report_that_an_earlier_control_opens_is_caught_at_the_browser(
    pooled: PooledPage, site: SmallSite
) -> None:
    site.content(REPORT, b"%PDF-1.7", "application/pdf")
    await pooled.page.goto(
        site.html(
            "/vehicle",
            "<button id=first>Reports</button><button id=make hidden>PDF</button><script>window.made = 0;"
            f"first.onclick = () => {{ window.open('{ADDRESS}'); make.hidden = false }};"
            "make.onclick = () => { window.made += 1 };</script>",
        )
    )
    request = await learn_report(pooled, PROFILE, STEP_S)
    assert request.url == site.url(ADDRESS)
    assert len(pooled.page.frames) == 2, "the script took the earlier control's tab"
    assert site.asked[REPORT] == 0


async def test_a_tab_of_another_address_is_followed_to_where_it_leads(learn: Learn, site: SmallSite) -> None:
    site.html("/wait", f"<script>setTimeout(() => {{ location = '{ADDRESS}' }}, 100)</script>")
    request = await learn("window.open('/wait')")
    assert request.url == site.url(ADDRESS)
    assert request.headers["Referer"] == site.url("/wait")


async def test_a_page_in_the_vehicle_s_place_that_leads_to_the_report_is_followed(
    learn: Learn, site: SmallSite
) -> None:
    site.html("/wait", f"<script>setTimeout(() => {{ location = '{ADDRESS}' }}, 300)</script>")
    request = await learn("location = '/wait'")
    assert request.url == site.url(ADDRESS)


async def test_an_error_page_in_the_vehicle_s_place_is_a_refusal(learn: Learn, site: SmallSite) -> None:
    site.html("/busy", "<p>busy", status=503)
    with pytest.raises(ReportRefused, match="status 503"):
        await learn("location = '/busy'")


async def test_a_page_that_moves_on_before_the_last_click_ends_the_wait_at_once(
    pooled: PooledPage, site: SmallSite
) -> None:
    site.html("/other", "<p>other")
    await pooled.page.goto(site.html("/vehicle", "<button id=first onclick=\"location = '/other'\">Reports</button>"))
    began = time.perf_counter()
    with pytest.raises(StepTimeout, match="report: "):
        await learn_report(pooled, PROFILE, STEP_S)
    assert time.perf_counter() - began < STEP_S
