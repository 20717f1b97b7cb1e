"""Every link leads somewhere, or is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdp_scraper.archive.link_check import (
    BrokenLink,
    KnownLinks,
    check_document,
    check_links,
    files_below,
    pages_of,
    read_pages,
)

PAGE = '<!DOCTYPE html><title>x</title><p id="here">text</p><a name="old">a</a>'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in {
        "index.html": PAGE,
        "vehicles/a b&c.html": PAGE,
        "vehicles/index.html": PAGE,
        "pdfs/1.pdf": "%PDF",
        "assets/a.js": "",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(path if path == "assets/a.js" else text)
    return tmp_path


def broken_of(root: Path, body: str) -> list[str]:
    (root / "vehicles" / "p.html").write_text(PAGE + body)
    return [one.reason for one in check_links(root).broken]


@pytest.mark.parametrize(
    "link",
    [
        "../index.html",
        "../index.html#here",
        "../index.html#old",
        "#here",
        "#",
        "#top",
        "",
        "a%20b&amp;c.html",
        "./",
        "../vehicles/",
        "../pdfs/1.pdf#page=2",
        "../assets/../pdfs/1.pdf",
        "https://elsewhere.example/x#y",
        "mailto:a@b.example",
        "data:,",
    ],
)
def test_a_link_that_leads_somewhere_is_well(root: Path, link: str) -> None:
    assert broken_of(root, f'<a href="{link}">x</a>') == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('<a href="no.html">x</a>', "there is no vehicles/no.html"),
        ('<a href="P.html">x</a>', "there is no vehicles/P.html"),
        ('<img src="../pdfs/2.png">', "there is no pdfs/2.png"),
        ('<script src="../assets/b.js"></script>', "there is no assets/b.js"),
        ('<link rel=stylesheet href="../a.css">', "there is no a.css"),
        ('<object data="../pdfs/2.pdf"></object>', "there is no pdfs/2.pdf"),
        ('<img srcset="../pdfs/1.pdf 1x, ../pdfs/3.png 2x">', "there is no pdfs/3.png"),
        ('<svg><use href="#mark"/></svg>', "vehicles/p.html has no anchor mark"),
        ('<a href="../index.html#there">x</a>', "index.html has no anchor there"),
        ('<a href="#Here">x</a>', "vehicles/p.html has no anchor Here"),
        ('<a href="../../index.html">x</a>', "leads out of the archive"),
        ('<a href="/index.html">x</a>', "leads out of the archive"),
        ('<a href="file:///etc/passwd">x</a>', "leads out of the archive"),
        ('<a href="javascript:alert(1)">x</a>', "leads out of the archive"),
        ('<a href="//[x">x</a><a href="http[://x">x</a>', "there is no vehicles/http[:/x"),
        ('<a href="../pdfs">x</a>', "there is no pdfs"),
    ],
)
def test_a_link_that_leads_nowhere_is_told(root: Path, body: str, reason: str) -> None:
    assert broken_of(root, body) == [reason]


def test_pages_and_links_are_counted_and_broken_ones_named(root: Path) -> None:
    (root / "index.html").write_text('<a href="x.html"></a><a href="https://e.example/"></a><a href="pdfs/1.pdf"></a>')
    found = check_links(root)
    assert (len(found.pages), found.links) == (3, 2)
    assert [str(one) for one in found.broken] == ["index.html: x.html: there is no x.html"]


def test_a_link_to_what_is_still_to_come_is_neither_well_nor_broken(root: Path) -> None:
    (root / "index.html").write_text('<a href="feed.atom">x</a>')
    found = check_links(root, ["feed.atom"])
    assert found.broken == ()
    assert {path: links() for path, links in found.awaited.items()} == {
        "feed.atom": [BrokenLink("index.html", "feed.atom", "there is no feed.atom")]
    }


def test_a_worker_finds_the_same(root: Path) -> None:
    (root / "index.html").write_text('<a href="feed.atom">x</a><a href="y.html">x</a>')
    told = read_pages(str(root), pages_of(files_below(root)))
    known = {path: KnownLinks(text) for path, text in told.items()}
    found, expected = check_links(root, ["feed.atom"], known), check_links(root, ["feed.atom"])
    assert (found.pages, found.links, found.broken) == (expected.pages, expected.links, expected.broken)
    assert [links() for links in found.awaited.values()] == [links() for links in expected.awaited.values()] != []


def test_a_page_whose_links_are_known_is_not_read_and_judged_all_the_same(root: Path) -> None:
    (root / "index.html").write_text('<a href="pdfs/1.pdf">x</a><a href="vehicles/index.html#here">x</a>')
    known = check_links(root).pages
    (root / "index.html").write_bytes(b"unreadable")
    (root / "pdfs" / "1.pdf").unlink()
    (root / "vehicles" / "index.html").write_text("another page")
    unread = {"index.html": known["index.html"]}
    assert [one.reason for one in check_links(root, known=unread).broken] == [
        "there is no pdfs/1.pdf",
        "vehicles/index.html has no anchor here",
    ]


def test_addresses_in_a_feed_are_followed_into_the_archive(root: Path) -> None:
    base = "https://cars.example/values/"
    content = (
        f'<feed><id>urn:x</id><link href="{base}pdfs/1.pdf"/><link href="{base}"/>'
        f"<loc>{base}vehicles/a%20b%26c.html</loc>"
        f'<link href="{base}no.html"/><link href="https://elsewhere.example/"/></feed>'
    )
    broken = [BrokenLink("feed.atom", f"{base}no.html", "there is no no.html")]
    assert check_document(content.encode(), "feed.atom", base, files_below(root)) == broken
