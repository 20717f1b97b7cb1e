"""Index and vehicle pages: what they show, that nothing in them runs, and when they are made again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.pages import pages_of
from jdp_scraper.archive.static_files import NAMES
from tests.support.archives import HOSTILE, sample_archive

STATIC = {name: f"assets/{name}" for name in NAMES}


def made(archive: Archive) -> dict[str, bytes]:
    return {page.path: page.make() for page in pages_of(archive, STATIC)}


def hashes(archive: Archive, static: Mapping[str, str] = STATIC) -> dict[str, str]:
    return {page.path: page.made_from for page in pages_of(archive, static)}


def page_of(archive: Archive, place: int) -> LexborHTMLParser:
    return LexborHTMLParser(made(archive)[f"vehicles/{archive.vehicles[place].slug}.html"])


def first(within: LexborHTMLParser | LexborNode, selector: str) -> LexborNode:
    found = within.css_first(selector)
    assert found is not None
    return found


def text(node: LexborNode) -> str:
    return " ".join(node.text().split())


def test_the_index_has_a_row_a_vehicle_in_the_models_order() -> None:
    archive = sample_archive(12, 2)
    tree = LexborHTMLParser(made(archive)["index.html"])
    rows = tree.css("#vehicles tbody tr")
    assert [text(first(row, "td.ref")) for row in rows] == [one.reference for one in archive.vehicles]
    assert [text(first(row, "td.vin")) for row in rows] == [one.vin for one in archive.vehicles]
    heads = [text(one) for one in tree.css("#vehicles thead th")]
    assert heads[4:9] == ["Rough trade-in", "Average trade-in", "Clean trade-in", "Clean loan", "Clean retail"]
    assert all(len(row.css("td")) == len(heads) for row in rows)


def test_the_index_tells_who_is_new_gone_or_failed() -> None:
    tree = LexborHTMLParser(made(sample_archive(16, 3, exceptions=True))["index.html"])
    badges = {first(row, "td.ref").text(): first(row, ".badge").text() for row in tree.css("tr:has(.badge)")}
    assert sorted(badges.values()) == ["failed", "gone", "new"]
    assert {"New (1)", "Failed (1)", "Gone (1)"} < {text(one) for one in tree.css("[name=state] option")}


def test_a_vehicle_page_shows_values_now_and_before_with_the_difference() -> None:
    archive = sample_archive(8, 3)
    vehicle = next(one for one in archive.vehicles if one.reports[-1].values != one.reports[-2].values)
    now, before = (int(str(one.values["clean_retail"])[:-3]) for one in vehicle.reports[:-3:-1])
    row = first(page_of(archive, archive.vehicles.index(vehicle)), ".values .main")
    assert [text(cell) for cell in row.css("td")[:2]] == [f"${now:,}", f"{before:,}"]
    assert text(row.css("td")[2]) == f"{now - before:+,}".replace("-", "\N{MINUS SIGN}")


def test_history_line_and_report_are_on_the_page() -> None:
    archive = sample_archive(3, 4)
    tree = page_of(archive, 1)
    reports = archive.vehicles[1].reports
    assert [text(one) for one in tree.css(".history tbody time")] == [one.run.name for one in reversed(reports)]
    assert [one.attributes["href"] for one in tree.css(".history a")] == [f"../{one.pdf}" for one in reversed(reports)]
    assert len(tree.css("svg.line polyline")) == 5
    assert len(tree.css("svg.line circle")) == 20
    frame = first(tree, "object")
    assert frame.attributes["data"] == f"../{reports[-1].pdf}#navpanes=0&view=FitH"
    assert first(frame, "a").attributes["href"] == f"../{reports[-1].pdf}"
    assert first(frame, "a img").attributes["src"] == f"../{reports[-1].thumbnail}"


def test_a_vehicle_whose_newest_report_failed_says_why_and_shows_the_last_one() -> None:
    archive = sample_archive(8, 3, exceptions=True)
    tree = page_of(archive, 7)
    assert "the portal answered 500" in text(first(tree, ".problem"))
    assert str(first(tree, "object").attributes["data"]).startswith(f"../{archive.vehicles[7].reports[1].pdf}")


def test_a_vehicle_without_any_report_has_a_page_too() -> None:
    archive = sample_archive(2)
    bare = replace(archive.vehicles[0], reports=(), text="", vin=None)
    tree = page_of(replace(archive, vehicles=(bare, archive.vehicles[1])), 0)
    assert tree.css_first("object") is None
    assert "No run has brought a report" in text(first(tree, ".report"))


def test_an_archive_of_nothing_and_one_without_values_have_their_pages() -> None:
    assert "There is no vehicle" in made(Archive("Nothing", ""))["index.html"].decode()
    archive = sample_archive(2)
    unread = tuple(replace(one, reports=(replace(one.reports[0], values={}),)) for one in archive.vehicles)
    pages = made(replace(archive, vehicles=unread))
    tree = LexborHTMLParser(pages["index.html"])
    assert [text(one) for one in tree.css("thead th")] == ["Reference", "Vehicle", "VIN", "Miles", "Last run"]
    assert len(pages) == 3


def test_whatever_the_inventory_says_stays_text() -> None:
    archive = sample_archive(4, 3, hostile=True)
    title = replace(archive, title=HOSTILE)
    for path, page in made(title).items():
        tree = LexborHTMLParser(page)
        assert all((one.attributes.get("src") or "").endswith(".js") and not one.text() for one in tree.css("script"))
        assert not [one for one in tree.css("*") if any(name.startswith("on") for name in one.attributes)]
        if "_script_" in path:
            assert "<script>alert(1)</script>" in text(first(tree, ".facts"))


def test_every_place_in_the_templates_that_turns_escaping_off_is_none() -> None:
    templates = Path(__file__).parents[3] / "jdp_scraper" / "archive" / "templates"
    for path in templates.iterdir():
        source = path.read_text("utf-8")
        assert "safe" not in source
        assert "autoescape" not in source
        assert "<script>" not in source


def test_nothing_is_loaded_from_outside() -> None:
    for page in made(sample_archive(3, 2)).values():
        tree = LexborHTMLParser(page)
        for one in tree.css("[href], [src], [data]"):
            for name in ("href", "src", "data"):
                assert not (one.attributes.get(name) or "").startswith(("http:", "https:", "//", "/"))
        assert not tree.css("style, [style*=url], base, iframe")


def test_equal_input_makes_equal_bytes_in_another_process() -> None:
    program = (
        "import hashlib\nfrom tests.unit.archive.test_pages import made, sample_archive\n"
        "pages = made(sample_archive(6, 3, exceptions=True))\n"
        "print(hashlib.sha256(repr(sorted(pages.items())).encode()).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[3],
            env={"PYTHONHASHSEED": seed, "TZ": zone, "PATH": ""},
            check=True,
            capture_output=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(told) == 1


def test_only_a_page_that_would_differ_has_another_hash() -> None:
    archive = sample_archive(6, 2)
    before = hashes(archive)
    assert hashes(sample_archive(6, 2)) == before
    first, *others = archive.vehicles
    changed = hashes(replace(archive, vehicles=(replace(first, mileage=1), *others)))
    assert {path for path in before if before[path] != changed[path]} == {"index.html", f"vehicles/{first.slug}.html"}
    other_text = hashes(replace(archive, vehicles=(replace(first, text="other"), *others)))
    assert {path for path in before if before[path] != other_text[path]} == {"index.html"}
    assert not set(before.items()) & set(hashes(archive, STATIC | {"archive.css": "assets/other.css"}).items())


def test_a_vehicle_that_is_gone_has_another_page_though_its_reports_are_the_same() -> None:
    archive = sample_archive(2, 3)
    kept, left = archive.vehicles
    left = replace(left, reports=left.reports[:2])
    then = replace(archive, runs=archive.runs[:2], vehicles=(replace(kept, reports=kept.reports[:2]), left))
    path = f"vehicles/{left.slug}.html"
    assert hashes(then)[path] != hashes(replace(archive, vehicles=(kept, left)))[path]
