"""The rules of Atom, RSS and sitemaps, as their specifications have them; each fault is told with its section.

No schema is taken from elsewhere: RFC 4287 has a grammar that it calls informative, RSS 2.0 has none. What is checked
here is what their texts demand of the elements that a feed uses, and that it uses no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

# How often an element may stand in its parent: (at least, at most), None for any number.
Counts = Mapping[str, tuple[int, int | None]]
_FEED: Counts = {
    "author": (0, None), "category": (0, None), "contributor": (0, None), "generator": (0, 1), "icon": (0, 1),
    "id": (1, 1), "link": (0, None), "logo": (0, 1), "rights": (0, 1), "subtitle": (0, 1), "title": (1, 1),
    "updated": (1, 1), "entry": (0, None),
}  # fmt: skip
_ENTRY: Counts = {
    "author": (0, None), "category": (0, None), "content": (0, 1), "contributor": (0, None), "id": (1, 1),
    "link": (0, None), "published": (0, 1), "rights": (0, 1), "source": (0, 1), "summary": (0, 1), "title": (1, 1),
    "updated": (1, 1),
}  # fmt: skip
_CHANNEL: Counts = {
    "title": (1, 1), "link": (1, 1), "description": (1, 1), "language": (0, 1), "copyright": (0, 1),
    "managingEditor": (0, 1), "webMaster": (0, 1), "pubDate": (0, 1), "lastBuildDate": (0, 1), "category": (0, None),
    "generator": (0, 1), "docs": (0, 1), "cloud": (0, 1), "ttl": (0, 1), "image": (0, 1), "item": (0, None),
}  # fmt: skip
_ITEM: Counts = {
    "title": (0, 1), "link": (0, 1), "description": (0, 1), "author": (0, 1), "category": (0, None), "comments": (0, 1),
    "enclosure": (0, 1), "guid": (0, 1), "pubDate": (0, 1), "source": (0, 1),
}  # fmt: skip


def atom_faults(data: bytes) -> list[str]:
    """Return what RFC 4287 does not allow."""
    return list(_atom(fromstring(data)))


def _atom(feed: Element) -> Iterator[str]:
    if feed.tag != f"{ATOM}feed":
        yield "2: the document element is no atom:feed"
        return
    yield from _counts(feed, _FEED, ATOM, "4.1.1")
    yield from _atom_common(feed)
    entries = feed.findall(f"{ATOM}entry")
    if feed.find(f"{ATOM}author") is None and not all(one.find(f"{ATOM}author") is not None for one in entries):
        yield "4.1.1: neither the feed nor each of its entries has an author"
    if not [one for one in feed.findall(f"{ATOM}link") if one.get("rel") == "self"]:
        yield "4.1.1: a feed SHOULD have a link rel=self"
    ids = [feed.findtext(f"{ATOM}id"), *(one.findtext(f"{ATOM}id") for one in entries)]
    if len(set(ids)) != len(ids):
        yield "4.2.6: two elements have the same id"
    for entry in entries:
        yield from _counts(entry, _ENTRY, ATOM, "4.1.2")
        yield from _atom_common(entry)
        alternate = any(one.get("rel", "alternate") == "alternate" for one in entry.findall(f"{ATOM}link"))
        if not alternate and entry.find(f"{ATOM}content") is None:
            yield "4.1.2: an entry without content has no link rel=alternate"


def _atom_common(element: Element) -> Iterator[str]:
    told = element.findtext(f"{ATOM}id") or ""
    if not urlsplit(told).scheme or not _URI.fullmatch(told):
        yield f"4.2.6: the id {told!r} is no absolute IRI"
    for name in ("updated", "published"):
        for date in element.findall(f"{ATOM}{name}"):
            yield from _date_3339(date.text, "3.3")
    for name in ("title", "subtitle", "summary", "rights"):
        for text in element.findall(f"{ATOM}{name}"):
            if text.get("type", "text") not in {"text", "html", "xhtml"}:
                yield f"3.1.1: {name} has the type {text.get('type')}"
            if text.get("type", "text") == "text" and len(text):
                yield f"3.1.1.1: {name} of type text has child elements"
    for author in element.findall(f"{ATOM}author"):
        yield from _counts(author, {"name": (1, 1), "uri": (0, 1), "email": (0, 1)}, ATOM, "3.2")
    seen = set()
    for link in element.findall(f"{ATOM}link"):
        href = link.get("href")
        if not href or not _URI.fullmatch(href):
            yield f"4.2.7.1: a link's href {href!r} is no IRI reference"
        if (media := link.get("type")) is not None and not _MEDIA_TYPE.fullmatch(media):
            yield f"4.2.7.3: {media!r} is no media type"
        if (length := link.get("length")) is not None and not length.isdigit():
            yield f"4.2.7.6: {length!r} is no length"
        if link.get("rel", "alternate") == "alternate":
            if (key := (link.get("type"), link.get("hreflang"))) in seen:
                yield f"4.1.1, 4.1.2: two alternate links have the same type and hreflang {key}"
            seen.add(key)


def rss_faults(data: bytes) -> list[str]:
    """Return what the RSS 2.0 specification does not allow."""
    return list(_rss(fromstring(data)))


def _rss(rss: Element) -> Iterator[str]:
    if rss.tag != "rss" or rss.get("version") != "2.0":
        yield "what is RSS: the document element is no rss of version 2.0"
        return
    channels = rss.findall("channel")
    if len(channels) != 1 or len(rss) != 1:
        yield "what is RSS: there is not one channel alone"
        return
    channel = channels[0]
    yield from _counts(channel, _CHANNEL, "", "channel elements")
    yield from _rss_address(channel.findtext("link"), "channel's link")
    for date in (*channel.findall("pubDate"), *channel.findall("lastBuildDate")):
        yield from _date_822(date.text)
    guids = []
    for item in channel.findall("item"):
        yield from _counts(item, _ITEM, "", "elements of item")
        if item.find("title") is None and item.find("description") is None:
            yield "elements of item: at least one of title or description must be present"
        if item.find("link") is not None:
            yield from _rss_address(item.findtext("link"), "an item's link")
        for date in item.findall("pubDate"):
            yield from _date_822(date.text)
        for guid in item.findall("guid"):
            guids.append(guid.text)
            if guid.get("isPermaLink", "true") == "true":
                yield from _rss_address(guid.text, "a guid that is a permalink")
        for enclosure in item.findall("enclosure"):
            if set(enclosure.keys()) != {"url", "length", "type"}:
                yield f"enclosure: it has {sorted(enclosure.keys())} and not url, length and type"
            yield from _rss_address(enclosure.get("url"), "an enclosure's url", schemes=("http", "https"))
            if not (enclosure.get("length") or "").isdigit():
                yield "enclosure: its length is no number of bytes"
            if not _MEDIA_TYPE.fullmatch(enclosure.get("type") or ""):
                yield "enclosure: its type is no MIME type"
    if len(set(guids)) != len(guids):
        yield "guid: one stands twice"


def sitemap_faults(data: bytes) -> list[str]:
    """Return what https://www.sitemaps.org/protocol.html does not allow, of a sitemap or an index of them."""
    return list(_sitemap(data))


