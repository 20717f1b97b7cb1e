"""Each kind of bad input or bad luck gives one clear line and its exit code, and loses nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from jdp_scraper.cli import COMMANDS
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.demo.visitor import Visitor
from tests.support.program import Ended, Program, judge

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "jdp_scraper/portal/profiles"


def check(ended: Ended, code: int, *parts: str) -> None:
    """One line on standard error that says what, where and what to do, in ASCII, and the exit code."""
    lines = ended.err.splitlines()
    assert ended.code == code, ended.text
    assert len(lines) == 1, ended.text
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0], lines[0]


async def test_wrong_password_is_tried_once_and_never_again_until_changed(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4)) as portal:
        wrong = Program(tmp_path, portal, {"JD_PASS": "not-the-password"})
        ended = await wrong.run()
        check(ended, 3, "refused", "JD_USER and JD_PASS")
        assert "signing in at" in ended.out
        remembered = await wrong.run()
        check(remembered, 3, "not tried again", "--retry-sign-in")
        assert "signing in" not in remembered.out
        ledger = await portal.ledger()
        assert ledger["refused"] == {"bad_password": 1}
        assert not wrong.runs()
        assert "not-the-password" not in ended.text
        check(await wrong.run("--retry-sign-in"), 3, "refused")
        assert (await portal.ledger())["refused"] == {"bad_password": 2}
        assert (await Program(tmp_path, portal).run()).code == 0


async def test_account_in_use_ends_after_the_wait(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4, lockout_s=300)) as portal:
        await _occupy(portal)
        check(await Program(tmp_path, portal).run(), 3, "in use", "LOCK_WAIT_S")
        ended = await Program(tmp_path, portal, {"LOCK_WAIT_S": "1"}).run()
        check(ended, 3, "waited 1 s")
        assert "waiting, 00:00:01 left" in ended.out
        assert (await portal.ledger())["refused"]["in_use"] == 3


async def test_account_in_use_is_waited_for(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4, lockout_s=2)) as portal:
        await _occupy(portal)
        ended = await Program(tmp_path, portal, {"LOCK_WAIT_S": "6"}).run()
        assert ended.code == 0, ended.text


async def _occupy(portal: DemoPortal) -> None:
    """Sign in as somebody else would, and leave."""
    async with httpx.AsyncClient(base_url=portal.url, follow_redirects=True, timeout=60) as client:
        await Visitor(client).sign_in()


@pytest.mark.parametrize(
    ("account", "part"),
    [("locked", "account is locked"), ("second_factor", "does not know"), ("expired_password", "does not know")],
)
async def test_an_account_that_only_a_person_can_help(tmp_path: Path, account: str, part: str) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4, account=account)) as portal:  # type: ignore[arg-type]
        program = Program(tmp_path, portal)
        ended = await program.run()
        check(ended, 3, part)
        pictures = list((program.downloads / "sign-in").glob("*.png"))
        assert bool(pictures) == (account != "locked")
        assert all(str(picture.name) in ended.err for picture in pictures)
        assert not program.runs()


async def test_portal_down(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    check(await Program(tmp_path, None, {"PORTAL_URL": url}).run(), 4, url, "ERR_CONNECTION_REFUSED", "PORTAL_URL")
    async with DemoPortal.start(DemoOptions(vehicles=4, down=True)) as portal:
        check(await Program(tmp_path, portal).run(), 4, "503")


async def test_no_browser(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path), "PORTAL_URL": "http://127.0.0.1:9"}
    ended = await Program(tmp_path, None, environment).run()
    check(ended, 4, "no browser was found", "playwright install", "BROWSER_PATH")
    missing = str(tmp_path / "none")
    ended = await Program(tmp_path, None, {"BROWSER_PATH": missing, "PORTAL_URL": "http://127.0.0.1:9"}).run()
    check(ended, 2, "BROWSER_PATH", missing)


async def test_no_driver_and_it_never_sees_the_password(tmp_path: Path) -> None:
    seen, driver = tmp_path / "seen", tmp_path / "driver"
    driver.write_text(f"#!/bin/sh\nenv > '{seen}'\nexit 1\n")
    driver.chmod(0o755)
    for name in ("JD_PASS", "jd_pass"):
        environment = {
            "PLAYWRIGHT_NODEJS_PATH": str(driver),
            "PORTAL_URL": "http://127.0.0.1:9",
            "DEBUG": "pw:*",
            "JD_PASS": "",
            name: "none-may-see-it",
        }
        check(await Program(tmp_path, None, environment).run(), 4, "did not start")
        told = seen.read_text()
        assert "JD_USER=" in told
        assert "none-may-see-it" not in told and "pw:*" not in told
    for missing in (driver, tmp_path / "none"):
        environment = {"PLAYWRIGHT_NODEJS_PATH": str(missing), "JD_PASS": ""}
        check(await Program(tmp_path, None, environment).run(), 2, "JD_PASS", ".env")


async def test_a_driver_that_hangs_is_not_left_behind_by_a_bad_setting(tmp_path: Path) -> None:
    begun, driver = tmp_path / "begun", tmp_path / "driver"
    driver.write_text(f"#!/bin/sh\necho $$ > '{begun}'\nwhile :; do sleep 0.1; done\n")
    driver.chmod(0o755)
    check(await Program(tmp_path, None, {"PLAYWRIGHT_NODEJS_PATH": str(driver), "JD_PASS": ""}).run(), 2, "JD_PASS")
    number = int(begun.read_text())
    assert not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


async def test_usage(tmp_path: Path) -> None:
    program = Program(tmp_path)
    check(await program.run("--no-such-option"), 2, "--no-such-option", "python main_async.py run --help")
    check(await program.run("verify", "--max", "3"), 2, "--max", "python main_async.py verify --help")
    check(await program.run("stauts"), 2, "'stauts' is no command", ", ".join(COMMANDS))
    check(await program.run("demo-portal", "--port", "80000"), 2, "demo portal", "65535")
    check(await program.run("--only", " "), 2, "--only")
    told = await program.run("--help")
    assert told.code == 0 and "python main_async.py run --help" in " ".join(told.out.split())


async def test_settings(tmp_path: Path) -> None:
    check(await Program(tmp_path, None, {"CONCURRENT_CONTEXTS": "many"}).run(), 2, "CONCURRENT_CONTEXTS", "'many'")
    check(await Program(tmp_path, None, {"HEADLESS": "perhaps"}).run(), 2, "HEADLESS", "'perhaps'")
    check(await Program(tmp_path, None, {"JD_PASS": ""}).run(), 2, "JD_PASS", ".env")
    check(await Program(tmp_path, None).run("--pages", "none"), 2, "--pages")


async def test_doctor_checks_what_it_can_although_a_setting_is_bad(tmp_path: Path) -> None:
    bad = {"PORTAL_URL": "portal.example", "MAX_RETRIES": "often"}
    ended = await Program(tmp_path, None, bad).run("doctor")
    assert (ended.code, ended.err) == (2, ""), ended.text
    fault, *others = ended.out.splitlines()
    assert fault.startswith("FAIL  settings ") and "PORTAL_URL 'portal.example'" in fault and "MAX_RETRIES" in fault
    assert [line[:15].split() for line in others] == [
        ["skip", "profile"],
        ["ok", "folder"],
        ["ok", "browser"],
        ["skip", "portal"],
    ]
    assert others[3].endswith("not checked without PORTAL_URL")


async def test_profile(tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text((PROFILES / "jdpower.toml").read_text("utf-8").replace("checkbox =", "chekbox ="), "utf-8")
    ended = await Program(tmp_path, None, {"PORTAL": str(profile)}).run()
    check(ended, 2, "license.chekbox: is no key", "license.checkbox: Field required", "docs/profiles.md")
    check(await Program(tmp_path, None, {"PORTAL": "jdpwer"}).run(), 2, "'jdpwer'", "jdpower")


async def test_export_without_the_column(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4, csv_without="Reference Number")) as portal:
        program = Program(tmp_path, portal)
        ended = await program.run()
        check(ended, 2, "'Reference Number'", "columns found: 'Year', 'Make', 'Model'", "profile")
        ledger = await portal.ledger()
        assert (ledger["sign_outs"], ledger["open_sessions"]) == (1, 0)
        assert not program.runs()


async def test_download_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with DemoPortal.start(DemoOptions(vehicles=4)) as portal:
        folder = str(tmp_path / "file" / "downloads")
        check(await Program(tmp_path, portal, {"DOWNLOAD_FOLDER": folder}).run(), 2, "cannot write", folder)
        assert (await portal.ledger())["sign_ins"] == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that has room for some PDFs and no more."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_full_disk_stops_in_order_and_the_next_start_goes_on(tmp_path: Path, small_disk: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=40)) as portal:
        program = Program(tmp_path, portal)
        ended = await program.run()
        ledger = await portal.ledger()
        check(ended, 2, "the disk is full", "make room")
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)
        kept = {(path.name, path.stat().st_ino) for path in program.pdfs()}
        assert kept
        if os.geteuid() == 0:
            subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
        ended = await program.run()
        assert ended.code == 0, ended.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (40, [])
        assert kept <= {(path.name, path.stat().st_ino) for path in program.pdfs()}  # the very same files
