"""What follows a run: as the settings say, told in one line where it fails, all that was there before left whole."""

from __future__ import annotations

import errno
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.aftermath import follow_up
from jdp_scraper.archive.command import archive
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk
from jdp_scraper.errors import Interrupted, ScraperError
from jdp_scraper.run_report import RunReport
from jdp_scraper.settings import Settings
from jdp_scraper.stop import StopRequest
from jdp_scraper.values import command
from jdp_scraper.values.out_folder import OutLock
from tests.support.run_folders import demo_vehicles, files_of, make_run

TABLES = {"values.csv", "values.jsonl", "values.xlsx"}
PROFILES = Path(__file__).resolve().parents[2] / "jdp_scraper/portal/profiles"
# Imported here, as an import reads files, which no test lets the loop do.
COMMANDS = (archive, command.values)


def settings_of(downloads: Path, **given: Any) -> Settings:
    return Settings.model_construct(download_folder=downloads, max_workers=2, **given)


async def follow(run: RunFolder, stop: StopRequest | None = None, **given: Any) -> int:
    report = RunReport(folder=run, begun=True, wanted=2, done=2)
    return await follow_up(settings_of(run.path.parent, **given), report, stop or StopRequest())


def tables(run: RunFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.data.iterdir() if path.name in TABLES}


def rows(run: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.data / "values.jsonl").read_text("ascii").splitlines()]


def only_line(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("publish", [True, False])
@pytest.mark.parametrize("extract", [True, False])
async def test_what_is_asked_for_is_made_and_nothing_else(extract: bool, publish: bool, tmp_path: Path) -> None:
    run = await make_run(tmp_path, 2, values=False)
    assert await follow(run, extract_values=extract, publish_archive=publish) == 0
    assert set(tables(run)) == (TABLES if extract else set())
    assert (tmp_path / "archive" / "index.html").exists() is publish
    if extract and publish:  # the archive has the values that were read a moment before
        page = next((tmp_path / "archive" / "vehicles").iterdir()).read_text("utf-8")
        assert "Clean retail" in page


async def test_a_run_without_a_folder_has_nothing_that_follows(tmp_path: Path) -> None:
    assert await follow_up(settings_of(tmp_path, publish_archive=True), RunReport(), StopRequest()) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"%PDF-1.4\ncut off", b"<html>", b""])
async def test_a_pdf_that_cannot_be_read_is_told_and_is_no_failure_of_the_run(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await make_run(tmp_path, 2, values=False)
    broken, whole = sorted(run.pdfs.iterdir())
    broken.write_bytes(content)
    assert await follow(run, publish_archive=True) == 0
    told = capsys.readouterr()
    assert f"warning: {broken}: " in told.out
    assert told.err == ""
    assert f"failed   1 of 2: {rows(run)[0]['error']}: pdfs/{broken.name}\n" in told.out
    assert [row["error"] is None for row in rows(run)] == [False, True]
    assert rows(run)[1]["file"] == f"pdfs/{whole.name}"


@pytest.mark.parametrize(
    ("error", "part"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "cannot write"), (errno.EIO, "cannot write")],
)
async def test_a_disk_that_fails_is_one_line_and_leaves_the_former_tables(
    error: int, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await make_run(tmp_path, 2, values=False)
    assert await follow(run) == 0
    before = tables(run)
    next(run.pdfs.iterdir()).unlink()  # so that there is something to write
    replace = Disk._replace

    def fail(disk: Disk, source: Path, target: Path) -> None:
        if target.name in TABLES:
            raise OSError(error, "spoiled", str(target))
        replace(disk, source, target)

    monkeypatch.setattr(Disk, "_replace", fail)
    capsys.readouterr()
    assert await follow(run, publish_archive=True) == 2
    line = only_line(capsys)
    assert line.startswith("error: values: ")
    assert part in line
    assert tables(run) == before
    assert (tmp_path / "archive" / "index.html").exists(), "the one stage's failure is not the other's"


async def test_rules_that_are_invalid_by_then_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = await make_run(tmp_path, 2, values=False)
    own = tmp_path / "own.toml"
    spoiled = '\n[values.fields.color]\npattern = "(("\n'
    own.write_text((PROFILES / "jdpower.toml").read_text("utf-8") + spoiled, "utf-8")
    assert await follow(run, portal=str(own)) == 2
    line = only_line(capsys)
    assert line.startswith("error: values: profile ")
    assert "values.fields.color.pattern" in line
    assert tables(run) == {}


async def test_a_fault_of_the_program_is_told_with_its_traceback_and_does_not_stop_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await make_run(tmp_path, 2, values=False)

    async def broken(*given: Any, **more: Any) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(command, "extract", broken)
    assert await follow(run, publish_archive=True) == ScraperError.exit_code
    err = capsys.readouterr().err
    assert err.startswith("Traceback ")
    assert err.endswith("error: unexpected ZeroDivisionError: of ours; please report it with the lines above\n")
    assert (tmp_path / "archive" / "index.html").exists()


async def test_an_archive_that_cannot_be_built_is_one_line_and_the_values_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await make_run(tmp_path, 2, values=False)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "mine.txt").write_text("mine")
    assert await follow(run, publish_archive=True) == 2
    assert only_line(capsys).startswith("error: archive: ")
    assert set(tables(run)) == TABLES
    assert files_of(tmp_path / "archive") == {"mine.txt": b"mine"}


async def test_values_that_another_process_writes_are_left_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await make_run(tmp_path, 1, values=False)
    async with OutLock(run.data, Disk()):
        assert await follow(run) == 2
    assert "another process writes values to" in only_line(capsys)
    assert await follow(run) == 0


async def test_a_wish_to_stop_that_came_before_begins_nothing(tmp_path: Path) -> None:
    run = await make_run(tmp_path, demo_vehicles(2), values=False)
    stop = StopRequest()
    stop.receive(signal.SIGTERM)
    with pytest.raises(Interrupted, match="reports that were fetched are in place") as caught:
        await follow(run, stop, publish_archive=True)
    assert caught.value.exit_code == 128 + signal.SIGTERM
    assert tables(run) == {}
    assert not (tmp_path / "archive").exists()
