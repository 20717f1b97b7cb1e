"""Each error that stops a run, from its real cause, and what its docstring promises then."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.begun import begin_run
from tests.support.program import Program, ended, judge, until

from .test_bad_input import check

PROFILES = Path(__file__).resolve().parents[2] / "jdp_scraper/portal/profiles"
VEHICLES = 12
MANY = 40  # where a run is to be stopped in the middle


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_settings_and_profile_are_judged_before_anything_is_opened(tmp_path: Path) -> None:
    """SettingsError and ProfileError."""
    async with DemoPortal.start(DemoOptions(vehicles=4)) as portal:
        check(await Program(tmp_path, portal, {"MAX_RETRIES": "often"}).run(), 2, "MAX_RETRIES", "'often'")
        profile = tmp_path / "mine.toml"
        profile.write_text((PROFILES / "jdpower.toml").read_text("utf-8").replace("checkbox =", "chekbox ="), "utf-8")
        program = Program(tmp_path, portal, {"PORTAL": str(profile)})
        check(await program.run(), 2, "license.chekbox: is no key", "license.checkbox: Field required")
        assert not program.downloads.exists()
        assert (await portal.ledger())["requests"] == 0


async def test_a_run_that_is_too_old_waits_for_a_word_and_nothing_is_begun(tmp_path: Path) -> None:
    """RunTooOld, of a run that was begun eight days ago."""
    async with DemoPortal.start(DemoOptions(vehicles=4)) as portal:
        program = Program(tmp_path, portal)
        await begin_run(program, portal, datetime.now(UTC) - timedelta(days=8))
        before = contents(program.run_folder)
        check(await program.run(), 2, "8 days old", "--resume", "--new")
        assert contents(program.run_folder) == before
        assert (await portal.ledger())["requests"] == 0
        assert (await program.run("--resume")).code == 0
        assert (await judge(program)).right == 4


async def test_a_checkpoint_that_cannot_be_read_is_left_as_it_is_and_new_begins_another_run(tmp_path: Path) -> None:
    """CheckpointUnreadable; and RunFolderError for a folder that holds no run."""
    async with DemoPortal.start(DemoOptions(vehicles=4)) as portal:
        program = Program(tmp_path, portal)
        assert (await program.run()).code == 0
        run = program.run_folder
        for name in ("checkpoint.json", "checkpoint.journal", "checkpoint.mirror"):
            (run / "run_data" / name).write_bytes(b"\xff not a checkpoint\n")
        before = contents(run)
        check(await program.run("status", str(run)), 2, "left as they are")
        check(await program.run("status", str(run / "pdfs")), 2, "is no run folder")
        last = await program.run("--new")
        assert last.code == 0, last.text
        assert f"{run.name} is passed over" in last.out
        assert contents(run) == before
        assert len(program.runs()) == 2


async def test_an_inventory_that_is_empty_ends_signed_out(tmp_path: Path) -> None:
    """InventoryError."""
    async with DemoPortal.start(DemoOptions(vehicles=0)) as portal:
        program = Program(tmp_path, portal)
        check(await program.run(), 2, "inventory is empty")
        ledger = await portal.ledger()
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)
        assert not program.runs()


async def test_what_was_proven_stays_where_the_folder_cannot_be_written_any_more(tmp_path: Path) -> None:
    """StorageError: a folder is gone in mid-run."""
    async with DemoPortal.start(DemoOptions(vehicles=40, latency="typical")) as portal:
        program = Program(tmp_path, portal)
        async with program.started() as process:
            await until(lambda: len(program.pdfs()) >= 3 or process.returncode is not None)
            moved = program.run_folder / "pdfs.away"
            (program.run_folder / "pdfs").rename(moved)
            last = await ended(process)
        check(last, 2, "cannot write", "pdfs")
        ledger = await portal.ledger()
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)
        assert len(list(moved.glob("*.pdf"))) >= 3
        moved.rename(program.run_folder / "pdfs")
        await portal.set(latency="none")
        assert (await program.run()).code == 0
        assert (await judge(program)).right == 40


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A file system that cannot be written, also by root."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro,size=100k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_folder_that_may_not_be_written_is_found_before_the_sign_in(tmp_path: Path, read_only: Path) -> None:
    """FolderNotWritable."""
    async with DemoPortal.start(DemoOptions(vehicles=4)) as portal:
        check(await Program(tmp_path, portal).run(), 2, "cannot write", read_only.name, "DOWNLOAD_FOLDER")
        assert (await portal.ledger())["requests"] == 0


async def test_a_portal_that_has_changed_ends_signed_out_until_the_profile_is_mended(tmp_path: Path) -> None:
    """PortalChanged: the grid's column has another name."""
    profile = tmp_path / "plain.toml"
    profile.write_text((PROFILES / "plain.toml").read_text("utf-8").replace('"Stock No." }', '"Lot No." }'), "utf-8")
    async with DemoPortal.start(DemoOptions(site="plain", vehicles=4)) as portal:
        program = Program(tmp_path, portal, {"PORTAL": str(profile)})
        check(await program.run(), 4, "'Lot No.'", "inventory.grid.reference")
        ledger = await portal.ledger()
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)
        assert not program.runs()
        assert (await Program(tmp_path, portal, {"PORTAL": "plain"}).run()).code == 0


async def test_a_browser_that_does_not_start_loses_nothing_of_the_run(tmp_path: Path) -> None:
    """BrowserLost: its program ends at once."""
    broken = tmp_path / "browser"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    async with DemoPortal.start(DemoOptions(vehicles=MANY, latency="typical")) as portal:
        program = Program(tmp_path, portal)
        last = await program.signalled(signal.SIGINT, lambda: len(program.pdfs()) >= 2)
        assert last.code == 130, last.text
        before = {path: path.stat().st_mtime_ns for path in program.pdfs()}
        assert 2 <= len(before) < MANY
        lost = await Program(tmp_path, portal, {"BROWSER_PATH": str(broken)}).run()
        check(lost, 4, str(broken), "cannot be started")
        assert {path: path.stat().st_mtime_ns for path in program.pdfs()} == before
        assert (await portal.ledger())["sign_ins"] == 1
        assert (await program.run()).code == 0
        assert (await judge(program)).right == MANY
        assert before.items() <= {path: path.stat().st_mtime_ns for path in program.pdfs()}.items()
