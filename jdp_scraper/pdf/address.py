"""Which addresses a report may be fetched from: the portal's own origin, over https unless it is this machine."""

from __future__ import annotations

import httpx

from jdp_scraper.errors import ForeignAddress
from jdp_scraper.loopback import is_loopback

_PORTS = {"http": 80, "https": 443}


def checked(address: str | httpx.URL, origin: httpx.URL) -> httpx.URL:
    """Return ``address`` as an URL of the portal at ``origin``; raises ``ForeignAddress``."""
    try:
        url = origin.join(address)
    except (httpx.InvalidURL, ValueError) as error:
        raise ForeignAddress("the report's address cannot be read") from error
    if _origin(url) != _origin(origin):
        raise ForeignAddress(f"the report's address leads to {_shown_origin(url)}, not to {_shown_origin(origin)}")
    if url.userinfo:  # it would be sent as a password, and browsers read what can stand before an @ otherwise
        raise ForeignAddress(f"the report's address names a user: {shown(url)}")
    if url.scheme != "https" and not is_loopback(url.host):
        raise ForeignAddress(f"the report's address is not https: {shown(url)}")
    return url


def shown(url: httpx.URL) -> str:
    """Return an address for messages: without user, query and fragment, which can hold secrets."""
    return f"{_shown_origin(url)}{url.path}"[:200]


def _shown_origin(url: httpx.URL) -> str:
    port = f":{url.port}" if url.port is not None else ""
    return f"{url.scheme}://{url.host}{port}" if url.host else f"{url.scheme}:"


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)
