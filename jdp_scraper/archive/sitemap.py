"""The sitemap (sitemaps.org 0.9) of the index and all vehicles' pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from jdp_scraper.archive.addresses import SITEMAP, address, moment
from jdp_scraper.archive.feed_entries import feed_updated
from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.rendering import page_path
from jdp_scraper.archive.xml_text import xml_escaped

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
MAX_ADDRESSES = 50_000
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def sitemap_files(archive: Archive, base: str) -> dict[str, bytes]:
    """Return the sitemap by its path; more than 50,000 pages need several, and ``sitemap.xml`` that lists them."""
    pages = _pages(archive)
    parts: list[bytes] = []
    while part := list(islice(pages, MAX_ADDRESSES)):
        parts.append(_list("urlset", "url", [(address(base, path), when) for path, when in part]))
    if len(parts) == 1:
        return {SITEMAP: parts[0]}
    stem, ending = SITEMAP.split(".")
    named = {f"{stem}-{number}.{ending}": part for number, part in enumerate(parts, 1)}
    newest = feed_updated(archive)
    return {SITEMAP: _list("sitemapindex", "sitemap", [(address(base, path), newest) for path in named])} | named


def _pages(archive: Archive) -> Iterator[tuple[str, datetime | None]]:
    yield "index.html", feed_updated(archive) if archive.runs else None
    for vehicle in archive.vehicles:
        yield page_path(vehicle), vehicle.newest.run.started if vehicle.newest else None


def _list(outer: str, inner: str, lines: Sequence[tuple[str, datetime | None]]) -> bytes:
    told = [f'{_HEAD}<{outer} xmlns="{NAMESPACE}">\n']
    for where, when in lines:
        modified = f"<lastmod>{moment(when)}</lastmod>" if when else ""
        told.append(f"<{inner}><loc>{xml_escaped(where)}</loc>{modified}</{inner}>\n")
    told.append(f"</{outer}>\n")
    return "".join(told).encode()
