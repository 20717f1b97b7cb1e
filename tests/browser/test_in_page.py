"""Steps on a page: bounded from outside, and every failure named once."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.browser.console import evaluate, open_console
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.errors import PageLost, PortalAnswered, StepTimeout
from jdp_scraper.portal.in_page import click, open_address, page_step, run_across_navigation, run_script

from .server import SmallSite
from .test_pool import BUSY, crash, keep_busy

SHORT_S = 0.3
LONG_S = 60.0  # for what comes at once: only how long a failure takes


@pytest_asyncio.fixture(loop_scope="session", params=["by Playwright", "by its console"])
async def page(page: Page, request: pytest.FixtureRequest) -> Page:
    """A page whose scripts are run in either of the two ways, which come to the same."""
    if request.param == "by its console":
        await open_console(page)
    return page


def control(css: str, text: str | None = None, contains: str | None = None) -> dict[str, str | None]:
    return {"css": css, "text": text, "contains": contains}


async def test_a_page_busy_in_a_script_ends_in_a_timeout_within_its_bound(page: Page, site: SmallSite) -> None:
    await keep_busy(page, site)
    began = asyncio.get_running_loop().time()
    with pytest.raises(StepTimeout, match=r"^grid: no answer within"):
        async with page_step("grid", SHORT_S):
            await run_script(page, "await_any", controls=[control("p")], time=SHORT_S * 1000)
    assert asyncio.get_running_loop().time() - began < LONG_S


async def test_what_never_shows_is_told_by_its_selector(page: Page, site: SmallSite) -> None:
    await page.goto(site.html("/", "<p>fine"))
    with pytest.raises(StepTimeout, match=r"^report: .*not shown: #none \(Create PDF\)$"):
        async with page_step("report", LONG_S):
            await run_script(page, "await_any", controls=[control("#none", contains="Create PDF")], time=100)


async def test_a_page_that_is_closed_under_a_step_is_lost(page: Page, site: SmallSite) -> None:
    await page.goto(site.html("/", ""))
    waiting = asyncio.ensure_future(run_script(page, "await_any", controls=[control("#none")], time=60_000))
    await page.evaluate("1")
    with pytest.raises(PageLost, match=r"^grid: the page was lost"):
        async with page_step("grid", LONG_S):
            await page.close()
            await waiting


async def test_a_page_that_crashes_is_lost(page: Page, site: SmallSite) -> None:
    await crash(page, site)
    with pytest.raises(PageLost):
        async with page_step("grid", LONG_S):
            await page.evaluate("1")


async def test_what_is_handed_over_to_a_script_stays_a_value(page: Page, site: SmallSite) -> None:
    await page.goto(site.html("/", ""))
    hostile = {
        "text": "'\"`${window.bad = 1}\\</script>\u2028\u00e4\U0001f697",
        "list": [None, True, 1.5],
        "__proto__": "x",
    }
    assert await evaluate(page, "async (given) => JSON.stringify(given.text)", hostile) == json.dumps(
        hostile["text"], ensure_ascii=False
    )
    assert await evaluate(page, "async (given) => given.list", hostile) == hostile["list"]
    assert await page.evaluate("window.bad === undefined")


async def test_a_page_that_crashes_under_a_script_is_lost_at_once(page: Page, site: SmallSite) -> None:
    await page.goto(site.html("/", ""))
    waiting = asyncio.ensure_future(run_script(page, "await_any", controls=[control("#none")], time=60_000))
    await page.evaluate("1")
    await crash(page, site)
    with pytest.raises(PageLost, match=r"^grid: the page was lost"):
        async with page_step("grid", 30):
            await waiting


async def test_a_script_goes_on_in_the_document_that_the_page_moved_to(page: Page, site: SmallSite) -> None:
    site.html("/second", "<p id=there>there")
    await page.goto(site.html("/first", ""))
    waiting = asyncio.ensure_future(
        run_across_navigation(page, "await_any", controls=[control("#none"), control("#there")], time=LONG_S * 1000)
    )
    await page.evaluate("setTimeout(() => location.assign('/second'), 50)")
    assert await waiting == 1


async def test_a_script_goes_on_over_several_documents(page: Page, site: SmallSite) -> None:
    for number in range(1, 5):
        site.html(f"/{number}", f"<script>setTimeout(() => location.replace('/{number + 1}'), 20)</script>")
    site.html("/5", "<p id=there>there")
    await page.goto(site.url("/1"))
    assert await run_across_navigation(page, "await_any", controls=[control("#there")], time=LONG_S * 1000) == 0
    assert page.url == site.url("/5")


async def test_another_failure_of_a_script_is_not_taken_for_a_move(page: Page, site: SmallSite) -> None:
    await page.goto(site.html("/", ""))
    with pytest.raises(PlaywrightError, match="not shown"):
        await run_across_navigation(page, "await_any", controls=[control("#none")], time=50)


async def test_opening_returns_at_the_first_byte(page: Page, site: SmallSite) -> None:
    address = site.hanging("/", b"<p id=head>the rest never comes")
    async with asyncio.timeout(LONG_S):
        response = await open_address(page, address, "grid", LONG_S)
    assert response is not None and response.status == 200


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [(429, "7", 7.0), (503, "120", 120.0), (500, None, None), (404, None, None), (401, None, None)],
)
async def test_an_error_page_is_told_with_its_status_and_the_wait_it_asks_for(
    status: int, header: str | None, wait: float | None, page: Page, site: SmallSite
) -> None:
    headers = {"Retry-After": header} if header else None
    with pytest.raises(PortalAnswered, match=rf"^grid: the portal answered with status {status}$") as caught:
        await open_address(page, site.html("/", "no", status=status, headers=headers), "grid", LONG_S)
    assert (caught.value.status, caught.value.retry_after_s) == (status, wait)


async def test_a_portal_that_refuses_the_connection_has_answered_nothing(page: Page, site: SmallSite) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(PortalAnswered, match=r"^grid: net::ERR_CONNECTION_REFUSED") as caught:
            await open_address(page, address, "grid", LONG_S)
    assert caught.value.status is None


async def test_a_portal_that_cuts_the_connection_has_answered_nothing(page: Page, site: SmallSite) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    site.pages["/cut"] = cut
    with pytest.raises(PortalAnswered, match=r"^grid: net::"):
        await open_address(page, site.url("/cut"), "grid", LONG_S)


async def test_a_portal_that_never_answers_ends_in_a_timeout(page: Page, site: SmallSite) -> None:
    with pytest.raises(StepTimeout, match=r"^grid: "):
        await open_address(page, site.hanging("/"), "grid", SHORT_S)
    async with asyncio.timeout(LONG_S):
        await page.close()


async def test_a_click_waits_until_the_page_s_scripts_have_set_it_up(page: Page, site: SmallSite) -> None:
    site.content("/app.js", "x.onclick = () => { document.title = 'clicked' }", "text/javascript")
    slow = site.pages["/app.js"]
    asked = asyncio.Event()

    async def late(request: web.Request) -> web.StreamResponse:
        await asked.wait()
        return await slow(request)

    site.pages["/app.js"] = late
    address = site.html("/", "<button id=x>go</button><script src=/app.js></script>")
    await page.goto(address, wait_until="commit")
    clicking = asyncio.ensure_future(click(page, control("#x"), LONG_S))
    while not site.asked["/app.js"]:
        await asyncio.sleep(0)
    asked.set()
    await clicking
    assert await page.title() == "clicked"


async def test_a_click_that_takes_the_page_away_is_done(page: Page, site: SmallSite) -> None:
    site.html("/next", "<p>next")
    await page.goto(site.html("/", "<a href=/next>next</a>"))
    await click(page, control("a"), LONG_S, mark=True)
    await page.wait_for_url(site.url("/next"))
    assert await page.evaluate("window.jdpBefore === undefined")


@pytest.mark.parametrize(
    ("body", "wanted", "found"),
    [
        ("<button hidden>a</button><button id=x>a</button>", control("button"), True),
        ("<button style='display: none'>a</button>", control("button"), False),
        ("<button style='visibility: hidden'>a</button>", control("button"), False),
        ("<button>Create \n PDF</button>", control("button", "create pdf"), True),
        ("<button>Create PDF now</button>", control("button", "Create PDF"), False),
        ("<button>Create PDF now</button>", control("button", None, "create pdf"), True),
        ("<input type=button value='Create PDF'>", control("input", "Create PDF"), True),
        ("<button><img></button>", control("button:has(img)"), True),
    ],
)
async def test_a_control_is_found_by_selector_and_text_where_it_shows(
    body: str, wanted: dict[str, str | None], found: bool, page: Page, site: SmallSite
) -> None:
    await page.goto(site.html("/", body))
    looking = run_script(page, "await_any", controls=[wanted], time=0)
    if found:
        assert await looking == 0
    else:
        with pytest.raises(PlaywrightError, match="not shown"):
            await looking


async def test_what_shows_only_later_is_waited_for(page: Page, site: SmallSite) -> None:
    await page.goto(site.html("/", "<p id=x hidden>late<script>setTimeout(() => { x.hidden = false }, 60)</script>"))
    assert await run_script(page, "await_any", controls=[control("#none"), control("#x")], time=LONG_S * 1000) == 1


async def test_a_busy_page_can_still_be_closed(browser: BrowserSession, site: SmallSite) -> None:
    page = await browser.new_page()
    await page.goto(site.html("/", BUSY))
    async with asyncio.timeout(LONG_S):
        await page.close()
