"""A profile at its origin: addresses made whole, and what may be told of a page's HTML without a browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from jdp_scraper.loopback import leads_to_loopback
from jdp_scraper.portal.profile import Control, SiteProfile

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Site:
    """The portal that a run works on."""

    def __init__(self, profile: SiteProfile, origin: str = "") -> None:
        self.profile = profile
        self.origin = origin or profile.origin

    @property
    def may_use_proxy(self) -> bool:
        """Whether the environment's proxy is for this portal; like the browser's, it never is for this machine."""
        return not leads_to_loopback(self.origin)

    def url(self, address: str) -> str:
        """Return the whole address of one that begins at the origin."""
        return urljoin(self.origin, address)

    def is_own(self, url: str) -> bool:
        """Tell whether an address lies at the portal's origin: scheme, host and port are the same.

        One with a user's name is nobody's, as it can be read in more than one way: to a browser ``https://a\\@b`` leads
        to ``a``.
        """
        try:
            return _origin(url) == _origin(self.origin) and "@" not in urlsplit(url).netloc
        except ValueError:  # what cannot be read as an address is nobody's
            return False

    def shows_sign_in(self, html: str, url: str) -> bool:
        """Tell whether an answer is the sign-in page; with an empty ``html`` the address alone decides."""
        if html:
            return self.is_sign_in(html)
        return urlsplit(url).path == urlsplit(self.profile.sign_in.address).path

    def is_sign_in(self, html: str) -> bool:
        """Tell whether a page's HTML holds the sign-in form."""
        return LexborHTMLParser(html).css_first(self.profile.sign_in.password) is not None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def as_arg(control: Control | None) -> dict[str, Any] | None:
    """Return a control in the form that the scripts take."""
    return None if control is None else {"css": control.css, "text": control.text, "contains": control.contains}
