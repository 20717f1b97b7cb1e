"""Asks for a report once and streams it into its ``.part`` file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from jdp_scraper.disk import Disk
from jdp_scraper.errors import ForeignAddress, ReportBroken, ReportUnreachable, SessionExpired, VehicleError
from jdp_scraper.pdf import whole
from jdp_scraper.pdf.address import checked, shown
from jdp_scraper.pdf.answer import REDIRECTS, Answer, IsSignIn, check_status, disguise
from jdp_scraper.pdf.circumstances import given_file_name
from jdp_scraper.pdf.cookies import Cookies, cookie_header
from jdp_scraper.pdf.intake import Intake
from jdp_scraper.report_request import ReportRequest

_MAX_HOPS = 5
_KEPT_OF_OTHER = 16 * 1024  # bytes of a body that is no PDF, for whoever looks into the failure
_OTHER_S = 2.0
_NEVER_SENT_ON = {"cookie", "host", "content-length", "accept-encoding"}


@dataclass(frozen=True, slots=True)
class StreamedFile:
    """A whole file that looks like a PDF, durable but not yet proven; ``size`` in bytes, times in seconds.

    ``address`` is the one that answered, after redirects, and ``file_name`` what the portal calls the file.
    """

    path: Path
    size: int
    sha256: str
    seconds_to_first_byte: float
    seconds: float
    address: str = field(default="", repr=False)
    file_name: str = ""


class ReportStream:
    """Fetches reports of the portal at ``origin`` with the cookies that ``cookies`` gives at that moment.

    ``is_sign_in`` gets a page's HTML and its address; before a redirect is followed it gets the address alone, with an
    empty HTML. ``on_set_cookie`` gets every answer that sets a cookie. ``read_timeout_s`` is the longest wait for any
    next byte; there is no limit for the whole, so that a slow report can arrive.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        origin: str,
        cookies: Callable[[], Awaitable[Cookies]],
        disk: Disk,
        is_sign_in: IsSignIn,
        *,
        on_set_cookie: Callable[[httpx.Response], None] | None = None,
        read_timeout_s: float = 60.0,
        max_bytes: int = whole.MAX_BYTES,
    ) -> None:
        self._client = client
        self._origin = httpx.URL(origin)
        self._cookies = cookies
        self._disk = disk
        self._is_sign_in = is_sign_in
        self._on_set_cookie = on_set_cookie
        self._timeout = httpx.Timeout(read_timeout_s, pool=None)
        self._max_bytes = max_bytes

    async def fetch(
        self,
        request: ReportRequest,
        part: Path,
        progress: Callable[[int], None],
        answers: list[Answer] | None = None,
    ) -> StreamedFile:
        """Stream the report into ``part`` and make it durable; ``progress`` gets the bytes of every chunk.

        ``answers`` grows by each answer that came. Nothing is tried twice. Raises ``ReportUnreachable``
        (``ReportStatus`` where a status says why), ``ReportBroken``, ``SessionExpired``, ``ForeignAddress``,
        ``StorageError``; ``part`` is gone then, as it is when this is cancelled.
        """
        intake = Intake(self._disk, part, self._max_bytes)
        answers = [] if answers is None else answers
        began = time.perf_counter()
        try:
            response = await self._ask(request, answers)
            try:
                first_byte = await self._take_in(response, intake, progress, began)
            except VehicleError:
                answers[-1].start = (intake.other or await _start_of(response))[:_KEPT_OF_OTHER]
                raise
            finally:
                answers[-1].received = response.num_bytes_downloaded
                await response.aclose()
        except httpx.HTTPError as error:
            await intake.discard()
            raise ReportUnreachable(_why(error)) from error
        except BaseException:
            await intake.discard()
            raise
        seconds = time.perf_counter() - began
        name = given_file_name(response.headers.get("content-disposition", ""))
        return StreamedFile(part, intake.size, intake.sha256, first_byte, seconds, str(response.url), name)

    async def _take_in(
        self, response: httpx.Response, intake: Intake, progress: Callable[[int], None], began: float
    ) -> float:
        """Take in the body and judge it; return the seconds until its first byte."""
        check_status(response)
        first_byte = 0.0
        async for chunk in response.aiter_bytes():
            first_byte = first_byte or time.perf_counter() - began
            progress(len(chunk))
            await intake.take(chunk)
            if not intake.wants_more:
                break
        if not await intake.finish():
            raise disguise(intake.other, response, self._is_sign_in)
        promised = response.headers.get("content-length", "")
        if promised.isdigit() and int(promised) != response.num_bytes_downloaded:
            raise ReportBroken(f"{response.num_bytes_downloaded} of {promised} bytes came")
        return first_byte

    async def _ask(self, request: ReportRequest, answers: list[Answer]) -> httpx.Response:
        """Return the answer to ``request`` with its body unread, at the end of redirects within the portal."""
        url = checked(request.url, self._origin)
        for _ in range(_MAX_HOPS + 1):
            response = await self._send(url, request)
            answers.append(Answer.of(response))
            if response.status_code not in REDIRECTS or "location" not in response.headers:
                return response
            await response.aclose()
            url = self._next_hop(response)
            if response.status_code not in (307, 308):
                kept = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
                request = replace(request, method="GET", body=None, headers=kept)
        raise ReportUnreachable(f"the portal redirects without end: {shown(url)}")

    def _next_hop(self, response: httpx.Response) -> httpx.URL:
        try:
            target = response.url.join(response.headers["location"])
        except (httpx.InvalidURL, ValueError) as error:
            raise ForeignAddress("the portal redirects to an address that cannot be read") from error
        if self._is_sign_in("", str(target)):
            raise SessionExpired("the portal redirects to its sign-in page")
        return checked(target, self._origin)

    async def _send(self, url: httpx.URL, request: ReportRequest) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NEVER_SENT_ON}
        # Without compression Content-Length tells how much has to come.
        headers["accept-encoding"] = "identity"
        outgoing = self._client.build_request(
            request.method, url, headers=headers, content=request.body, timeout=self._timeout
        )
        # The client's own jar is a copy from earlier answers; the browser's cookies are the live ones.
        outgoing.headers.pop("cookie", None)
        cookie = cookie_header(await self._cookies(), url)
        if cookie:
            outgoing.headers["cookie"] = cookie
        try:
            response = await self._client.send(outgoing, stream=True, follow_redirects=False, auth=None)
        except (
            httpx.InvalidURL
        ) as error:  # the client reads where a redirect leads to, also one that it does not follow
            raise ForeignAddress("the portal redirects to an address that cannot be read") from error
        if self._on_set_cookie is not None and "set-cookie" in response.headers:
            self._on_set_cookie(response)
        return response


async def _start_of(response: httpx.Response) -> bytes:
    """Return the start of a body that nobody has read, as far as it comes soon."""
    start = b""
    if response.is_stream_consumed:
        return start
    try:
        async with asyncio.timeout(_OTHER_S):
            async for chunk in response.aiter_bytes():
                start += chunk
                if len(start) >= _KEPT_OF_OTHER:
                    break
    except (TimeoutError, httpx.HTTPError):
        return start
    return start


def _why(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ReadTimeout):
        return "the portal sent nothing more of the report"
    if isinstance(error, httpx.TimeoutException | httpx.ConnectError):
        return f"the portal cannot be reached for the report: {type(error).__name__}"
    return f"the connection broke while the report came: {type(error).__name__}"
