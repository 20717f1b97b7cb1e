from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from jdp_scraper.disk import Disk, DiskFile
from jdp_scraper.errors import DiskFull, ForeignAddress, ReportBroken, ReportStatus, ReportUnreachable, SessionExpired
from jdp_scraper.pdf.answer import Answer, retry_after_s
from jdp_scraper.pdf.intake import BLOCK
from jdp_scraper.pdf.stream import ReportStream
from jdp_scraper.report_request import ReportRequest

from . import reports
from .conftest import Handler, OffLoopDisk, Portal

PDF = reports.beside("165530")
LONG = PDF + bytes(2 * BLOCK) + PDF[-100:]


def is_sign_in(html: str, url: str) -> bool:
    return "passwordInput" in html or "/sign-in" in url


async def live_cookies() -> dict[str, str]:
    return {"session": "live"}


def ignore(_size: int) -> None:
    pass


def answers(body: bytes, status: int = 200, **headers: str) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handler


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


@pytest.fixture
def stream(client: httpx.AsyncClient, portal: Portal) -> ReportStream:
    return ReportStream(client, portal.origin, live_cookies, OffLoopDisk(), is_sign_in, max_bytes=1_000_000)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "165530.pdf.part"


def ask(portal: Portal, **more: Any) -> ReportRequest:
    return ReportRequest(f"{portal.origin}/GetPdfReport?id=1", **more)


@pytest.mark.parametrize("report", [PDF, LONG], ids=["less than a block", "several blocks"])
async def test_a_report_is_streamed_whole_and_asked_for_once(
    report: bytes, stream: ReportStream, portal: Portal, part: Path
) -> None:
    portal.handler = answers(report)
    seen: list[int] = []
    streamed = await stream.fetch(ask(portal), part, seen.append)
    assert part.read_bytes() == report
    assert (streamed.path, streamed.size, sum(seen)) == (part, len(report), len(report))
    assert streamed.sha256 == hashlib.sha256(report).hexdigest()
    assert 0 < streamed.seconds_to_first_byte <= streamed.seconds
    assert len(portal.asked) == 1


async def test_a_post_is_sent_as_the_page_would(stream: ReportStream, portal: Portal, part: Path) -> None:
    got: list[bytes] = []

    async def handler(request: web.Request) -> web.Response:
        got.append(await request.read())
        return web.Response(body=PDF)

    portal.handler = handler
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": portal.origin, "Cookie": "stale=1"}
    await stream.fetch(ask(portal, method="POST", body=b"a=1", headers=headers), part, ignore)
    (request,) = portal.asked
    assert (request.method, got) == ("POST", [b"a=1"])
    assert request.headers["Referer"] == portal.origin
    assert request.cookies == {"session": "live"}


async def test_a_report_may_drip_as_slowly_as_it_likes(
    client: httpx.AsyncClient, stream: ReportStream, portal: Portal, part: Path
) -> None:
    arrived = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(PDF), 100):
            await response.write(PDF[start : start + 100])
            await arrived.wait()
            arrived.clear()
        return response

    portal.handler = handler
    seen: list[int] = []

    def progress(size: int) -> None:
        seen.append(size)
        arrived.set()

    await stream.fetch(ask(portal), part, progress)
    assert max(seen) <= 100
    assert part.read_bytes() == PDF


async def test_the_live_cookies_are_sent_and_never_the_clients_own(
    client: httpx.AsyncClient, portal: Portal, part: Path
) -> None:
    current = {"session": "one"}
    told: list[str] = []

    async def cookies() -> list[dict[str, object]]:
        return [
            {"name": "session", "value": current["session"], "domain": "127.0.0.1", "path": "/", "secure": False},
            {"name": "narrow", "value": "1", "domain": "127.0.0.1", "path": "/GetPdfReport"},
            {"name": "other", "value": "1", "domain": "ads.example", "path": "/"},
            {"name": "deep", "value": "1", "domain": "", "path": "/GetPdf"},
        ]

    def rotate(response: httpx.Response) -> None:
        told.append(response.headers["set-cookie"])
        current["session"] = "two"

    stream = ReportStream(client, portal.origin, cookies, Disk(), is_sign_in, on_set_cookie=rotate)
    portal.handler = answers(PDF, Set_Cookie="session=from-the-answer; Path=/")
    await stream.fetch(ask(portal), part, ignore)
    await stream.fetch(ask(portal), part, ignore)
    assert [request.headers["Cookie"] for request in portal.asked] == ["narrow=1; session=one", "narrow=1; session=two"]
    assert len(told) == 2


