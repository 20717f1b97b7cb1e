"""Requests caught before they leave the browser, in each of the ways in which a site asks for a report.

Every test runs with the headless shell and, where one is installed, with full Chromium.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Download, Page

from jdp_scraper.browser.catcher import Refusal, RequestCatcher
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.report_request import ReportRequest

from .conftest import cleaned
from .server import SmallSite

REPORT = "/GetPdfReport"
ADDRESS = f"{REPORT}?id=7&kind=full"
SOON_S = 60.0
ASKING = "window.jdpAsking = true"  # what the script that asks for a report says


@dataclass
class Opener:
    """A page with its catcher, and what it may be asked for."""

    page: Page
    catcher: RequestCatcher
    site: SmallSite
    popups: asyncio.Queue[Page]

    async def show(self, body: str, path: str = "/vehicle") -> None:
        await self.page.goto(self.site.html(path, body))

    async def run(self, script: str) -> None:
        await self.page.evaluate(f"() => {{ {script} }}")

    async def caught(self) -> ReportRequest:
        """Wait for the request; a tab that opens instead ends the wait."""
        caught = asyncio.ensure_future(self.catcher.next())
        popup = asyncio.ensure_future(self.popups.get())
        done, left = await asyncio.wait([caught, popup], timeout=SOON_S, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        assert done == {caught}, "a tab was opened" if done else "nothing was caught"
        found = caught.result()
        assert isinstance(found, ReportRequest)
        return found

    async def settled(self) -> None:
        """Return once the server has answered something that was asked for after all else."""
        await self.page.evaluate("fetch('/last').then((answer) => answer.text())")

    async def nothing_left(self, path: str = "/vehicle") -> None:
        """Check that the server saw nothing, no tab opened, and the page is where it was."""
        await self.settled()
        assert self.site.asked[REPORT] == 0
        assert self.popups.empty()
        assert self.page.url == self.site.url(path)
        assert await self.page.evaluate("document.title") == path


@pytest_asyncio.fixture(loop_scope="session")
async def session(shared_either: BrowserSession) -> AsyncIterator[BrowserSession]:
    async with cleaned(shared_either) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="session")
async def opener(session: BrowserSession, site: SmallSite) -> Opener:
    site.content(REPORT, b"%PDF-1.7", "application/pdf")
    site.content("/last", "")
    page = await session.new_page()
    popups: asyncio.Queue[Page] = asyncio.Queue()

    def note(popup: Page) -> None:
        popups.put_nowait(popup)

    page.on("popup", note)
    catcher = RequestCatcher("GetPdfReport", blocked=("/tracker/",))
    await catcher.attach(page)
    return Opener(page, catcher, site, popups)


LINK = f"<a id=x href='{ADDRESS}' target=_blank><b>PDF</b></a>"
FORM = f"<form id=x action='{REPORT}' target=_blank><input name=id value=7><input name=kind value=full>"
MADE_LINK = f"const a = document.createElement('a'); a.href = '{ADDRESS}'; a.target = '_blank';"
MADE_FORM = f"""
    const form = document.createElement('form');
    form.action = '{REPORT}';
    form.target = '_blank';
    form.innerHTML = '<input name=id value=7><input name=kind value=full>';
    document.body.append(form);
