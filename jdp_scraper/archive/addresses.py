"""The archive's addresses on the web, and texts that XML can hold."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache

from jdp_scraper.archive.rendering import href

ATOM = "feed.atom"
RSS = "feed.rss"
SITEMAP = "sitemap.xml"
# Characters outside https://www.w3.org/TR/xml/#charsets, which no escape brings into a document.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def address(base: str, path: str) -> str:
    """Return the absolute address of a path from the archive's root; ``base`` ends with a slash."""
    return base + href(path)


@lru_cache(maxsize=64)
def moment(when: datetime) -> str:
    """Return a moment in UTC as RFC 3339 and W3C's profile of ISO 8601 write it, to the second."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def xml_text(text: str) -> str:
    """Return a text as one line that XML can hold; what it cannot hold becomes a replacement character."""
    if not (text.isascii() and text.isprintable()):  # as most are not
        text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", unicodedata.normalize("NFC", text))
    return " ".join(text.split())
