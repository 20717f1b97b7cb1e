"""The feeds of new and changed reports: Atom (RFC 4287) and RSS 2.0, of the same entries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from email.utils import format_datetime
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from jdp_scraper.archive.addresses import ATOM, RSS, address, moment, xml_text
from jdp_scraper.archive.feed_entries import Entry, feed_id, feed_updated
from jdp_scraper.archive.model import Archive

ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
_PDF = "application/pdf"
_SUBTITLE = "New and changed reports"


def atom_feed(archive: Archive, entries: Iterable[Entry], base: str) -> bytes:
    """Make the Atom feed of ``entries_of``; ``base`` is the archive's address with a slash at its end."""
    feed = Element("feed", xmlns=ATOM_NAMESPACE)
    _text(feed, "id", feed_id(archive))
    _text(feed, "title", archive.title)
    _text(feed, "subtitle", _SUBTITLE)
    _text(feed, "updated", moment(feed_updated(archive)))
    SubElement(feed, "link", rel="self", type="application/atom+xml", href=address(base, ATOM))
    SubElement(feed, "link", rel="alternate", type="text/html", href=address(base, "index.html"))
    _text(SubElement(feed, "author"), "name", archive.portal or archive.title)
    for entry in entries:
        _atom_entry(SubElement(feed, "entry"), entry, base)
    return _document(feed)


def _atom_entry(element: Element, entry: Entry, base: str) -> None:
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _text(element, "updated", moment(entry.updated))
    _text(element, "published", moment(entry.updated))
    SubElement(element, "link", rel="alternate", type="text/html", href=address(base, entry.page))
    if entry.report.pdf:
        size = {} if entry.report.size is None else {"length": str(entry.report.size)}
        SubElement(element, "link", {"rel": "enclosure", "type": _PDF, "href": address(base, entry.report.pdf)} | size)
    _text(element, "summary", entry.summary)


def rss_feed(archive: Archive, entries: Iterable[Entry], base: str) -> bytes:
    """Make the RSS feed of ``entries_of``; ``base`` is the archive's address with a slash at its end."""
    register_namespace("atom", ATOM_NAMESPACE)
    rss = Element("rss", version="2.0")
    channel = SubElement(rss, "channel")
    _text(channel, "title", archive.title)
    _text(channel, "link", address(base, "index.html"))
    _text(channel, "description", _SUBTITLE)
    _text(channel, "language", "en")
    _text(channel, "lastBuildDate", format_datetime(feed_updated(archive).astimezone(UTC)))
    own = {"rel": "self", "type": "application/rss+xml", "href": address(base, RSS)}
    SubElement(channel, f"{{{ATOM_NAMESPACE}}}link", own)
    for entry in entries:
        _rss_item(SubElement(channel, "item"), entry, base)
    return _document(rss)


def _rss_item(element: Element, entry: Entry, base: str) -> None:
    _text(element, "title", entry.title)
    _text(element, "link", address(base, entry.page))
    _text(element, "description", entry.summary)
    _text(element, "guid", entry.id).set("isPermaLink", "false")
    _text(element, "pubDate", format_datetime(entry.updated.astimezone(UTC)))
    if entry.report.pdf and entry.report.size is not None:  # an enclosure of RSS has to tell its length
        url = address(base, entry.report.pdf)
        SubElement(element, "enclosure", url=url, length=str(entry.report.size), type=_PDF)


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    element.text = xml_text(text)
    return element


def _document(root: Element) -> bytes:
    text = tostring(root, "unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()
