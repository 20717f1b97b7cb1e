"""The whole archive from run folders: what is made, what is made again, and what a bad PDF costs."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from jdp_scraper.archive.build import BuildOptions, Built, build
from jdp_scraper.archive.build_lock import BuildLock
from jdp_scraper.archive.link_check import check_links
from jdp_scraper.batch.workers import WorkerProcesses
from jdp_scraper.catalog.sources import ARCHIVE_MARK
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk
from jdp_scraper.errors import ArchiveBusy, ArchiveError, DiskFull, RunFolderError
from tests.support.run_folders import STARTED, demo_vehicles, files_of, make_run, replace_pdf, write_values

WEEK = timedelta(days=7)
TWO = BuildOptions(Path(), workers=2)


async def built(folder: Path, options: BuildOptions = TWO, disk: Disk | None = None) -> Built:
    return await build(replace(options, download_folder=folder), disk)


def tree(folder: Path) -> dict[str, bytes]:
    return files_of(folder / "archive")


def inodes(folder: Path) -> dict[str, int]:
    root = folder / "archive"
    return {path: (root / path).stat().st_ino for path in files_of(root)}


async def test_every_report_has_its_copy_its_picture_and_its_words_and_every_link_leads_somewhere(
    tmp_path: Path,
) -> None:
    lot = demo_vehicles(3)
    run = await make_run(tmp_path, lot)
    done = await built(tmp_path)
    assert done.problems == []
    assert (done.runs, done.vehicles, done.pdfs, done.made, done.pages) == (1, 3, 3, 3, 4)
    out = tmp_path / "archive"
    assert (await asyncio.to_thread(check_links, out)).broken == ()
    for path in run.pdfs.iterdir():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        copy = out / "pdfs" / f"{path.stem}.{digest[:12]}.pdf"
        assert copy.samefile(path)
    pictures = list((out / "thumbnails").iterdir())
    assert len(pictures) == 3
    for picture in pictures:
        with Image.open(picture) as image:
            assert (image.format, image.width) == ("WEBP", 640)
    (search,) = (out / "assets").glob("search.*.js")
    assert lot[0].vin.lower() in search.read_text()
    assert lot[0].vin in (out / "index.html").read_text("utf-8")
    assert {"feed.atom", "feed.rss", "sitemap.xml", ARCHIVE_MARK} <= set(tree(tmp_path))


async def test_one_after_the_other_and_at_once_leave_the_same_bytes(tmp_path: Path) -> None:
    await make_run(tmp_path, 4)
    at_once = await built(tmp_path)
    first = tree(tmp_path)
    apart = replace(TWO, out=tmp_path / "other" / "archive", parallel_assets=False, parallel_postprocess=False)
    one_by_one = await built(tmp_path, apart)
    assert tree(tmp_path / "other") == first
    stages = {stage.name: stage for stage in at_once.stages}
    assert stages["assets"].is_parallel and stages["postprocessing"].is_parallel
    assert not any(stage.is_parallel for stage in one_by_one.stages)


async def test_one_asset_is_made_sequentially(tmp_path: Path) -> None:
    await make_run(tmp_path, 1)
    done = await built(tmp_path)
    assert not next(stage for stage in done.stages if stage.name == "assets").is_parallel


async def test_a_build_with_nothing_changed_touches_nothing_and_says_the_same(tmp_path: Path) -> None:
    folder = await make_run(tmp_path, 2)
    next(folder.pdfs.iterdir()).write_bytes(b"<html>")
    first = await built(tmp_path)
    before = inodes(tmp_path)
    second = await built(tmp_path)
    assert second.unchanged and not first.unchanged
    assert second.problems == first.problems != []
    assert (second.vehicles, second.pdfs) == (first.vehicles, first.pdfs)
    assert inodes(tmp_path) == before


async def test_only_what_changed_is_made_again_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    lot = demo_vehicles(4)
    run = await make_run(tmp_path, lot)
    await built(tmp_path)
    before, old = inodes(tmp_path), set(tree(tmp_path))
    await replace_pdf(run, lot[1].reference, lot[1], STARTED + WEEK)
    done = await built(tmp_path)
    assert (done.made, done.pages) == (1, 2)
    after = inodes(tmp_path)
    for one in (lot[0], lot[2], lot[3]):
        same = [path for path in before if f"/{one.reference}." in path]
        assert len(same) == 3
        assert {path: after[path] for path in same} == {path: before[path] for path in same}
    gone = old - set(after)
    assert sum(path.startswith("pdfs/") for path in gone) == 1
    assert sum(path.startswith("thumbnails/") for path in gone) == 1


async def test_a_build_after_changes_leaves_what_a_build_from_nothing_leaves(tmp_path: Path) -> None:
    lot = demo_vehicles(5)
    await make_run(tmp_path, lot[:4])
    await built(tmp_path)
    newer = await make_run(tmp_path, lot[1:], started=STARTED + WEEK, failed={lot[2].reference: "500"})
    await built(tmp_path)
    await replace_pdf(newer, lot[4].reference, lot[4], STARTED + WEEK)
    done = await built(tmp_path)
    assert done.vehicles == 5
    await built(tmp_path, replace(TWO, out=tmp_path / "anew" / "archive"))
    assert tree(tmp_path) == tree(tmp_path / "anew")


async def test_what_lies_in_the_folder_of_the_next_archive_from_the_one_before_counts_for_nothing(
    tmp_path: Path,
) -> None:
    """A run goes and comes back: what the archive with it was made of lies where the next one is made."""
    lot, downloads, away = demo_vehicles(6), tmp_path / "downloads", tmp_path / "away"
    await make_run(downloads, lot[:5])
    newer = await make_run(downloads, lot[1:], started=STARTED + WEEK)
    whole: list[dict[str, bytes]] = []
    for number in range(6):
        done = await built(downloads)
        assert done.problems == []
        assert (await asyncio.to_thread(check_links, downloads / "archive")).broken == ()
        whole.append(tree(downloads))
        assert whole[number] == whole[number % 2]
        newer.path.rename(away) if number % 2 == 0 else away.rename(newer.path)
    assert whole[0] != whole[1]


@pytest.mark.parametrize("seed", range(3))
async def test_builds_that_follow_each_other_leave_each_what_one_from_nothing_leaves(tmp_path: Path, seed: int) -> None:
    """Also what they remember, and the archive that was replaced, may have been spoilt between them."""
    chance, lot, downloads = random.Random(seed), demo_vehicles(24), tmp_path / "downloads"
    runs = [await make_run(downloads, lot)]
    away: list[RunFolder] = []
    weeks = itertools.count(1)
    state, archive = downloads / ".archive.build", downloads / "archive"

    async def another_report() -> None:
        one = chance.choice(lot)
        run = chance.choice(runs)
        if one.reference in {path.stem for path in run.pdfs.iterdir()}:
            await replace_pdf(run, one.reference, one, STARTED + timedelta(days=chance.randrange(300)))

    async def another_run() -> None:
        some = chance.sample(lot, 22)
        failed = {some[0].reference: "500"}
        runs.append(await make_run(downloads, some, started=STARTED + next(weeks) * WEEK, failed=failed))

    async def run_gone() -> None:
        if len(runs) > 1:
            shutil.rmtree(runs.pop(0).path)

    async def run_away_or_back() -> None:
        if away:
            runs.append(away.pop())
            (tmp_path / "away").rename(runs[-1].path)
        elif len(runs) > 1:
            away.append(runs.pop())
            away[0].path.rename(tmp_path / "away")

    async def spoilt() -> None:
        for root in (archive, state / "last"):
            if files := sorted(path for path in root.rglob("*.*") if path.is_file()):
                one = chance.choice(files)
                one.unlink()
                if chance.random() < 0.5:
                    one.write_bytes(b"spoilt")

    async def cut_off() -> None:
        if (state / "last").exists() and not (state / "next").exists():
            (state / "last").rename(state / "next")

    changes = (
        another_report,
        another_report,
        another_run,
        run_away_or_back,
        run_away_or_back,
        run_gone,
        spoilt,
        cut_off,
    )
    for number in range(9):
        for change in chance.sample(changes, 2):
            await change()
        done = await built(downloads, replace(TWO, out=archive))
        await built(downloads, replace(TWO, out=tmp_path / str(number) / "archive"))
        assert tree(downloads) == tree(tmp_path / str(number))
        assert done.problems == []


@pytest.mark.parametrize("spoil", ["page", "picture", "state", "mark"])
async def test_an_archive_that_was_spoilt_is_mended(tmp_path: Path, spoil: str) -> None:
    await make_run(tmp_path, 2)
    await built(tmp_path)
    first = tree(tmp_path)
    out = tmp_path / "archive"
    if spoil == "page":
        (out / "index.html").write_bytes(b"spoilt")
    elif spoil == "picture":
        next((out / "thumbnails").iterdir()).unlink()
    elif spoil == "mark":
        (out / "vehicles" / "more.html").write_bytes(b"not ours")
    else:
        for path in (tmp_path / ".archive.build").iterdir():
            path.write_bytes(b"damaged")
    assert not (await built(tmp_path)).unchanged
    assert tree(tmp_path) == first


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cache.asset SET faults = 'x'",
        "UPDATE cache.file SET facts = 'x' WHERE facts <> ''",
        "UPDATE cache.file SET size = 'x', mtime_ns = NULL",
        "UPDATE cache.part SET made_from = 'x'",
        "UPDATE cache.part SET text = x'00'",
        "UPDATE cache.searched SET text = 1",
        "UPDATE cache.build SET told = 'x'",
        "DELETE FROM cache.build WHERE name <> 'inputs'",
        "UPDATE catalog.report SET \"values\" = 'x'",
        "UPDATE catalog.run SET started = 'x'",
        "DELETE FROM catalog.vehicle",
    ],
)
async def test_what_somebody_has_changed_in_the_builds_memory_leads_to_a_whole_one(tmp_path: Path, change: str) -> None:
    lot = demo_vehicles(3)
    await make_run(tmp_path, lot)
    await built(tmp_path)
    newer = await make_run(tmp_path, lot, started=STARTED + WEEK)
    await built(tmp_path)
    await replace_pdf(newer, lot[1].reference, lot[1], STARTED + 2 * WEEK)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        for name in ("cache", "catalog"):
            database.execute(f"ATTACH ? AS {name}", (str(tmp_path / ".archive.build" / f"{name}.sqlite"),))
        database.execute("PRAGMA ignore_check_constraints = 1")
        with contextlib.suppress(sqlite3.IntegrityError):
            database.execute(change)
    assert (await built(tmp_path)).problems == []
    await built(tmp_path, replace(TWO, out=tmp_path / "anew" / "archive"))
    assert tree(tmp_path) == tree(tmp_path / "anew")


async def test_other_settings_make_what_differs(tmp_path: Path) -> None:
    await make_run(tmp_path, 2)
    await built(tmp_path)
    before = tree(tmp_path)
    done = await built(tmp_path, replace(TWO, base="https://cars.example/"))
    assert not done.unchanged
    assert (done.made, done.pages) == (0, 0)
    assert b"https://cars.example/" in tree(tmp_path)["sitemap.xml"]
    assert set(before) == set(tree(tmp_path))


async def test_a_pdf_that_cannot_be_used_is_told_and_costs_only_itself(tmp_path: Path) -> None:
    folder = tmp_path / "lot"
    run = await make_run(tmp_path, 3)
    run.pdfs.rename(folder)
    good = sorted(path.stem for path in folder.iterdir())
    data = (folder / f"{good[0]}.pdf").read_bytes()
    (folder / "cut.pdf").write_bytes(data[: len(data) // 2])
    (folder / "page.pdf").write_bytes(b"<html>")
    (folder / "torn.pdf").write_bytes(b"%PDF-1.4\n" + os.urandom(3000) + b"\n%%EOF\n")
    done = await built(tmp_path, replace(TWO, named=(Path("lot"),)))
    told = {Path(line.partition(": ")[0]).name: line.partition(": ")[2] for line in done.problems}
    assert set(told) == {"cut.pdf", "page.pdf", "torn.pdf"}
    assert told["page.pdf"] == "it is not a PDF"
    assert told["torn.pdf"].startswith("it cannot be opened")
    shown = {path.name.partition(".")[0] for path in (tmp_path / "archive" / "pdfs").iterdir()}
    assert shown == {*good, "torn"}
    assert done.vehicles == 6
    assert (await asyncio.to_thread(check_links, tmp_path / "archive")).broken == ()


async def test_a_pdf_that_ends_its_worker_is_shown_without_a_picture_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_run(tmp_path, 3)
    monkeypatch.setattr("jdp_scraper.archive.assets._MAKE", "tests.unit.archive.deadly:make_asset")
    done = await built(tmp_path)
    assert len(done.problems) == 3
    assert len(list((tmp_path / "archive" / "pdfs").iterdir())) == 3
    monkeypatch.undo()
    done = await built(tmp_path)
    assert done.problems == []
    assert done.made == 3


async def test_a_smaller_copy_has_the_same_pages_with_the_same_text(tmp_path: Path) -> None:
    run = await make_run(tmp_path, 2)
    for path in run.pdfs.iterdir():
        path.write_bytes(path.read_bytes())  # in this run they are proven as they are
    await built(tmp_path, replace(TWO, optimize=True))
    for copy in (tmp_path / "archive" / "pdfs").iterdir():
        (source,) = run.pdfs.glob(f"{copy.name.partition('.')[0]}.pdf")
        assert copy.stat().st_size < source.stat().st_size
        assert b"/Linearized" in copy.read_bytes()[:1024]
        assert texts(copy) == texts(source)


def texts(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_range() for page in document]


async def test_a_report_with_the_picture_of_another_one_does_not_touch_what_is_served(tmp_path: Path) -> None:
    run = await make_run(tmp_path, 1)
    folder = tmp_path / "lot"
    run.pdfs.rename(folder)
    (first,) = folder.iterdir()
    named = replace(TWO, named=(Path("lot"),))
    await built(tmp_path, named)
    (picture,) = (tmp_path / "archive" / "thumbnails").iterdir()
    (tmp_path / "seen.webp").hardlink_to(picture)
    before = (tmp_path / "seen.webp").stat()
    (folder / "more").mkdir()
    (folder / "more" / first.name).write_bytes(first.read_bytes() + b"% fetched again\n%%EOF\n")
    done = await built(tmp_path, named)
    assert (done.problems, done.made) == ([], 1)
    assert len(list((tmp_path / "archive" / "pdfs").iterdir())) == 2
    assert [path.name for path in (tmp_path / "archive" / "thumbnails").iterdir()] == [picture.name]
    assert (tmp_path / "seen.webp").stat().st_mtime_ns == before.st_mtime_ns
    assert (await built(tmp_path, named)).unchanged


async def test_two_builds_of_one_archive_do_not_meet(tmp_path: Path) -> None:
    await make_run(tmp_path, 1)
    async with BuildLock(tmp_path / "archive", tmp_path / ".archive.build", Disk()):
        with pytest.raises(ArchiveBusy, match=r"another build of .* is under way"):
            await built(tmp_path)
    assert not (tmp_path / "archive").exists()
    await built(tmp_path)


class FullDisk(Disk):
    """Has no room left after some writes."""

    def __init__(self, writes: int) -> None:
        self._writes = writes

    def _open(self, path: Path, *arguments: object) -> object:  # type: ignore[override]
        self._writes -= 1
        if self._writes < 0:
            raise OSError(28, "No space left on device")
        return super()._open(path, *arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("writes", [0, 3, 6])
async def test_a_full_disk_leaves_the_archive_as_it_was(tmp_path: Path, writes: int) -> None:
    lot = demo_vehicles(2)
    await make_run(tmp_path, lot[:1])
    await built(tmp_path)
    before = tree(tmp_path)
    await make_run(tmp_path, lot, started=STARTED + WEEK)
    with pytest.raises(DiskFull):
        await built(tmp_path, disk=FullDisk(writes))
    assert tree(tmp_path) == before
    assert not (tmp_path / ".archive.build" / "next").exists()
    assert (await built(tmp_path)).vehicles == 2


async def test_a_build_that_is_cancelled_leaves_the_archive_as_it_was(tmp_path: Path) -> None:
    await make_run(tmp_path, 2)
    building = asyncio.create_task(built(tmp_path))
    while not (tmp_path / ".archive.build" / "next").exists():
        await asyncio.sleep(0)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert not (tmp_path / "archive").exists()
    assert not (tmp_path / ".archive.build" / "next").exists()


@pytest.mark.parametrize(
    ("named", "kind", "why"),
    [
        ((), RunFolderError, "no runs in"),
        (("empty",), RunFolderError, "holds no PDFs"),
        (("nothing",), RunFolderError, "neither a run nor a folder"),
    ],
)
async def test_nothing_to_build_from_is_one_line_and_nothing_is_left_behind(
    tmp_path: Path, named: Sequence[str], kind: type[Exception], why: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(kind, match=why):
        await built(tmp_path, replace(TWO, named=tuple(map(Path, named))))
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


async def test_runs_without_a_single_pdf_are_told(tmp_path: Path) -> None:
    lot = demo_vehicles(1)
    await make_run(tmp_path, lot, failed={lot[0].reference: "500"})
    with pytest.raises(ArchiveError, match="there are no PDFs"):
        await built(tmp_path)
    assert not (tmp_path / "archive").exists()


async def test_a_run_of_a_newer_program_is_refused_by_name_and_else_skipped(tmp_path: Path) -> None:
    lot = demo_vehicles(1)
    await make_run(tmp_path, lot)
    newer = await make_run(tmp_path, lot, started=STARTED + WEEK)
    await built(tmp_path)
    before = tree(tmp_path)
    for path in newer.data.glob("checkpoint.*"):
        path.write_bytes(resealed(path.read_bytes()))
    with pytest.raises(RunFolderError, match="newer jdp-scraper"):
        await built(tmp_path, replace(TWO, named=(Path("2026-11-22"),)))
    assert tree(tmp_path) == before
    done = await built(tmp_path)
    assert done.runs == 1
    assert any("2026-11-22 is passed over" in line for line in done.problems)


def resealed(content: bytes) -> bytes:
    """Return a checkpoint as a later version of the program would have written it."""
    from jdp_scraper.checkpoint.sealed import dump, seal, unseal

    lines = []
    for raw in content.splitlines():
        entry = unseal(raw)
        assert entry is not None
        number = entry.pop("seq")
        lines.append(seal(number, dump(entry | ({"version": 99} if entry["kind"] == "state" else {}))))
    return b"".join(lines)


async def test_a_link_to_a_pdf_is_shown_and_one_that_leads_nowhere_costs_nothing(tmp_path: Path) -> None:
    run = await make_run(tmp_path, 2)
    folder = tmp_path / "folder" / "deep"
    folder.mkdir(parents=True)
    one, _ = sorted(run.pdfs.iterdir())
    (folder / "linked.pdf").symlink_to(os.path.relpath(one, folder))
    (folder / "nowhere.pdf").symlink_to("gone.pdf")
    options = replace(TWO, named=(tmp_path / "folder",), out=tmp_path / "out")
    done = await built(tmp_path, options)
    assert (done.problems, done.pdfs) == ([], 1)
    (copy,) = (tmp_path / "out" / "pdfs").iterdir()
    assert not copy.is_symlink()
    assert copy.read_bytes() == one.read_bytes()
    assert (await built(tmp_path, options)).unchanged


async def test_a_folder_whose_name_is_no_text_has_its_feeds_as_well(tmp_path: Path) -> None:
    run = await make_run(tmp_path, 1)
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    run.pdfs.rename(folder)
    done = await built(tmp_path, replace(TWO, named=(folder,), out=tmp_path / "out"))
    assert done.problems == []
    assert (tmp_path / "out" / "feed.atom").exists()


async def test_numbers_that_are_no_car_s_cost_nothing(tmp_path: Path) -> None:
    one, other = demo_vehicles(2)
    lot = [dataclasses.replace(one, mileage=10**20), other]
    for started in (STARTED, STARTED + WEEK):
        run = await make_run(tmp_path, lot, started=started)
        path = run.data / "values.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        write_values(run.data, [row | {"clean_retail": "9" * 400 + ".00", "year": 10**30} for row in rows])
    done = await built(tmp_path)
    assert (done.problems, done.vehicles) == ([], 2)


@pytest.mark.parametrize(
    ("hour", "folder", "shown"),
    [(2, "2026-11-22", "2026-11-22"), (22, "2026-11-24", "2026-11-24"), (2, "2026-11-20", "2026-11-23")],
    ids=["evening in America", "morning in Asia", "renamed"],
)
async def test_a_run_is_shown_on_the_day_by_which_its_folder_is_named(
    hour: int, folder: str, shown: str, tmp_path: Path
) -> None:
    run = await make_run(tmp_path, 1, started=datetime(2026, 11, 23, hour, 15, tzinfo=UTC))
    run.path.rename(tmp_path / folder)
    await built(tmp_path)
    index = (tmp_path / "archive" / "index.html").read_text("utf-8")
    assert f'<td class="seen">{shown}</td>' in index
    assert f"<updated>2026-11-23T{hour:02}:15:00Z</updated>" in (tmp_path / "archive" / "feed.atom").read_text("utf-8")


async def test_a_build_that_is_cut_off_while_it_is_put_in_place_is_put_there_whole(tmp_path: Path) -> None:
    steps: list[str] = []
    settling, go_on = threading.Event(), threading.Event()

    class Slow(Disk):
        def settle_all(self, folder: Path, paths: Iterable[Path]) -> None:
            settling.set()
            assert go_on.wait(60)
            super().settle_all(folder, paths)

        def swap_folder(self, new: Path, place: Path, aside: Path) -> Path | None:
            replaced = super().swap_folder(new, place, aside)
            steps.append("in place")
            return replaced

        def remove_tree(self, path: Path) -> None:
            if settling.is_set() and not go_on.is_set():
                steps.append("removed under way")
            super().remove_tree(path)

    lot = demo_vehicles(3)
    await make_run(tmp_path, lot[:2])
    await built(tmp_path)
    await make_run(tmp_path, lot, started=STARTED + WEEK)
    under_way = asyncio.ensure_future(built(tmp_path, disk=Slow()))
    await asyncio.to_thread(settling.wait, 60)
    under_way.cancel()
    await asyncio.sleep(0.1)  # in which a removal would begin
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    assert steps == ["in place"]
    assert len(list((tmp_path / "archive" / "vehicles").iterdir())) == 3
    assert (await asyncio.to_thread(check_links, tmp_path / "archive")).broken == ()


@pytest.mark.parametrize(("pdfs", "together", "launched"), [(1, True, 1), (2, True, 2), (5, False, 1)])
async def test_as_many_workers_are_launched_ahead_as_the_unread_pdfs_are_worth(
    pdfs: int, together: bool, launched: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int | None] = []
    launch = WorkerProcesses.launch

    async def noted(processes: WorkerProcesses, count: int | None = None) -> None:
        counts.append(count)
        await launch(processes, count)

    monkeypatch.setattr(WorkerProcesses, "launch", noted)
    await make_run(tmp_path, pdfs)
    assert (await built(tmp_path, replace(TWO, parallel_assets=together))).made == pdfs
    assert counts == [launched]