def _sitemap(data: bytes) -> Iterator[str]:
    if not data.startswith(b'<?xml version="1.0" encoding="utf-8"?>'):
        yield "it must be UTF-8 encoded, and says otherwise"
    if len(data) > 50 * 1024 * 1024:
        yield "it is larger than 50 MB"
    root = fromstring(data)
    inner = {f"{SITEMAP}urlset": "url", f"{SITEMAP}sitemapindex": "sitemap"}.get(root.tag)
    if inner is None:
        yield f"the document element is {root.tag}"
        return
    if not 1 <= len(root) <= 50_000:
        yield f"it has {len(root)} addresses: 1 to 50,000 are allowed"
    optional: Counts = {"changefreq": (0, 1), "priority": (0, 1)} if inner == "url" else {}
    places = []
    for one in root:
        if one.tag != f"{SITEMAP}{inner}":
            yield f"{one.tag} stands in the list"
        yield from _counts(one, {"loc": (1, 1), "lastmod": (0, 1), **optional}, SITEMAP, "tags")
        place = one.findtext(f"{SITEMAP}loc") or ""
        places.append(place)
        if urlsplit(place).scheme not in {"http", "https"} or not urlsplit(place).netloc or len(place) >= 2048:
            yield f"loc: {place!r} does not begin with a protocol, or is too long"
        if not _URI.fullmatch(place):
            yield f"loc: {place!r} is not escaped"
        for date in one.findall(f"{SITEMAP}lastmod"):
            yield from _date_3339(date.text, "lastmod")
    if len({urlsplit(place)[:2] for place in places}) > 1:
        yield "sitemap file location: not all addresses are of one host"
    if len(set(places)) != len(places):
        yield "an address stands twice"


def _counts(element: Element, rules: Counts, namespace: str, section: str) -> Iterator[str]:
    names = [child.tag for child in element]
    own = [
        name.removeprefix(namespace) for name in names if name.startswith(namespace or tuple(rules)) or "}" not in name
    ]
    for name in set(own) - set(rules):
        yield f"{section}: {name} may not stand in {element.tag}"
    for name, (least, most) in rules.items():
        count = own.count(name)
        if count < least or (most is not None and count > most):
            yield f"{section}: {element.tag} has {count} {name}, and may have {least} to {most}"


def _date_3339(text: str | None, section: str) -> Iterator[str]:
    yield from _date(text, section, _RFC_3339.fullmatch, datetime.fromisoformat)


def _date_822(text: str | None) -> Iterator[str]:
    yield from _date(text, "RFC 822 dates", lambda one: one.startswith(_DAYS), parsedate_to_datetime)


def _date(
    text: str | None, section: str, looks: Callable[[str], object], parse: Callable[[str], datetime]
) -> Iterator[str]:
    try:
        if not text or not looks(text) or parse(text).tzinfo is None:
            yield f"{section}: {text!r} is no date"
    except ValueError:
        yield f"{section}: {text!r} is no date"


def _rss_address(text: str | None, what: str, schemes: tuple[str, ...] = ("http", "https", "ftp")) -> Iterator[str]:
    if not text or urlsplit(text).scheme not in schemes or not urlsplit(text).netloc or not _URI.fullmatch(text):
        yield f"comments: {what} {text!r} is no address with a registered scheme"
