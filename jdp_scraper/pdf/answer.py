"""What an answer that is not a PDF means."""

from __future__ import annotations

import email.utils
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from selectolax.lexbor import LexborHTMLParser

from jdp_scraper.errors import ReportBroken, ReportStatus, SessionExpired, VehicleError
from jdp_scraper.pdf.address import shown

IsSignIn = Callable[[str, str], bool]
REDIRECTS = {301, 302, 303, 307, 308}
_SIGNED_OUT = {401, 403}


@dataclass(slots=True)
class Answer:
    """What an answer to a report's request was: as far as it came, for whoever asks why there is no report.

    ``address`` is without its query; ``received`` counts the body's bytes; ``start`` is the begin of a body that was no
    PDF.
    """

    method: str
    address: str
    status: int
    content_type: str
    content_length: str
    retry_after: str
    received: int = 0
    start: bytes = b""

    @classmethod
    def of(cls, response: httpx.Response) -> Answer:
        """Return what is known of an answer before its body."""
        headers = [response.headers.get(name, "") for name in ("content-type", "content-length", "retry-after")]
        return cls(response.request.method, shown(response.url), response.status_code, *headers)


def check_status(response: httpx.Response) -> None:
    """Return if the status is 200; raises ``SessionExpired`` on 401 and 403, ``ReportStatus`` on any other."""
    status = response.status_code
    if status == 200:
        return
    if status in _SIGNED_OUT:
        raise SessionExpired(f"the portal answered {status} to {shown(response.url)}")
    raise ReportStatus(
        f"the portal answered {status} to {shown(response.url)}",
        status=status,
        retry_after_s=retry_after_s(response.headers.get("retry-after", "")),
    )


def retry_after_s(header: str, now: datetime | None = None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, as a number or by a date; ``None`` if unreadable."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def disguise(body: bytes, response: httpx.Response, is_sign_in: IsSignIn) -> VehicleError:
    """Return the error for an answer of status 200 that does not begin as a PDF."""
    if not body:
        return ReportBroken("the portal sent an empty report")
    page = body.decode("utf-8", errors="replace")
    if is_sign_in(page, str(response.url)):
        return SessionExpired("the portal sent its sign-in page in place of the report")
    if "<" not in page[:1024]:
        return ReportBroken("the portal sent something else than a PDF")
    node = LexborHTMLParser(page).css_first("title")
    title = " ".join(node.text().split())[:80] if node is not None else ""
    return ReportBroken(f"the portal sent a web page in place of the PDF, titled {title!a}")
