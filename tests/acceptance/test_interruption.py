"""A run that is cut off at any moment leaves no session open that it can close, loses nothing and goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from jdp_scraper.demo.options import DemoOptions, Links
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.portal.profile_file import load_profile
from jdp_scraper.portal.sign_out import is_over
from jdp_scraper.portal.site import Site
from tests.support.program import Program, asked_twice, ended, judge, until, until_portal

VEHICLES = 40
SLOW_ENOUGH = DemoOptions(vehicles=VEHICLES, latency="typical", lockout_s=300)


def some_are_done(program: Program, least: int = 3) -> bool:
    return len(program.runs()) == 1 and len(program.pdfs()) >= least


def was_just_saved(program: Program) -> bool:
    """Tell whether the session's cookies were written a moment ago."""
    saved = [path.stat().st_mtime for path in (program.downloads / ".session").glob("*.json")]
    return bool(saved) and time.time() - max(saved) < 0.2


async def finish(program: Program, portal: DemoPortal) -> dict[str, int]:
    """Start again at a portal that is fast now, and return what each vehicle's report was asked for."""
    await portal.set(latency="none")
    last = await program.run()
    assert last.code == 0, last.text
    judged = await judge(program)
    assert (judged.right, judged.wrong) == (VEHICLES, [])
    ledger = await portal.ledger()
    assert ledger["open_sessions"] == 0
    assert ledger["refused"].get("in_use", 0) == 0
    return dict(ledger["reports_asked"])


@pytest.mark.parametrize(
    ("number", "group"),
    [
        (signal.SIGINT, False),
        (signal.SIGTERM, False),
        (signal.SIGHUP, False),
        (signal.SIGINT, True),
        (signal.SIGTERM, True),
        (signal.SIGHUP, True),
    ],
)
async def test_a_signal_ends_signed_out_and_the_next_start_goes_on(
    tmp_path: Path, number: signal.Signals, group: bool
) -> None:
    async with DemoPortal.start(SLOW_ENOUGH) as portal:
        program = Program(tmp_path, portal)
        last = await program.signalled(number, lambda: some_are_done(program), group=group)
        ledger = await portal.ledger()
        assert last.code == 128 + number, last.text
        assert "start again and it goes on" in last.err
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0), last.text
        before = {path.name: path.stat().st_mtime_ns for path in program.pdfs()}
        assert 0 < len(before) < VEHICLES
        await finish(program, portal)
        assert before.items() <= {path.name: path.stat().st_mtime_ns for path in program.pdfs()}.items()


async def test_after_kill_9_the_next_start_needs_no_sign_in_and_fetches_nothing_twice(tmp_path: Path) -> None:
    async with DemoPortal.start(SLOW_ENOUGH) as portal:
        program = Program(tmp_path, portal)
        last = await program.signalled(signal.SIGKILL, lambda: some_are_done(program))
        assert last.code == -signal.SIGKILL
        assert (await portal.ledger())["open_sessions"] == 1
        kept = {path.name: path.stat().st_mtime_ns for path in program.pdfs()}
        lease = next((program.downloads / ".session").glob("*.json"))
        assert lease.stat().st_mode & 0o777 == 0o600
        asked = await finish(program, portal)
        ledger = await portal.ledger()
        assert (ledger["sign_ins"], ledger["sign_outs"]) == (1, 1)
        assert kept.items() <= {path.name: path.stat().st_mtime_ns for path in program.pdfs()}.items()
        assert sum(asked.values()) <= VEHICLES + 2 * 5  # what was in hand: at most two reports a page
        assert not lease.exists()


async def test_after_kill_9_and_an_expired_session_the_next_start_signs_in(tmp_path: Path) -> None:
    async with DemoPortal.start(SLOW_ENOUGH) as portal:
        program = Program(tmp_path, portal)
        await program.signalled(signal.SIGKILL, lambda: some_are_done(program))
        await portal.expire()
        await finish(program, portal)
        assert (await portal.ledger())["sign_ins"] == 2


