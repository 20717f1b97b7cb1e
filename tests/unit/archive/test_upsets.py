"""What lies in the folder of the next archive is this archive's and nothing else, whoever has written there."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from jdp_scraper import system
from jdp_scraper.archive.build import BuildOptions, Built, build
from jdp_scraper.archive.cache import Cache
from jdp_scraper.archive.link_check import check_links
from jdp_scraper.disk import Disk
from jdp_scraper.errors import ArchiveError, StorageError
from tests.support.run_folders import STARTED, demo_vehicles, files_of, make_run, replace_pdf
from tests.unit.archive.half_done import AGAIN

WEEK = timedelta(days=7)
LOT = demo_vehicles(3)
posix = pytest.mark.skipif(system.WINDOWS, reason="there are no such rights, pipes and names on Windows")


class OneOfUs:
    """A download folder with a run, in which a report can be fetched again, and its archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        self._weeks = 0

    async def build(self, disk: Disk | None = None) -> Built:
        return await build(BuildOptions(self.folder, workers=2), disk)

    async def begin(self) -> None:
        self.run = await make_run(self.folder, LOT)
        await self.build()

    async def fetch_again(self) -> None:
        self._weeks += 1
        await replace_pdf(self.run, LOT[1].reference, LOT[1], STARTED + self._weeks * WEEK)

    async def build_after_a_change(self, disk: Disk | None = None) -> Built:
        await self.fetch_again()
        return await self.build(disk)


@pytest.fixture
async def ours(tmp_path: Path) -> OneOfUs:
    found = OneOfUs(tmp_path)
    await found.begin()
    return found


async def two_of_one_picture(folder: Path) -> BuildOptions:
    """Build the archive of one PDF, and lay another one with the same picture and name beside it."""
    run = await make_run(folder, 1)
    lot = folder / "lot"
    run.pdfs.rename(lot)
    options = BuildOptions(folder, named=(lot,), workers=2)
    await build(options)
    (one,) = lot.glob("*.pdf")
    (lot / "more").mkdir()
    (lot / "more" / one.name).write_bytes(one.read_bytes() + AGAIN)
    return options


