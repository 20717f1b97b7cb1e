from __future__ import annotations

import os
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from jdp_scraper.batch.in_order import BatchProgress
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.catalog.sources import Source
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.values import cache, command, last_pass
from jdp_scraper.values.command import extract, values
from jdp_scraper.values.place import Place, open_place
from tests.unit.values.test_command import make_run, options, report, rows

TABLES = ("values.csv", "values.jsonl", "values.xlsx", "changes.csv")


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust stamps from the first moment on, so that no test has to wait."""
    monkeypatch.setattr(cache, "TICK_NS", 0)
    monkeypatch.setattr(last_pass, "TICK_NS", 0)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what is read anew, as the passes go on."""
    told: list[object] = []

    async def told_of(source: Source, portal: str, rules_from: str | None) -> Place:
        told.append(source)
        return await open_place(source, portal, rules_from)

    monkeypatch.setattr(command, "open_place", told_of)
    return told


async def two_runs(downloads: Path) -> RunFolder:
    """Make a run and one before it, and read both."""
    await make_run(downloads, 1, {"1": report("1", "$10,000")})
    folder = await make_run(downloads, 2, {"1": report("1", "$9,000"), "2": report("2", Make="Dodge")})
    (folder.pdfs / "2.pdf").touch()
    await extract(options(downloads, downloads))
    await extract(options(downloads))
    return folder


def contents(folder: RunFolder) -> dict[str, bytes]:
    return {name: (folder.data / name).read_bytes() for name in TABLES}


