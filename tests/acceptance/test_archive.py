"""The command ``archive`` as a process: killed at any moment, twice at once, on a full disk, on bad input."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from jdp_scraper.archive.link_check import check_links
from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.events import Bus
from tests.support.program import Ended, Program, ended, until
from tests.support.run_folders import STARTED, demo_vehicles, files_of, make_run

WEEK = timedelta(days=7)
KILLS = 20
FETCHED = 4
# The one that shows PDFs; the headless shell does not.
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def check(last: Ended, code: int, *parts: str) -> None:
    """One line on standard error that says what, where and what to do, and the exit code."""
    lines = last.err.splitlines()
    assert last.code == code, last.text
    assert len(lines) == 1, last.text
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0], lines[0]


def tree(program: Program) -> dict[str, bytes]:
    return files_of(program.downloads / "archive")


async def test_the_archive_is_built_and_built_again_without_credentials(tmp_path: Path) -> None:
    program = Program(tmp_path, environment={"JD_USER": "", "JD_PASS": "", "MAX_WORKERS": "2"})
    lot = demo_vehicles(3)
    await make_run(program.downloads, lot)
    first = await program.run("archive", "--verbose")
    assert (first.code, first.err) == (0, ""), first.text
    assert "archive of 3 vehicles in 1 run: 3 PDFs, 3 of them made ready, 4 pages made" in first.out
    assert "parallel, 2 workers" in first.out and "busy" in first.out and "saved" in first.out
    assert check_links(program.downloads / "archive").broken == ()
    second = await program.run("archive")
    assert second.code == 0
    assert "nothing has changed" in second.out
    await make_run(program.downloads, lot, started=STARTED + WEEK)
    elsewhere = await program.run("archive", "2026-11-22", "--out", "public/values")
    assert elsewhere.code == 0, elsewhere.text
    assert "3 vehicles in 1 run" in elsewhere.out
    assert check_links(tmp_path / "public" / "values").links > 0


@pytest.mark.skipif(CHROMIUM is None, reason="no full Chromium is installed, which shows PDFs")
async def test_a_run_ends_with_an_archive_in_which_a_vin_is_searched_and_its_report_seen(tmp_path: Path) -> None:
    program = Program(tmp_path, environment={"EXTRACT_VALUES": "true", "PUBLISH_ARCHIVE": "true"})
    last = await program.run("run", "--demo", "--new", "--max", str(FETCHED))
    assert (last.code, last.err) == (0, ""), last.text
    assert f"archive of {FETCHED} vehicles in 1 run" in last.out
    index = program.downloads / "archive" / "index.html"
    rows = [json.loads(line) for line in (program.run_folder / "run_data" / "values.jsonl").read_text().splitlines()]
    assert len(rows) == FETCHED
    wanted = rows[-1]
    (copy,) = (program.downloads / "archive" / "pdfs").glob(f"{Path(wanted['file']).stem}.*.pdf")
    assert copy.read_bytes() == (program.run_folder / wanted["file"]).read_bytes()
    async with BrowserSession(BrowserOptions(path=Path(str(CHROMIUM)), step_timeout_s=60.0), Bus()) as session:
        page = await session.new_page()
        await page.goto(index.as_uri())
        found = page.locator("#vehicles tbody tr")
        await expect(found).to_have_count(FETCHED)
        await page.get_by_role("searchbox").press_sequentially(wanted["vin"].lower())
        await expect(found).to_have_count(1)
        await page.get_by_role("link", name=wanted["reference"], exact=True).click()
        retail = f"${int(float(wanted['clean_retail'])):,}"
        await expect(page.get_by_text(retail).first).to_be_visible()
        await expect(page.locator("object[type='application/pdf']")).to_be_in_viewport()
        await expect(page.locator(".instead")).to_be_hidden()
        await until(lambda: any(one.url.startswith(copy.as_uri()) for one in page.frames))


async def test_what_settings_do_not_ask_for_is_not_built(tmp_path: Path) -> None:
    program = Program(tmp_path, environment={"EXTRACT_VALUES": "false"})
    last = await program.run("run", "--demo", "--new", "--max", "1")
    assert last.code == 0, last.text
    assert not (program.downloads / "archive").exists()
    assert not (program.run_folder / "run_data" / "values.jsonl").exists()


async def test_an_archive_that_cannot_be_built_costs_the_run_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path, environment={"EXTRACT_VALUES": "true", "PUBLISH_ARCHIVE": "true"})
    (program.downloads / "archive").mkdir(parents=True)
    (program.downloads / "archive" / "mine.txt").write_text("mine")
    last = await program.run("run", "--demo", "--new", "--max", "1")
    assert last.code == 2, last.text
    assert last.err.startswith("error: archive: ") and "holds other files" in last.err
    assert len(program.pdfs()) == 1
    assert files_of(program.downloads / "archive") == {"mine.txt": b"mine"}


async def test_twenty_kills_at_random_moments_leave_a_whole_archive_each(tmp_path: Path) -> None:
    program = Program(tmp_path, environment={"MAX_WORKERS": "2"})
    lot = demo_vehicles(12)
    await make_run(program.downloads, lot[:10])
    newer = await make_run(program.downloads, lot[2:], started=STARTED + WEEK)
    away = tmp_path / "away"
    whole: list[dict[str, bytes]] = []
    seconds = 0.0
    for _ in range(2):  # both states, each as a build that nobody disturbs leaves it
        began = time.monotonic()
        assert (await program.run("archive")).code == 0
        seconds = max(seconds, time.monotonic() - began)
        whole.append(tree(program))
        shutil.move(*((newer.path, away) if newer.path.exists() else (away, newer.path)))
    assert whole[0] != whole[1]
    chance = random.Random(5)
    killed = tries = 0
    while killed < KILLS:
        tries += 1
        assert tries <= 5 * KILLS
        if tries % 4 == 1:  # all the work, not only what has changed
            shutil.rmtree(program.downloads / ".archive.build", ignore_errors=True)
        if tries > 1:
            shutil.move(*((newer.path, away) if newer.path.exists() else (away, newer.path)))
        async with program.started("archive") as process:
            began = time.monotonic()
            moment = began + chance.uniform(0.2, 1.0) * seconds
            await until(lambda at=moment: time.monotonic() > at or process.returncode is not None)  # type: ignore[misc]
            if process.returncode is None:
                process.kill()
            else:  # how long a build takes varies with what the machine does besides
                seconds = time.monotonic() - began
            killed += (await ended(process)).code == -signal.SIGKILL
        assert tree(program) in whole, f"kill {killed} of {tries} builds"
        assert check_links(program.downloads / "archive").broken == ()
    assert (await program.run("archive")).code == 0
    assert tree(program) == whole[0 if newer.path.exists() else 1]
    assert {path.name for path in (program.downloads / ".archive.build").iterdir()} >= {"catalog.sqlite", "lock"}
    assert not (program.downloads / ".archive.build" / "next").exists()


async def test_two_builds_at_once_are_one_build_and_one_line(tmp_path: Path) -> None:
    program = Program(tmp_path)
    await make_run(program.downloads, 20)
    async with program.started("archive") as first:
        state = program.downloads / ".archive.build"
        await until(lambda: (state / "next").exists() or first.returncode is not None)
        os.kill(first.pid, signal.SIGSTOP)  # it holds the lock for as long as the other one takes
        second = await program.run("archive")
        os.kill(first.pid, signal.SIGCONT)
        check(second, 2, "another build of", "is under way")
        assert (await ended(first)).code == 0
    assert check_links(program.downloads / "archive").broken == ()


async def test_ctrl_c_ends_at_once_and_leaves_the_archive_as_it_was(tmp_path: Path) -> None:
    program = Program(tmp_path)
    await make_run(program.downloads, 20)
    begun = (program.downloads / ".archive.build" / "next").exists
    last = await program.signalled(signal.SIGINT, begun, "archive")
    assert last.code == 130, last.text
    assert not (program.downloads / "archive").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that has room for an archive and not for another one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_leaves_the_archive_as_it_was(tmp_path: Path, small_disk: Path) -> None:
    program = Program(tmp_path)
    lot = demo_vehicles(20)
    await make_run(program.downloads, lot[:3])
    assert (await program.run("archive", "--out", "small/archive")).code == 0
    before = files_of(small_disk / "archive")
    await make_run(program.downloads, lot, started=STARTED + WEEK)
    last = await program.run("archive", "--out", "small/archive")
    check(last, 2, "the disk is full", "make room")
    assert files_of(small_disk / "archive") == before
    if os.geteuid() == 0:
        await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert (await program.run("archive", "--out", "small/archive")).code == 0
    assert len(files_of(small_disk / "archive")) > len(before)


async def test_bad_input_is_one_line_and_leaves_the_archive_as_it_was(tmp_path: Path) -> None:
    program = Program(tmp_path)
    check(await program.run("archive"), 2, "no runs in", "name a folder of PDFs")
    await make_run(program.downloads, 1)
    assert (await program.run("archive")).code == 0
    before = tree(program)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    check(await program.run("archive", "empty"), 2, "holds no PDFs")
    check(await program.run("archive", "notes.txt"), 2, "neither a run nor a folder")
    check(await program.run("archive", "--out", "."), 2, "holds other files")
    assert not tmp_path.with_name(f".{tmp_path.name}.build").exists()
    assert tree(program) == before
    assert (tmp_path / "notes.txt").read_text() == "mine"


async def test_a_file_that_is_no_pdf_is_told_and_the_rest_is_there(tmp_path: Path) -> None:
    program = Program(tmp_path)
    run = await make_run(program.downloads, 2)
    run.pdfs.rename(tmp_path / "lot")
    (tmp_path / "lot" / "page.pdf").write_text("<html>")
    last = await program.run("archive", "lot", "--out", "values")
    assert (last.code, last.err) == (1, ""), last.text
    (line,) = [one for one in last.out.splitlines() if one.startswith("warning: ")]
    assert line.endswith("page.pdf: it is not a PDF")
    assert len(list((tmp_path / "values" / "pdfs").iterdir())) == 2