@pytest.mark.parametrize("way", ["killed_before_its_answer", "killed_while_it_writes"])
async def test_a_worker_that_dies_leaves_neither_a_stray_file_nor_a_torn_one(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = await two_of_one_picture(tmp_path)
    whole = next((tmp_path / "archive" / "thumbnails").iterdir()).read_bytes()
    monkeypatch.setattr("jdp_scraper.archive.assets._MAKE", f"tests.unit.archive.half_done:{way}")
    done = await build(options)
    assert [line.partition(": ")[2] for line in done.problems] == [
        "it ended the process that worked on it: exit code 9"
    ]
    (picture,) = (tmp_path / "archive" / "thumbnails").iterdir()
    assert picture.read_bytes() == whole
    assert (await asyncio.to_thread(check_links, tmp_path / "archive")).broken == ()


class Caseless(Disk):
    """A disk on which case does not count, as on macOS and Windows, told by its single operations."""

    def _there(self, path: Path) -> Path:
        names = os.listdir(path.parent) if path.parent.is_dir() else []  # noqa: PTH208
        return next((path.parent / name for name in names if name.lower() == path.name.lower()), path)

    def _replace(self, source: Path, target: Path) -> None:
        if (there := self._there(target)) != source:
            super()._unlink(there)
        super()._replace(source, target)

    def _unlink(self, path: Path) -> None:
        super()._unlink(self._there(path))

    def _link(self, source: Path | str, target: Path | str) -> bool:
        if self._there(Path(target)).exists():
            raise FileExistsError
        return super()._link(self._there(Path(source)), target)


@posix
async def test_a_name_of_another_case_takes_nothing_away_where_case_does_not_count(tmp_path: Path) -> None:
    run, disk = await make_run(tmp_path, 3, values=False), Caseless()
    lot = tmp_path / "lot"
    run.pdfs.rename(lot)
    options = BuildOptions(tmp_path, named=(lot,), workers=2)
    one, other, _ = sorted(lot.iterdir())
    one = one.rename(lot / "ABC.pdf")
    await build(options, disk)
    one.rename(lot / "abc.pdf")
    for _ in range(3):
        assert (await build(options, disk)).problems == []
        other.write_bytes(other.read_bytes() + AGAIN)
        files = files_of(tmp_path / "archive")
        assert len([path for path in files if path.startswith("vehicles/")]) == 3
        assert len([path for path in files if path.startswith("pdfs/")]) == 3


async def test_a_folder_in_place_of_a_file_is_mended_and_does_not_come_back(ours: OneOfUs) -> None:
    await ours.build_after_a_change()
    for path in ("feed.atom", "vehicles/" + next((ours.archive / "vehicles").iterdir()).name):
        (ours.archive / path).unlink()
        (ours.archive / path).mkdir()
    for _ in range(4):
        assert (await ours.build_after_a_change()).problems == []
        assert (ours.archive / "feed.atom").is_file()
        assert (await asyncio.to_thread(check_links, ours.archive)).broken == ()


@posix
async def test_who_may_read_an_archive_stays_as_its_owner_says(ours: OneOfUs) -> None:
    private = ours.archive / "private"
    private.mkdir(mode=0o700)
    (private / "mine.txt").write_text("mine")
    os.mkfifo(ours.archive / "pipe")
    ours.archive.chmod(0o750)
    for _ in range(3):
        await ours.build_after_a_change()
        assert [stat.S_IMODE(one.stat().st_mode) for one in (ours.archive, private)] == [0o750, 0o700]
        assert (private / "mine.txt").read_text() == "mine"
        assert (ours.archive / "pipe").is_fifo()


@posix
async def test_a_closed_folder_of_the_owner_stops_no_build(ours: OneOfUs) -> None:
    frozen = ours.archive / "frozen"
    (frozen / "deep").mkdir(parents=True)
    (frozen / "deep" / "mine.txt").write_text("mine")
    for _ in range(3):
        (frozen / "deep").chmod(0o555)
        frozen.chmod(0o555)
        assert (await ours.build_after_a_change()).problems == []
        assert (frozen / "deep" / "mine.txt").read_text() == "mine"


async def test_what_its_owner_puts_there_meanwhile_stays(ours: OneOfUs) -> None:
    class Meanwhile(Disk):
        def settle_all(self, folder: Path, paths: Iterable[Path]) -> None:
            (ours.archive / "mine.txt").write_text("mine")
            super().settle_all(folder, paths)

    await ours.build_after_a_change(Meanwhile())
    for _ in range(2):
        assert (ours.archive / "mine.txt").read_text() == "mine"
        await ours.build_after_a_change()


async def test_where_the_next_archive_cannot_be_put_in_place_the_last_one_is_put_back(ours: OneOfUs) -> None:
    class Held(Disk):
        def _exchange(self, one: Path, other: Path) -> bool:
            return False

        def _replace(self, source: Path, target: Path) -> None:
            if (source.name, target.name) == ("next", "archive"):
                raise PermissionError(13, "held by a scanner")
            super()._replace(source, target)

    before = files_of(ours.archive)
    with pytest.raises(StorageError, match="held by a scanner"):
        await ours.build_after_a_change(Held())
    assert files_of(ours.archive) == before
    assert (await ours.build()).problems == []


async def test_a_memory_that_cannot_be_kept_is_told_and_the_archive_is_there(
    ours: OneOfUs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Cache, "keep", full)
    done = await ours.build_after_a_change()
    assert [line.rpartition(": ")[2] for line in done.problems] == ["database or disk is full"]
    monkeypatch.undo()
    assert (await ours.build()).problems == []
    anew = replace(BuildOptions(ours.folder, workers=2), out=ours.folder / "anew" / "archive")
    await build(anew)
    assert files_of(ours.archive) == files_of(ours.folder / "anew" / "archive")


async def test_the_root_of_a_disk_is_no_place_for_an_archive(tmp_path: Path) -> None:
    await make_run(tmp_path, 1)
    with pytest.raises(ArchiveError, match="is the root of a disk: name a folder in it"):
        await build(BuildOptions(tmp_path, out=Path(tmp_path.anchor)))


async def test_times_and_numbers_that_a_database_cannot_hold_are_held(
    ours: OneOfUs, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = 10_400_000_000 * 10**9  # in the year 2299
    for path in ours.run.pdfs.iterdir():
        os.utime(path, ns=(late, late))
    if next(ours.run.pdfs.iterdir()).stat().st_mtime_ns != late:
        pytest.skip("the file system does not keep such times")
    assert (await ours.build_after_a_change()).problems == []
    assert (await ours.build()).problems == []
