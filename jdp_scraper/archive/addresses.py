"""The archive's addresses on the web."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from jdp_scraper.archive.rendering import href

ATOM = "feed.atom"
RSS = "feed.rss"
SITEMAP = "sitemap.xml"


def address(base: str, path: str) -> str:
    """Return the absolute address of a path from the archive's root; ``base`` ends with a slash."""
    return base + href(path)


@lru_cache(maxsize=64)
def moment(when: datetime) -> str:
    """Return a moment in UTC as RFC 3339 and W3C's profile of ISO 8601 write it, to the second."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