async def test_without_live_cookies_none_is_sent(client: httpx.AsyncClient, portal: Portal, part: Path) -> None:
    async def no_cookies() -> dict[str, str]:
        return {}

    stream = ReportStream(client, portal.origin, no_cookies, Disk(), is_sign_in)
    portal.handler = answers(PDF, Set_Cookie="session=from-the-answer; Path=/")
    await stream.fetch(ask(portal), part, ignore)
    await stream.fetch(ask(portal), part, ignore)
    assert not any(request.cookies for request in portal.asked)


async def test_a_redirect_within_the_portal_is_followed_with_cookies(
    stream: ReportStream, portal: Portal, part: Path
) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/GetPdfReport":
            return web.Response(status=302, headers={"Location": "/files/1.pdf"})
        return web.Response(body=PDF)

    portal.handler = handler
    await stream.fetch(ask(portal, method="POST", body=b"x"), part, ignore)
    assert [(r.method, r.path) for r in portal.asked] == [("POST", "/GetPdfReport"), ("GET", "/files/1.pdf")]
    assert portal.asked[1].cookies == {"session": "live"}


async def test_a_redirect_to_another_origin_is_not_followed(
    stream: ReportStream, portal: Portal, elsewhere: Portal, part: Path
) -> None:
    portal.handler = answers(b"", 302, Location=f"{elsewhere.origin}/report.pdf")
    with pytest.raises(ForeignAddress, match="leads to"):
        await stream.fetch(ask(portal), part, ignore)
    assert elsewhere.asked == []


FOREIGN = [
    "http://127.0.0.1@{elsewhere}/report.pdf",
    "http://{host}@{elsewhere}/report.pdf",
    "http://{host}\\@{elsewhere}/report.pdf",
    "//{elsewhere}/report.pdf",
    "https://{host}/report.pdf",
    "http://localhost:{port}/report.pdf",
    "http://user:secret@{host}/report.pdf",
    "http://{elsewhere}\\@{host}/report.pdf",
    "ftp://{host}/report.pdf",
    "javascript:location='http://{elsewhere}'",
]


@pytest.mark.parametrize("hops", [0, 1])
@pytest.mark.parametrize("address", FOREIGN)
async def test_no_hop_leaves_the_origin_by_host_scheme_port_or_a_name_before_an_at(
    stream: ReportStream, portal: Portal, elsewhere: Portal, part: Path, address: str, hops: int
) -> None:
    host, other = httpx.URL(portal.origin), httpx.URL(elsewhere.origin)
    foreign = address.format(host=host.netloc.decode("ascii"), port=host.port, elsewhere=other.netloc.decode("ascii"))

    async def handler(request: web.Request) -> web.Response:
        on = foreign if len(portal.asked) > hops else f"/GetPdfReport?hop={len(portal.asked)}"
        return web.Response(status=302, headers={"Location": on})

    portal.handler = handler
    with pytest.raises(ForeignAddress):
        await stream.fetch(ask(portal), part, ignore)
    assert (len(portal.asked), elsewhere.asked) == (hops + 1, [])
    portal.asked.clear()
    with pytest.raises(ForeignAddress):
        await stream.fetch(ReportRequest(foreign), part, ignore)
    assert (portal.asked, elsewhere.asked) == ([], [])


async def test_a_portal_behind_https_is_not_left_for_http(client: httpx.AsyncClient, part: Path) -> None:
    stream = ReportStream(client, "https://portal.example", live_cookies, Disk(), is_sign_in)
    with pytest.raises(ForeignAddress, match="leads to http:"):
        await stream.fetch(ReportRequest("http://portal.example/x.pdf"), part, ignore)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/x.pdf", "blob:https://example.com/1", "javascript:alert(1)", "http://[", "//example.com/x"],
)
async def test_a_foreign_address_is_never_asked(stream: ReportStream, part: Path, url: str) -> None:
    with pytest.raises(ForeignAddress):
        await stream.fetch(ReportRequest(url), part, ignore)


async def test_a_portal_that_is_not_this_machine_is_asked_over_https_only(
    client: httpx.AsyncClient, part: Path
) -> None:
    stream = ReportStream(client, "http://portal.example", live_cookies, Disk(), is_sign_in)
    with pytest.raises(ForeignAddress, match="not https"):
        await stream.fetch(ReportRequest("/x.pdf"), part, ignore)


