"""The feeds of new and changed reports: Atom (RFC 4287) and RSS 2.0, of the same entries.

Written as text, as they are the longest of what is made of the whole archive.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from email.utils import format_datetime

from jdp_scraper.archive.addresses import ATOM, RSS, address, moment
from jdp_scraper.archive.feed_entries import Entry, feed_id, feed_updated
from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.xml_text import xml_attribute, xml_escaped, xml_text

ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_PDF = "application/pdf"
_SUBTITLE = "New and changed reports"


def atom_feed(archive: Archive, entries: Iterable[str], base: str) -> bytes:
    """Make the Atom feed of texts of ``atom_entry``; ``base`` is the archive's address with a slash at its end."""
    head = (
        _element("id", feed_id(archive)),
        _element("title", archive.title),
        _element("subtitle", _SUBTITLE),
        _element("updated", moment(feed_updated(archive))),
        f'<link rel="self" type="application/atom+xml" href={_address(base, ATOM)} />',
        f'<link rel="alternate" type="text/html" href={_address(base, "index.html")} />',
        f"<author>{_element('name', archive.portal or archive.title)}</author>",
    )
    content = "".join([*head, *entries])
    return f'{_HEAD}<feed xmlns="{ATOM_NAMESPACE}">{content}</feed>\n'.encode()


def atom_entry(entry: Entry, base: str) -> str:
    """Make an entry of the Atom feed."""
    updated, report = moment(entry.updated), entry.report
    parts = [
        _element("id", entry.id),
        _element("title", entry.title),
        _element("updated", updated),
        _element("published", updated),
        f'<link rel="alternate" type="text/html" href={_address(base, entry.page)} />',
    ]
    if report.pdf:
        length = "" if report.size is None else f' length="{report.size}"'
        parts.append(f'<link rel="enclosure" type="{_PDF}" href={_address(base, report.pdf)}{length} />')
    return f"<entry>{''.join(parts)}{_element('summary', entry.summary)}</entry>"


def rss_feed(archive: Archive, items: Iterable[str], base: str) -> bytes:
    """Make the RSS feed of texts of ``rss_item``; ``base`` is the archive's address with a slash at its end."""
    head = (
        _element("title", archive.title),
        _element("link", address(base, "index.html")),
        _element("description", _SUBTITLE),
        _element("language", "en"),
        _element("lastBuildDate", format_datetime(feed_updated(archive).astimezone(UTC))),
        f'<atom:link rel="self" type="application/rss+xml" href={_address(base, RSS)} />',
    )
    content = "".join([*head, *items])
    root = f'<rss xmlns:atom="{ATOM_NAMESPACE}" version="2.0">'
    return f"{_HEAD}{root}<channel>{content}</channel></rss>\n".encode()


def rss_item(entry: Entry, base: str) -> str:
    """Make an item of the RSS feed."""
    report = entry.report
    parts = [
        _element("title", entry.title),
        _element("link", address(base, entry.page)),
        _element("description", entry.summary),
        f'<guid isPermaLink="false">{entry.id}</guid>',
        _element("pubDate", format_datetime(entry.updated.astimezone(UTC))),
    ]
    if report.pdf and report.size is not None:  # an enclosure of RSS has to tell its length
        parts.append(f'<enclosure url={_address(base, report.pdf)} length="{report.size}" type="{_PDF}" />')
    return f"<item>{''.join(parts)}</item>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{xml_escaped(xml_text(text))}</{name}>"


def _address(base: str, path: str) -> str:
    return xml_attribute(address(base, path))
