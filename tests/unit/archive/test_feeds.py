"""Feeds and sitemap: valid by their specifications, with ids that last and no clock but the runs'."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from xml.etree.ElementTree import fromstring

import pytest

from jdp_scraper.archive import feeds, sitemap
from jdp_scraper.archive.feed_entries import MAX_ENTRIES, Entry, news_of
from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.sitemap import sitemap_files
from jdp_scraper.archive.xml_text import xml_text
from tests.support.archives import sample_archive
from tests.support.feed_rules import ATOM, SITEMAP, atom_faults, rss_faults, sitemap_faults

BASE = "https://cars.example/values/"


def entries_of(archive: Archive) -> list[Entry]:
    return [one.entry for one in news_of(archive)]


def atom_feed(archive: Archive, base: str) -> bytes:
    return feeds.atom_feed(archive, [feeds.atom_entry(one, base) for one in entries_of(archive)], base)


def rss_feed(archive: Archive, base: str) -> bytes:
    return feeds.rss_feed(archive, [feeds.rss_item(one, base) for one in entries_of(archive)], base)


ARCHIVES = {
    "usual": sample_archive(30, 4),
    "hostile": sample_archive(30, 3, exceptions=True, hostile=True),
    "one": sample_archive(1),
    "empty": Archive("Nothing", "jdpower"),
    "no portal": replace(sample_archive(2), portal=""),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_feeds_and_sitemap_keep_their_specifications(name: str) -> None:
    archive = ARCHIVES[name]
    assert atom_faults(atom_feed(archive, BASE)) == []
    assert rss_faults(rss_feed(archive, BASE)) == []
    assert [sitemap_faults(data) for data in sitemap_files(archive, BASE).values()] == [[]]


ATOM_BREAKS = [
    (b"<updated>20", b"<updated>yesterday 20", "3.3"),
    (b"<author><name>jdpower</name></author>", b"", "4.1.1"),
    (b'rel="self"', b'rel="via"', "4.1.1"),
    (b"<id>urn:uuid:", b"<id>", "4.2.6"),
    (b"<title>", b"<name>t</name><title>", "4.1.1"),
    (b"<summary>", b"<summary>x</summary><summary>", "4.1.2"),
    (b'href="https://cars', b'href="https://cars and', "4.2.7.1"),
    (b'type="text/html"', b'type="html"', "4.2.7.3"),
]


@pytest.mark.parametrize(("right", "wrong", "section"), ATOM_BREAKS)
def test_the_rules_of_atom_find_a_fault(right: bytes, wrong: bytes, section: str) -> None:
    data = atom_feed(ARCHIVES["usual"], BASE)
    assert right in data
    assert any(fault.startswith(section) for fault in atom_faults(data.replace(right, wrong)))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b'version="2.0"', b'version="0.9"'),
        (b"<pubDate>", b"<pubDate>20"),
        (b"<link>https:", b"<link>"),
        (b'isPermaLink="false"', b""),
        (b' length="52480"', b""),
        (b"<guid", b"<summary>x</summary><guid"),
        (b"<description>New and", b"<ttl>1</ttl><ttl>1</ttl><description>New and"),
    ],
)
def test_the_rules_of_rss_find_a_fault(right: bytes, wrong: bytes) -> None:
    data = rss_feed(ARCHIVES["usual"], BASE)
    assert right in data
    assert rss_faults(data.replace(right, wrong))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"https://cars.example/values/index", b"/values/index"),
        (b"<lastmod>", b"<lastmod>on "),
        (b"</url>", b"<title>x</title></url>"),
        (b"https://cars.example/values/index", b"https://other.example/values/index"),
        (b"vehicles/165530.html", b"vehicles/16 5530.html"),
        (b"sitemap/0.9", b"sitemap/1.0"),
    ],
)
def test_the_rules_of_sitemaps_find_a_fault(right: bytes, wrong: bytes) -> None:
    (data,) = sitemap_files(ARCHIVES["usual"], BASE).values()
    assert right in data
    assert sitemap_faults(data.replace(right, wrong))


def test_an_entry_is_told_of_what_is_new_or_changed_and_of_nothing_else() -> None:
    archive = sample_archive(10, 4)
    feed = fromstring(atom_feed(archive, BASE))
    titles = [one.text or "" for one in feed.iter(f"{ATOM}title")][1:]
    assert sum(one.startswith("New: ") for one in titles) == 10
    changed = 0
    for vehicle in archive.vehicles:
        told = [{**one.values, "report_date": None} for one in vehicle.reports]
        changed += sum(one != other for one, other in pairwise(told))
    assert sum(one.startswith("Changed: ") for one in titles) == changed > 0


def test_ids_last_when_the_archive_moves_or_another_run_comes() -> None:
    new = sample_archive(10, 4)
    before = tuple(replace(one, reports=one.reports[:-1]) for one in new.vehicles)
    old = replace(new, runs=new.runs[:-1], vehicles=before)

    def ids(archive: Archive, base: str) -> set[str | None]:
        return {one.text for one in fromstring(atom_feed(archive, base)).iter(f"{ATOM}id")}

    assert ids(old, BASE) == ids(old, "http://localhost:8000/")
    assert ids(old, BASE) < ids(new, BASE)
    items = fromstring(rss_feed(old, BASE)).iter("guid")
    assert {one.text for one in items} < ids(old, BASE)


def test_ids_of_entries_last_when_a_run_of_another_portal_comes() -> None:
    old = sample_archive(10, 4)
    assert [one.id for one in entries_of(replace(old, portal=f"another, {old.portal}"))] == [
        one.id for one in entries_of(old)
    ]


def test_dates_are_the_runs() -> None:
    archive = sample_archive(3, 2)
    feed = fromstring(atom_feed(archive, BASE))
    assert feed.findtext(f"{ATOM}updated") == "2026-10-05T06:30:00Z"
    assert {one.text for one in feed.iter(f"{ATOM}published")} <= {"2026-09-28T06:30:00Z", "2026-10-05T06:30:00Z"}
    assert b"<lastBuildDate>Mon, 05 Oct 2026 06:30:00 +0000</lastBuildDate>" in rss_feed(archive, BASE)


def test_newest_come_first_and_a_large_newest_run_is_told_whole() -> None:
    entries = entries_of(sample_archive(MAX_ENTRIES + 20))
    assert len(entries) == MAX_ENTRIES + 20
    entries = entries_of(sample_archive(MAX_ENTRIES + 20, 3))
    assert len(entries) == MAX_ENTRIES
    assert [one.updated for one in entries] == sorted((one.updated for one in entries), reverse=True)


def test_the_sitemap_has_each_page_once_with_its_date() -> None:
    archive = sample_archive(12, 2)
    (data,) = sitemap_files(archive, BASE).values()
    places = [one.text for one in fromstring(data).iter(f"{SITEMAP}loc")]
    assert places == [f"{BASE}index.html", *(f"{BASE}vehicles/{one.slug}.html" for one in archive.vehicles)]
    assert data.count(b"2026-10-05T06:30:00Z") == 13


def test_more_pages_than_one_sitemap_may_have_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MAX_ADDRESSES", 5)
    files = sitemap_files(sample_archive(12), BASE)
    assert list(files) == ["sitemap.xml", "sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml"]
    assert [sitemap_faults(data) for data in files.values()] == [[]] * 4
    listed = [one.text for one in fromstring(files["sitemap.xml"]).iter(f"{SITEMAP}loc")]
    assert listed == [f"{BASE}{name}" for name in list(files)[1:]]


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert xml_text("a\x00b\ud800\ufffe\n c") == "a\ufffdb\ufffd\ufffd c"


def test_a_run_in_another_time_zone_is_told_in_utc() -> None:
    archive = sample_archive(1)
    zoned = replace(archive.runs[0], started=datetime.fromisoformat("2026-11-22T23:30:00-05:00"))
    vehicle = archive.vehicles[0]
    reports = (replace(vehicle.reports[0], run=zoned),)
    feed = atom_feed(replace(archive, runs=(zoned,), vehicles=(replace(vehicle, reports=reports),)), BASE)
    assert (
        fromstring(feed).findtext(f"{ATOM}updated") == f"{datetime(2026, 11, 23, 4, 30, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
    )