async def test_redirects_without_end_are_given_up(stream: ReportStream, portal: Portal, part: Path) -> None:
    portal.handler = answers(b"", 307, Location="/GetPdfReport")
    with pytest.raises(ReportUnreachable, match="without end"):
        await stream.fetch(ask(portal), part, ignore)


@pytest.mark.parametrize(
    "handler",
    [
        answers(b"", 401),
        answers(b"", 403),
        answers(b"", 302, Location="/sign-in?ReturnUrl=x"),
        answers(b"", 302, Location="https://login.example/sign-in"),
        answers(b"<html><input id='passwordInput'></html>", content_type="text/html"),
    ],
)
async def test_a_sign_in_page_means_that_the_session_has_expired(
    stream: ReportStream, portal: Portal, part: Path, handler: Handler
) -> None:
    portal.handler = handler
    with pytest.raises(SessionExpired):
        await stream.fetch(ask(portal), part, ignore)
    assert not part.exists()


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (404, {}, None),
        (410, {}, None),
        (204, {}, None),
        (429, {"Retry_After": "7"}, 7.0),
        (503, {"Retry_After": "x"}, None),
    ],
)
async def test_a_status_is_told_with_the_wait_it_asks_for(
    stream: ReportStream, portal: Portal, part: Path, status: int, headers: dict[str, str], wait: float | None
) -> None:
    portal.handler = answers(b"", status, **headers)
    with pytest.raises(ReportStatus) as caught:
        await stream.fetch(ask(portal), part, ignore)
    assert isinstance(caught.value, ReportUnreachable)
    assert (caught.value.status, caught.value.retry_after_s) == (status, wait)
    assert "id=1" not in str(caught.value)
    assert len(portal.asked) == 1


def test_retry_after_may_be_a_date() -> None:
    now = datetime(2025, 10, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after_s("Wed, 01 Oct 2025 12:00:30 GMT", now) == 30
    assert retry_after_s("Wed, 01 Oct 2025 11:00:00 GMT", now) == 0
    assert retry_after_s("-5", now) is None
    assert retry_after_s("9" * 400, now) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b"<html><title>Oops &amp;\n sorry</title></html>" + b" " * 2000, "titled 'Oops & sorry'"),
        (b"<p>" + b"x" * 90_000, "titled ''"),
        (b"no report today", "something else"),
        (PDF[:-30], "cut off"),
        (b"%PDF-1.4\n" + b"x" * 2_000_000, "larger than 1000000"),
    ],
)
async def test_what_is_not_a_whole_pdf_is_broken(
    stream: ReportStream, portal: Portal, part: Path, body: bytes, message: str
) -> None:
    portal.handler = answers(body)
    with pytest.raises(ReportBroken, match=message):
        await stream.fetch(ask(portal), part, ignore)
    assert not part.exists()


async def test_a_long_web_page_is_not_read_to_its_end(client: httpx.AsyncClient, portal: Portal, part: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"<html><title>Endless</title>" + b" " * 400_000)
        await portal.gate.wait()
        return response

    portal.handler = handler
    stream = ReportStream(client, portal.origin, live_cookies, Disk(), is_sign_in)
    with pytest.raises(ReportBroken, match="Endless"):
        await stream.fetch(ask(portal), part, ignore)


async def test_a_compressed_report_is_written_as_it_was(stream: ReportStream, portal: Portal, part: Path) -> None:
    portal.handler = answers(gzip.compress(PDF), Content_Encoding="gzip")
    await stream.fetch(ask(portal), part, ignore)
    assert part.read_bytes() == PDF
    assert portal.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("promised", [None, len(PDF)])
@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_breaks_in_mid_pdf_leaves_nothing(
    stream: ReportStream, portal: Portal, part: Path, promised: int | None, reset: bool
) -> None:
    seen = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = promised
        await response.prepare(request)
        await response.write(PDF[:1200])
        await seen.wait()
        assert request.transport is not None
        if reset:
            request.transport.abort()
        else:
            request.transport.close()
        return response

    portal.handler = handler
    with pytest.raises(ReportUnreachable, match="connection broke"):
        await stream.fetch(ask(portal), part, lambda _size: seen.set())
    assert not part.exists()