"""
WAYS = {
    "window.open": ("", f"window.open('{ADDRESS}')"),
    "window.open with a name": ("", f"window.open('{ADDRESS}', 'report', 'width=600')"),
    "window.open of a whole address": ("", f"window.open(new URL('{ADDRESS}', location))"),
    "window.open later": ("", f"setTimeout(() => window.open('{ADDRESS}'), 20)"),
    "window.open to nowhere, location": ("", f"const w = window.open(''); w.location = '{ADDRESS}'"),
    "window.open to nowhere, href": ("", f"const w = window.open(); w.location.href = '{ADDRESS}'"),
    "window.open to nowhere, assign": ("", f"const w = window.open('about:blank'); w.location.assign('{ADDRESS}')"),
    "window.open to nowhere, replace": ("", f"const w = window.open(''); w.location.replace('{ADDRESS}')"),
    "window.open to nowhere, later": (
        "",
        f"const w = window.open('', '_blank'); fetch('/last').then(() => {{ w.location = '{ADDRESS}' }})",
    ),
    "window.open to nowhere, a form written": (
        "",
        f"""const w = window.open('');
            w.document.write('<form action="{REPORT}"><input name=id value=7><input name=kind value=full></form>');
            w.document.close();
            w.document.forms[0].submit();""",
    ),
    "a form's submit()": (f"{FORM}</form>", "document.getElementById('x').submit()"),
    "a form's requestSubmit()": (f"{FORM}</form>", "document.getElementById('x').requestSubmit()"),
    "a form made on the fly": ("", f"{MADE_FORM} form.submit(); form.remove()"),
    "a link's click()": (LINK, "document.getElementById('x').click()"),
    "a link's click() from within": (
        LINK,
        "document.querySelector('b').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))",
    ),
    "a link made and attached": ("", f"{MADE_LINK} document.body.append(a); a.click(); a.remove()"),
    "a link made and never attached": ("", f"{MADE_LINK} a.click()"),
    "a link never attached, by an event": ("", f"{MADE_LINK} a.dispatchEvent(new MouseEvent('click'))"),
    "a link with a named target": (LINK.replace("_blank", "report"), "document.getElementById('x').click()"),
    "a link with rel": (
        LINK.replace("target", "rel='noopener noreferrer' target"),
        "document.getElementById('x').click()",
    ),
    "a link in a shadow": (
        "<p id=host>",
        f"""const root = document.getElementById('host').attachShadow({{ mode: 'open' }});
            root.innerHTML = "{LINK.replace("'", "")}";
            root.querySelector('a').click()""",
    ),
    "the same tab, location": ("", f"location.href = '{ADDRESS}'"),
    "the same tab, a link": (LINK.replace("target=_blank", ""), "document.getElementById('x').click()"),
    "the same tab, a form": (FORM.replace("target=_blank", "") + "</form>", "document.getElementById('x').submit()"),
    "a frame": ("", f"const f = document.createElement('iframe'); f.src = '{ADDRESS}'; document.body.append(f)"),
    "a script's request": ("", f"fetch('{ADDRESS}').catch(() => null)"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_report_is_caught_however_it_is_asked_for(way: str, opener: Opener) -> None:
    body, script = WAYS[way]
    await opener.show(body)
    await opener.run(script)
    caught = await opener.caught()
    assert (caught.url, caught.method, caught.body) == (opener.site.url(ADDRESS), "GET", None)
    await opener.nothing_left()


@pytest.mark.parametrize(
    "way", ["window.open", "window.open to nowhere, location", "a form's submit()", "a link's click()"]
)
async def test_each_of_several_reports_on_a_page_is_caught(way: str, opener: Opener) -> None:
    body, script = WAYS[way]
    await opener.show(body)
    for number in range(3):
        await opener.run(script.replace("id=7", f"id={number}"))
        assert (await opener.caught()).url.startswith(opener.site.url(f"{REPORT}?id="))
        await opener.settled()  # the browser takes the same address asked for twice at once for one request
    await opener.nothing_left()


@pytest.mark.parametrize(
    "body",
    [
        LINK,
        f"{FORM}<button>PDF</button></form>",
        f"{FORM.replace('target=_blank', '')}<button formtarget=_blank>PDF</button></form>",
        f"<button onclick=\"window.open('{ADDRESS}')\">PDF</button>",
        f"<a href='{ADDRESS}' onclick=\"this.target = '_blank'\">PDF</a>",
        f"<base target=_blank><a href='{ADDRESS}'>PDF</a>",
        f"<map name=m><area shape=default href='{ADDRESS}' target=_blank></map><img usemap=#m width=40 height=40>",
    ],
    ids=["link", "submit button", "formtarget", "script", "target set at the click", "base target", "image map"],
)
async def test_a_report_asked_for_by_a_real_mouse_is_caught(body: str, opener: Opener) -> None:
    await opener.show(body)
    await opener.page.locator("button, a, img").first.click()
    assert (await opener.caught()).url == opener.site.url(ADDRESS)
    await opener.nothing_left()


async def test_a_report_sent_as_an_attachment_is_caught_and_nothing_is_downloaded(opener: Opener) -> None:
    headers = {"Content-Disposition": "attachment; filename=r.pdf"}
    opener.site.content(REPORT, b"%PDF-1.7", "application/pdf", headers=headers)
    downloads: list[Download] = []

    def note(download: Download) -> None:
        downloads.append(download)

    opener.page.on("download", note)
    await opener.show(f"<a download id=x href='{ADDRESS}'>PDF</a>")
    await opener.run("document.getElementById('x').click()")
    assert (await opener.caught()).url == opener.site.url(ADDRESS)
    await opener.nothing_left()
    assert [await download.failure() for download in downloads] == ["canceled"] * len(downloads)


async def test_a_report_behind_a_redirect_is_caught_where_it_leads(opener: Opener) -> None:
    async def redirect(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(ADDRESS)

    opener.site.pages["/make"] = redirect
    await opener.show("<form id=x method=post action=/make target=_blank></form>")
    await opener.run("document.getElementById('x').submit()")
    caught = await opener.caught()
    assert (caught.url, caught.method, caught.body) == (opener.site.url(ADDRESS), "GET", None)
    assert opener.site.asked["/make"] == 1
    await opener.nothing_left()


@pytest.mark.parametrize(
    "submit", ["document.getElementById('x').submit()", "document.querySelector('button').click()"]
)
async def test_a_form_s_method_body_and_kind_are_kept(submit: str, opener: Opener) -> None:
    await opener.show(
        f"<form id=x method=post action='{REPORT}?a=1' target=_blank>"
        "<input name=id value='7 &amp; 8'><input name=name value='&eacute;'><button>PDF</button></form>"
    )
    await opener.run(submit)
    caught = await opener.caught()
    assert (caught.url, caught.method) == (opener.site.url(f"{REPORT}?a=1"), "POST")
    assert caught.body == b"id=7+%26+8&name=%C3%A9"
    headers = {name.lower(): value for name, value in caught.headers.items()}
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["referer"] == opener.site.url("/vehicle")
    await opener.nothing_left()


async def test_a_form_in_parts_is_kept_as_it_is(opener: Opener) -> None:
    await opener.show(
        f"<form id=x method=post enctype=multipart/form-data action='{REPORT}' target=_blank>"
        "<input name=id value=7></form>"
    )
    await opener.run("document.getElementById('x').submit()")
    caught = await opener.caught()
    kind = {name.lower(): value for name, value in caught.headers.items()}["content-type"]
    boundary = kind.partition("boundary=")[2].encode()
    assert caught.body is not None
    assert caught.body.startswith(b"--" + boundary) and b'name="id"\r\n\r\n7\r\n' in caught.body


async def test_what_a_request_carries_of_cookies_is_not_kept(opener: Opener) -> None:
    await opener.show(LINK)
    await opener.page.context.add_cookies([{"name": "auth", "value": "secret", "url": opener.site.origin}])
    await opener.run("document.getElementById('x').click()")
    caught = await opener.caught()
    assert {name.lower() for name in caught.headers} <= {"referer", "content-type"}
    assert "secret" not in repr(caught)


@pytest.mark.parametrize("name", ["viewer", "Viewer"])
async def test_a_frame_of_the_page_s_own_stays_the_target_of_its_links(name: str, opener: Opener) -> None:
    opener.site.html("/details", "<p>details")
    await opener.show(f"<iframe name={name}></iframe><a id=x href=/details target={name}>details</a>")
    await opener.run("document.getElementById('x').click()")
    await opener.page.frame_locator(f"iframe[name={name}]").locator("p").wait_for()
    assert opener.popups.empty()


@pytest.mark.parametrize("target", ["_self", "_top"])
async def test_window_open_in_the_same_tab_stays_in_the_same_tab(target: str, opener: Opener) -> None:
    opener.site.html("/other", "<p>other")
    await opener.show("")
    await opener.run(f"window.open('/other', '{target}')")
    await opener.page.wait_for_url(opener.site.url("/other"))


async def test_a_tab_that_shows_something_else_opens_no_tab_either(opener: Opener) -> None:
    opener.site.html("/help", "<p>help")
    await opener.show("<a id=x href=/help target=_blank>help</a>")
    await opener.run("document.getElementById('x').click()")
    await opener.page.frame_locator("iframe").locator("p").wait_for(state="attached")
    await opener.nothing_left()
    assert opener.site.asked["/help"] == 1


async def test_a_form_that_the_page_sends_by_script_itself_is_left_alone(opener: Opener) -> None:
    opener.site.content("/save", "saved")
    await opener.show(
        "<form id=x action=/elsewhere><button>save</button></form><p id=said></p><script>"
        "x.addEventListener('submit', async (event) => { event.preventDefault();"
        " said.textContent = await (await fetch('/save')).text(); })</script>"
    )
    await opener.page.click("button")
    await opener.page.locator("#said:has-text('saved')").wait_for()
    assert opener.site.asked["/elsewhere"] == 0


@pytest.mark.parametrize("status", [401, 429, 500, 503])
@pytest.mark.parametrize("by", ["fetch", "XMLHttpRequest"])
async def test_a_refusal_of_the_page_s_own_request_is_told(by: str, status: int, opener: Opener) -> None:
    opener.site.content("/create", "no", status=status)
    await opener.show("")
    await opener.run(ASKING)
    script = "fetch('/create', { method: 'POST' })"
    if by == "XMLHttpRequest":
        script = "const r = new XMLHttpRequest(); r.open('POST', '/create'); r.send()"
    await opener.run(script)
    async with asyncio.timeout(SOON_S):
        assert await opener.catcher.next() == Refusal(status)


@pytest.mark.parametrize("by", ["fetch", "XMLHttpRequest"])
async def test_a_refusal_brings_the_wait_that_the_portal_asks_for(by: str, opener: Opener) -> None:
    opener.site.content("/create", "no", status=429, headers={"Retry-After": "17"})
    await opener.show("")
    script = "fetch('/create', { method: 'POST' })"
    if by == "XMLHttpRequest":
        script = "const r = new XMLHttpRequest(); r.open('POST', '/create'); r.send()"
    await opener.run(f"{ASKING}; {script}")
    async with asyncio.timeout(SOON_S):
        assert await opener.catcher.next() == Refusal(429, "17")


@pytest.mark.parametrize("by", ["fetch", "XMLHttpRequest"])
async def test_a_request_of_the_page_that_breaks_is_told_as_a_refusal_without_a_status(by: str, opener: Opener) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    opener.site.pages["/create"] = broken
    await opener.show("")
    script = "fetch('/create', { method: 'POST' }).catch(() => null)"
    if by == "XMLHttpRequest":
        script = "const r = new XMLHttpRequest(); r.open('POST', '/create'); r.send()"
    await opener.run(f"{ASKING}; {script}")
    async with asyncio.timeout(SOON_S):
        assert await opener.catcher.next() == Refusal(0)


async def test_what_is_blocked_or_given_up_by_the_page_is_no_refusal(opener: Opener) -> None:
    opener.site.hanging("/slow")
    await opener.show("")
    await opener.run(
        f"{ASKING}; const given_up = new AbortController();"
        "fetch('/slow', { signal: given_up.signal }).catch(() => null); given_up.abort();"
        "fetch('http://blocked.invalid/count').catch(() => null)"
    )
    await opener.settled()
    await opener.run(f"setTimeout(() => window.open('{ADDRESS}'), 1500)")
    assert (await opener.caught()).url == opener.site.url(ADDRESS)


@pytest.mark.parametrize("target", ["_blank", "_self"])
@pytest.mark.parametrize("body", ["<p>Sorry", ""])
@pytest.mark.parametrize("status", [429, 500])
async def test_a_form_that_is_answered_with_an_error_is_a_refusal(
    status: int, body: str, target: str, opener: Opener
) -> None:
    opener.site.content("/make", body, status=status)
    await opener.show(f"<form id=x method=post action=/make target={target}></form>")
    await opener.run(f"{ASKING}; document.getElementById('x').submit()")
    async with asyncio.timeout(SOON_S):
        assert await opener.catcher.next() == Refusal(status)


async def test_a_refusal_before_a_report_is_asked_for_is_not_told(opener: Opener) -> None:
    opener.site.content("/beat", "no", status=500)
    await opener.show("")
    await opener.run("fetch('/beat')")
    await opener.settled()
    await opener.run(f"{ASKING}; window.open('{ADDRESS}')")
    assert (await opener.caught()).url == opener.site.url(ADDRESS)


async def test_answers_that_are_no_refusals_are_not_told(opener: Opener) -> None:
    opener.site.content("/create", "yes")

    async def redirect(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/create")

    opener.site.pages["/moved"] = redirect
    await opener.show("<img src=/none.png>")
    await opener.run(f"{ASKING}; fetch('/create'); fetch('/moved')")
    await opener.settled()
    await opener.run(f"setTimeout(() => window.open('{ADDRESS}'), 400)")
    assert (await opener.caught()).url == opener.site.url(ADDRESS)


async def test_a_refusal_beside_the_report_s_own_request_is_not_taken_for_its_answer(opener: Opener) -> None:
    opener.site.content("/beat", "no", status=500)
    await opener.show("")
    await opener.run(f"{ASKING}; fetch('/beat').then(() => fetch('/last')).then(() => window.open('{ADDRESS}'))")
    assert (await opener.caught()).url == opener.site.url(ADDRESS)


async def test_a_request_that_stays_open_does_not_hide_a_refusal(opener: Opener) -> None:
    opener.site.hanging("/events", b"begun")
    opener.site.content("/create", "no", status=500)
    await opener.show("")
    await opener.run("const poll = new XMLHttpRequest(); poll.open('GET', '/events'); poll.send()")
    await opener.run(f"{ASKING}; fetch('/create', {{ method: 'POST' }})")
    async with asyncio.timeout(SOON_S):
        assert await opener.catcher.next() == Refusal(500)


async def test_what_was_caught_before_is_forgotten(opener: Opener) -> None:
    await opener.show("")
    await opener.run(f"window.open('{ADDRESS}&old=1')")
    await opener.caught()
    await opener.settled()
    await opener.run(f"window.open('{ADDRESS}&old=2')")
    await opener.settled()
    assert await opener.catcher.make_ready()
    await opener.run(f"window.open('{ADDRESS}&new=1')")
    assert (await opener.caught()).url.endswith("new=1")


async def test_blocked_addresses_never_reach_the_server_and_all_else_does(opener: Opener) -> None:
    opener.site.content("/tracker/count.js", "document.title = 'tracked'", "text/javascript")
    opener.site.content("/app.js", "document.body.dataset.app = 'here'", "text/javascript")
    opener.site.content("/data", "7")
    await opener.show("<body><script src=/tracker/count.js></script><script src=/app.js></script>")
    assert await opener.page.evaluate("document.body.dataset.app") == "here"
    assert await opener.page.evaluate("fetch('/data?from=/other').then((answer) => answer.text())") == "7"
    assert await opener.page.evaluate("fetch('/tracker/beat').then(() => 'sent', () => 'blocked')") == "blocked"
    await opener.nothing_left()
    assert not [path for path in opener.site.asked if "tracker" in path]


async def test_the_browser_s_cache_stays_on(opener: Opener) -> None:
    headers = {"Cache-Control": "max-age=3600"}
    opener.site.content("/grid.js", "window.grid = true", "text/javascript", headers=headers)
    for number in range(4):
        await opener.show("<script src=/grid.js></script>", f"/page{number}")
        assert await opener.page.evaluate("window.grid")
    assert opener.site.asked["/grid.js"] == 1


async def test_two_pages_catch_each_its_own(opener: Opener, session: BrowserSession) -> None:
    other = Opener(await session.new_page(), RequestCatcher("GetPdfReport"), opener.site, asyncio.Queue())
    await other.catcher.attach(other.page)
    await opener.show("", "/one")
    await other.show("", "/two")
    await asyncio.gather(
        *(
            one.run(f"fetch('/last').then(() => window.open('{REPORT}?id={number}'))")
            for number, one in enumerate((opener, other))
        )
    )
    assert [(await one.caught()).url for one in (opener, other)] == [
        opener.site.url(f"{REPORT}?id=0"),
        opener.site.url(f"{REPORT}?id=1"),
    ]


@pytest.mark.parametrize("wanted", ["Report?id=7", "Get*Pdf", "a\\b"])
async def test_signs_with_a_meaning_in_patterns_are_taken_as_they_are(
    wanted: str, session: BrowserSession, site: SmallSite
) -> None:
    page = await session.new_page()
    catcher = RequestCatcher(wanted)
    await catcher.attach(page)
    site.content("/GetXPdf", "passed")
    site.content("/Report", "passed")
    await page.goto(site.html("/", ""))
    assert await page.evaluate("fetch('/GetXPdf?Report=id=7').then((answer) => answer.text())") == "passed"
    await page.evaluate(f"fetch('/x?y={wanted}'.replace('\\\\', '\\\\\\\\')).catch(() => null)")
    if "\\" not in wanted:
        async with asyncio.timeout(SOON_S):
            assert isinstance(await catcher.next(), ReportRequest)
        assert site.asked["/x"] == 0


async def test_without_an_address_to_catch_the_page_is_left_as_it_is(session: BrowserSession, site: SmallSite) -> None:
    page = await session.new_page()
    await RequestCatcher(None).attach(page)
    await page.goto(site.html("/", ""))
    assert await page.evaluate("window.open.toString().includes('native code')")