async def test_a_run_that_ended_with_failures_tries_them_again(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=8)) as portal:
        program = Program(tmp_path, portal, {"MAX_RETRIES": "1", "RETRY_WAIT_S": "0"})
        await portal.fault("error_500", at="create", times=-1, match="165530A")
        last = await program.run()
        assert last.code == 1, last.text
        assert "165530A" in last.out
        assert program.data("tracking.json")["165530A"] is None
        evidence = program.run_folder / "run_data" / "failures" / "165530A"
        assert {path.name for path in evidence.iterdir()} == {"error.json", "page.html", "screenshot.png"}
        chosen = await program.run("--only", "165530")
        assert chosen.code == 0, chosen.text
        assert "7 of 8 done, 1 failed before" in chosen.out and "tried again" not in chosen.out
        assert "the chosen vehicles are done; others left of this run: 1" in chosen.out
        await portal.clear_faults()
        assert (await program.run()).code == 0
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (8, [])
        assert asked_twice(await portal.ledger()) == {}
        assert (await program.run("--max", "2")).code == 0  # a finished run is not gone on with
        assert len(program.runs()) == 2


async def test_two_at_once_on_one_folder_are_refused(tmp_path: Path) -> None:
    async with DemoPortal.start(SLOW_ENOUGH) as portal:
        program = Program(tmp_path, portal)
        async with program.started() as first:
            await until(lambda: some_are_done(program, 1))
            second = await program.run()
            assert second.code == 2
            assert f"process {first.pid}" in second.err
            first.send_signal(signal.SIGINT)
            assert (await ended(first)).code == 130


@pytest.mark.parametrize("delay_s", [0.0, 0.3, 1.0])
async def test_a_signal_during_the_sign_in_leaves_no_session_open(tmp_path: Path, delay_s: float) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=6, latency="slow")) as portal:
        program = Program(tmp_path, portal)
        async with program.started() as process:
            await until_portal(portal, lambda ledger: ledger["sign_ins"], process)
            await asyncio.sleep(delay_s)  # what the sign-in is at then is what varies, not what is waited for
            process.send_signal(signal.SIGINT)
            last = await ended(process)
        ledger = await portal.ledger()
        assert last.code == 130, last.text
        assert (ledger["sign_ins"], ledger["open_sessions"]) == (1, 0), last.text


async def test_a_signal_before_there_is_a_run_promises_none(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=6)) as portal:
        await portal.fault("hang", at="sign_in_page")
        program = Program(tmp_path, portal)
        async with program.started() as process:
            await until_portal(portal, lambda ledger: ledger["faults"], process)
            process.send_signal(signal.SIGINT)
            last = await ended(process)
        assert (last.code, last.err) == (130, "error: Interrupted: nothing was begun.\n"), last.text
        assert program.runs() == []


async def test_cookies_that_the_portal_renews_are_good_after_kill_9(tmp_path: Path) -> None:
    renewing = DemoOptions(vehicles=VEHICLES, latency="typical", rotate_every=30)
    async with DemoPortal.start(renewing) as portal:
        program = Program(tmp_path, portal)
        # A renewal of the last second may not be saved yet, and on a slow machine it may be a long one.
        await program.signalled(signal.SIGKILL, lambda: some_are_done(program, 15) and was_just_saved(program))
        (lease,) = (program.downloads / ".session").glob("*.json")
        cookies = json.loads(lease.read_text("ascii"))["cookies"]
        assert not await is_over(cookies, Site(load_profile("jdpower"), portal.url))
        await portal.set(rotate_grace_s=600)  # a slow machine's next start may come too late for the one before last
        await finish(program, portal)


async def test_slow_reports_are_waited_for_while_they_come(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=2, drip_bytes_s=4096)) as portal:
        await portal.fault("slow_drip", at="pdf", times=-1)
        program = Program(tmp_path, portal, {"TASK_TIMEOUT_S": "8"})
        last = await program.run("--pages", "2")
        assert last.code == 0, last.text
        assert asked_twice(await portal.ledger()) == {}


@pytest.mark.parametrize("links", ["address", "session"])
async def test_a_session_that_ends_in_mid_run_is_mended_once_for_all(tmp_path: Path, links: Links) -> None:
    """Also where it takes along the addresses that the walk has shown: no vehicle uses up a try by it."""
    async with DemoPortal.start(replace(SLOW_ENOUGH, links=links, page_size=5)) as portal:
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0"})
        async with program.started() as process:
            await until(lambda: some_are_done(program) or process.returncode is not None)
            await portal.expire()
            last = await ended(process)
        ledger = await portal.ledger()
        assert last.code == 0, last.text
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (2, 1, 0)
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (VEHICLES, [])