async def test_silence_ends_at_the_read_timeout(client: httpx.AsyncClient, portal: Portal, part: Path) -> None:
    async def handler(_request: web.Request) -> web.Response:
        await portal.gate.wait()
        return web.Response()

    portal.handler = handler
    stream = ReportStream(client, portal.origin, live_cookies, Disk(), is_sign_in, read_timeout_s=0.1)
    with pytest.raises(ReportUnreachable, match="nothing more"):
        await stream.fetch(ask(portal), part, ignore)


async def test_a_portal_that_is_gone_is_unreachable(
    stream: ReportStream, part: Path, client: httpx.AsyncClient
) -> None:
    stream = ReportStream(client, "http://127.0.0.1:1", live_cookies, Disk(), is_sign_in)
    with pytest.raises(ReportUnreachable, match="cannot be reached"):
        await stream.fetch(ReportRequest("/x.pdf"), part, ignore)


async def test_a_cancelled_report_leaves_nothing(stream: ReportStream, portal: Portal, part: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(LONG[: BLOCK + 1500])
        await portal.gate.wait()
        return response

    portal.handler = handler
    arrived = asyncio.Event()
    fetching = asyncio.create_task(stream.fetch(ask(portal), part, lambda _size: arrived.set()))
    await arrived.wait()
    while not part.exists():
        await asyncio.sleep(0)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert not part.exists()


@pytest.mark.parametrize("report", [PDF, LONG], ids=["less than a block", "several blocks"])
@pytest.mark.parametrize("steps", range(0, 120, 3))
async def test_a_cancellation_at_any_moment_leaves_all_or_nothing(
    report: bytes, stream: ReportStream, portal: Portal, part: Path, steps: int
) -> None:
    portal.handler = answers(report)
    fetching = asyncio.create_task(stream.fetch(ask(portal), part, ignore))
    for _ in range(steps):
        await asyncio.sleep(0)
    fetching.cancel()
    (outcome,) = await asyncio.gather(fetching, return_exceptions=True)
    assert part.exists() == (not isinstance(outcome, asyncio.CancelledError))


class FullFile(DiskFile):
    def sync(self) -> None:
        raise DiskFull


class FullDisk(Disk):
    def open_new(self, path: Path, mode: int | None = None) -> DiskFile:
        return FullFile(path, "wb")


async def test_a_full_disk_is_told_and_leaves_nothing(client: httpx.AsyncClient, portal: Portal, part: Path) -> None:
    portal.handler = answers(PDF)
    stream = ReportStream(client, portal.origin, live_cookies, FullDisk(), is_sign_in)
    with pytest.raises(DiskFull):
        await stream.fetch(ask(portal), part, ignore)
    assert not part.exists()


async def test_answers_tell_what_came(stream: ReportStream, portal: Portal, part: Path) -> None:
    seen: list[Answer] = []
    portal.handler = answers(b"<p>too many</p>", 429, Retry_After="7", Content_Type="text/html")
    with pytest.raises(ReportStatus):
        await stream.fetch(ask(portal), part, ignore, seen)
    (refused,) = seen
    assert (refused.method, refused.status, refused.retry_after) == ("GET", 429, "7")
    assert refused.address == f"{portal.origin}/GetPdfReport"
    assert (refused.content_type, refused.content_length) == ("text/html", "15")
    assert (refused.start, refused.received) == (b"<p>too many</p>", 15)
    portal.handler = answers(b"<p>later</p>")
    with pytest.raises(ReportBroken):
        await stream.fetch(ask(portal), part, ignore, seen)
    assert (seen[-1].status, seen[-1].start) == (200, b"<p>later</p>")
    portal.handler = answers(PDF[:-40])
    with pytest.raises(ReportBroken):
        await stream.fetch(ask(portal), part, ignore, seen)
    assert (seen[-1].start, seen[-1].received) == (b"", len(PDF) - 40)


async def test_a_body_that_hangs_behind_an_error_is_not_waited_for(
    stream: ReportStream, portal: Portal, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jdp_scraper.pdf.stream._OTHER_S", 0.05)
    seen: list[Answer] = []

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        await response.write(b"begin")
        await portal.gate.wait()
        return response

    portal.handler = hang
    with pytest.raises(ReportStatus):
        await stream.fetch(ask(portal), part, ignore, seen)
    assert seen[0].start == b"begin"
