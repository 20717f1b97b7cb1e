"""What is made of a whole archive, at the same time, and what becomes of the rest when one task fails."""

from __future__ import annotations

import asyncio
import importlib
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.postprocess import Postprocessed, Work, postprocess
from jdp_scraper.archive.search_index import Search
from jdp_scraper.errors import DiskFull, JobBroke
from tests.support.archives import lay_out, sample_archive
from tests.support.feed_rules import atom_faults, rss_faults, sitemap_faults

BASE = "https://cars.example/values/"


class InThreads:
    """Stands in for worker processes: the same functions by the same names, with arguments as plain values."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.asked: list[str] = []

    async def run(self, function: str, /, *arguments: Any) -> Any:
        module, _, name = function.partition(":")
        self.asked.append(name)
        if self.broken and self.broken in name:
            raise RuntimeError("the worker\ndied")
        return await asyncio.to_thread(getattr(importlib.import_module(module), name), *arguments)


class TooMuch(InThreads):
    """Workers whose limits a large archive breaks, such as that of an answer's length."""

    async def run(self, function: str, /, *arguments: Any) -> Any:
        self.asked.append(function)
        raise JobBroke("it ended the process that worked on it: its answer is too long")


class Together:
    """A ``write`` that lets nobody go on before all four files are being written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.barrier = threading.Barrier(4, timeout=60)

    def __call__(self, path: str, content: bytes) -> None:
        self.barrier.wait()
        (self.root / path).write_bytes(content)


@pytest.fixture(autouse=True)
def every_page_is_worth_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jdp_scraper.archive.postprocess._WORTH_A_WORKER", 0)


@pytest.fixture
def laid_out(tmp_path: Path) -> tuple[Archive, Path]:
    archive = sample_archive(6, 3, exceptions=True, hostile=True)
    lay_out(archive, tmp_path)
    return archive, tmp_path


def work_of(laid_out: tuple[Archive, Path], **more: Any) -> Work:
    archive, root = laid_out

    def write(path: str, content: bytes) -> None:
        (root / path).write_bytes(content)

    return replace(Work(archive, root, BASE, write), **more)


def files_of(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def check(done: Postprocessed, root: Path) -> None:
    assert done.failed == ()
    assert done.broken == ()
    assert done.links > 50
    assert atom_faults((root / "feed.atom").read_bytes()) == []
    assert rss_faults((root / "feed.rss").read_bytes()) == []
    assert sitemap_faults((root / "sitemap.xml").read_bytes()) == []


async def test_what_is_too_much_for_a_worker_is_done_without_one(laid_out: tuple[Archive, Path]) -> None:
    workers = TooMuch()
    check(await postprocess(work_of(laid_out, workers=workers)), laid_out[1])
    assert len(workers.asked) == 2


async def test_all_is_made_and_every_link_leads_somewhere(laid_out: tuple[Archive, Path]) -> None:
    workers = InThreads()
    done = await postprocess(work_of(laid_out, workers=workers))
    check(done, laid_out[1])
    assert sorted(workers.asked) == ["read_pages", "search_index_in_worker"]
    assert {one.name for one in done.outcomes} == {"link check", "search index", "Atom feed", "RSS feed", "sitemap"}


async def test_tasks_run_at_the_same_time(laid_out: tuple[Archive, Path]) -> None:
    root = laid_out[1]
    check(await postprocess(work_of(laid_out, write=Together(root))), root)


async def test_one_after_the_other_makes_the_same_bytes(laid_out: tuple[Archive, Path]) -> None:
    _, root = laid_out
    pages = set(files_of(root))
    await postprocess(work_of(laid_out, workers=InThreads()))
    together = files_of(root)
    for path in set(together) - pages:
        (root / path).unlink()
    done = await postprocess(work_of(laid_out, workers=InThreads()), parallel=False)
    check(done, root)
    assert files_of(root) == together


async def test_what_lies_there_and_does_not_belong_to_the_archive_is_neither_taken_nor_linked_to(
    laid_out: tuple[Archive, Path],
) -> None:
    archive, root = laid_out
    (root / Search.of(archive).path).write_bytes(b"stale")
    (root / "vehicles" / "gone.html").write_text('<a href="nowhere.html">')
    linked = next(report.pdf for vehicle in archive.vehicles for report in vehicle.reports if report.pdf)
    belongs = frozenset(files_of(root)) - {Search.of(archive).path, "vehicles/gone.html", linked}
    done = await postprocess(work_of(laid_out, there=belongs))
    assert (root / Search.of(archive).path).read_bytes().startswith(b"globalThis.reportText=")
    assert {Path(one.link).name for one in done.broken} == {Path(linked).name}


async def test_a_search_index_that_is_there_is_not_made_again(laid_out: tuple[Archive, Path]) -> None:
    archive, root = laid_out
    (root / Search.of(archive).path).write_bytes(b"there")
    check(await postprocess(work_of(laid_out)), root)
    assert (root / Search.of(archive).path).read_bytes() == b"there"


async def test_one_that_fails_stops_no_other_and_is_told_with_the_links_that_lead_to_it(
    laid_out: tuple[Archive, Path],
) -> None:
    archive, root = laid_out
    done = await postprocess(work_of(laid_out, workers=InThreads("search_index")))
    assert [(one.name, one.error) for one in done.failed] == [("search index", "the worker died")]
    assert [(one.page, one.reason) for one in done.broken] == [("index.html", f"there is no {Search.of(archive).path}")]
    assert {"feed.atom", "feed.rss", "sitemap.xml"} <= set(files_of(root))


async def test_a_link_check_that_fails_leaves_the_rest(laid_out: tuple[Archive, Path]) -> None:
    done = await postprocess(work_of(laid_out, workers=InThreads("read_pages")))
    assert [one.name for one in done.failed] == ["link check"]
    assert Search.of(laid_out[0]).path in files_of(laid_out[1])


async def test_broken_links_of_pages_and_feeds_are_told(laid_out: tuple[Archive, Path]) -> None:
    archive, root = laid_out
    gone = archive.vehicles[2]  # its only report, so that the feeds tell of it
    assert gone.newest is not None
    assert gone.newest.pdf is not None
    (root / gone.newest.pdf).unlink()
    done = await postprocess(work_of(laid_out))
    assert done.failed == ()
    pages = {one.page for one in done.broken}
    assert pages == {f"vehicles/{gone.slug}.html", "feed.atom", "feed.rss"}
    assert {one.reason for one in done.broken} == {f"there is no {gone.newest.pdf}"}


async def test_a_full_disk_is_an_error_of_the_whole(laid_out: tuple[Archive, Path]) -> None:
    def full(path: str, content: bytes) -> None:
        if path == "feed.rss":
            raise DiskFull(path)
        (laid_out[1] / path).write_bytes(content)

    with pytest.raises(DiskFull):
        await postprocess(work_of(laid_out, write=full))
    assert "feed.atom" in files_of(laid_out[1])


async def test_an_archive_of_2000_vehicles_passes_its_own_link_check_and_its_specifications(tmp_path: Path) -> None:
    archive = sample_archive(2_000, 2)
    await asyncio.to_thread(lay_out, archive, tmp_path)
    done = await postprocess(
        Work(archive, tmp_path, BASE, lambda path, content: (tmp_path / path).write_bytes(content))
    )
    check(done, tmp_path)
    assert done.links > 2_000 * 10