@pytest.mark.usefixtures("trusting")
async def test_a_pass_with_nothing_new_reads_no_run_and_tells_the_same(
    tmp_path: Path, opened: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await two_runs(tmp_path)
    (folder.pdfs / "1.pdf").write_bytes(b"<html>")
    assert await values(options(tmp_path), at_terminal=False) == 1
    first, before = capsys.readouterr().out, contents(folder)
    opened.clear()
    told: list[BatchProgress] = []

    async def tell(progress: BatchProgress) -> None:
        told.append(progress)

    extracted = await extract(options(tmp_path), tell=tell)
    assert await values(options(tmp_path), at_terminal=False) == 1
    second = capsys.readouterr().out
    assert not opened
    assert [(one.done, one.total) for one in told] == [(1, 2), (2, 2)]
    assert (extracted.counts.files, extracted.counts.from_cache, extracted.workers.tasks) == (2, 2, 0)
    assert contents(folder) == before
    first, second = (text[text.index("failed ") :] for text in (first, second))  # behind the progress bar
    changing = re.compile(r"\d+ read, \d+ from the cache|[\d.]+ s, .* busy")
    assert changing.sub("", second) == changing.sub("", first)
    assert "failed   1 of 2: it has changed since it was proven" in second
    assert "flagged  pdfs/2.pdf: make" in second


def edited(path: Path) -> None:
    """Change a byte of a file and put its time back, as no time stamp would show it."""
    told, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("spoil", [edited, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("name", TABLES)
async def test_a_table_that_is_not_as_it_was_written_is_written_again(
    name: str, spoil: Callable[[Path], object], tmp_path: Path
) -> None:
    folder = await two_runs(tmp_path)
    before = contents(folder)
    spoil(folder.data / name)
    assert (await extract(options(tmp_path))).workers.tasks == 0
    assert contents(folder) == before


@pytest.mark.usefixtures("trusting")
async def test_a_table_that_is_not_to_be_there_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a"))
    await extract(options(tmp_path, tmp_path))
    (tmp_path / "changes.csv").write_text("old", "ascii")
    await extract(options(tmp_path, tmp_path))
    assert not (tmp_path / "changes.csv").exists()


async def _another_pdf(folder: RunFolder) -> None:
    (folder.pdfs / "1.pdf").write_bytes(b"<html>")


async def _no_pdf(folder: RunFolder) -> None:
    (folder.pdfs / "1.pdf").unlink()


async def _other_values_before(folder: RunFolder) -> None:
    (folder.path.parent / "2026-11-01" / "run_data" / "values.jsonl").write_text("", "ascii")


async def _no_run_before(folder: RunFolder) -> None:
    (folder.path.parent / "2026-11-01").rename(folder.path.parent / "set aside")


async def _a_broken_run_before(folder: RunFolder) -> None:
    (folder.path.parent / "2026-11-01" / "run_data" / "inventory.csv").write_bytes(b"")


async def _a_run_in_between(folder: RunFolder) -> None:
    await make_run(folder.path.parent, 1, {"1": report("1", "$1")})


async def _no_cache(folder: RunFolder) -> None:
    (folder.data / cache.NAME).unlink()


CHANGES = (
    _another_pdf,
    _no_pdf,
    _other_values_before,
    _no_run_before,
    _a_broken_run_before,
    _a_run_in_between,
    _no_cache,
)


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_a_pass_reads_brings_another_one_where_it_has_changed(
    change: Callable[[RunFolder], Awaitable[None]], tmp_path: Path, opened: list[object]
) -> None:
    folder = await two_runs(tmp_path)
    await extract(options(tmp_path))
    opened.clear()
    await extract(options(tmp_path))
    assert not opened
    await change(folder)
    await extract(options(tmp_path, folder.path))
    assert opened
    after = {name: (folder.data / name).read_bytes() for name in TABLES if (folder.data / name).exists()}
    for name in (last_pass.NAME, cache.NAME, *TABLES):
        (folder.data / name).unlink(missing_ok=True)
    await extract(options(tmp_path, folder.path))
    assert {name: (folder.data / name).read_bytes() for name in TABLES if (folder.data / name).exists()} == after


@pytest.mark.usefixtures("trusting")
async def test_other_rules_and_another_out_are_another_pass(tmp_path: Path, opened: list[object]) -> None:
    folder = await two_runs(tmp_path)
    profile = Path("jdp_scraper/portal/profiles/jdpower.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    for color in ("Color", "Make"):
        own.write_text(profile + f'\n[values.fields.color]\nlabels = ["{color}"]\n', "utf-8")
        opened.clear()
        await extract(options(tmp_path, portal=str(own)))
        assert opened
    assert [row["color"] for row in rows(folder.data / "values.jsonl")] == [None, "Dodge"]
    await extract(options(tmp_path, out=tmp_path / "out"))
    assert len(rows(tmp_path / "out" / "values.jsonl")) == 2
    assert "color" not in rows(tmp_path / "out" / "values.jsonl")[0]


async def test_a_stamp_of_this_moment_is_not_trusted(tmp_path: Path, opened: list[object]) -> None:
    (tmp_path / "a.pdf").write_bytes(report("111"))
    soon = time.time() + 3600  # "this moment", however long the passes take
    os.utime(tmp_path / "a.pdf", (soon, soon))
    for _ in range(3):
        opened.clear()
        await extract(options(tmp_path, tmp_path))
        assert opened
    assert not (tmp_path / last_pass.NAME).exists()


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("spoiled", [b"", b"[]", b"\xff", b'{"format": 1}'])
async def test_a_damaged_memory_of_the_last_pass_is_none(spoiled: bytes, tmp_path: Path, opened: list[object]) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a"))
    await extract(options(tmp_path, tmp_path))
    (tmp_path / last_pass.NAME).write_bytes(spoiled)
    opened.clear()
    await extract(options(tmp_path, tmp_path))
    assert opened


@pytest.mark.usefixtures("trusting")
async def test_a_file_that_could_not_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[object]
) -> None:
    folder = await two_runs(tmp_path)
    (folder.pdfs / "1.pdf").unlink()
    for _ in range(2):
        opened.clear()
        assert await values(options(tmp_path), at_terminal=False) == 1
        assert opened


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("workers", [1, 3])
async def test_the_tables_are_the_same_whatever_the_workers_and_the_cache(workers: int, tmp_path: Path) -> None:
    folder = await two_runs(tmp_path)
    before = contents(folder)
    (folder.data / cache.NAME).unlink()
    for again in (False, True):
        extracted = await extract(options(tmp_path, parallel=Parallel(workers)))
        assert (extracted.counts.from_cache == 2) is again
        assert contents(folder) == before
