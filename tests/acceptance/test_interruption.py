"""A run that is cut off at any moment leaves no session open that it can close, loses nothing and goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Program, asked_twice, judge

VEHICLES = 40
SLOW_ENOUGH = DemoOptions(vehicles=VEHICLES, latency="typical", lockout_s=300)


def some_are_done(program: Program, least: int = 3) -> bool:
    return len(program.runs()) == 1 and len(program.pdfs()) >= least


async def finish(program: Program, portal: DemoPortal) -> dict[str, int]:
    """Start again at a portal that is fast now, and return what each vehicle's report was asked for."""
    await portal.set(latency="none")
    ended = await program.run()
    assert ended.code == 0, ended.text
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
        ended = await program.signalled(number, lambda: some_are_done(program), group=group)
        ledger = await portal.ledger()
        assert ended.code == 128 + number, ended.text
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0), ended.text
        before = {path.name: path.stat().st_mtime_ns for path in program.pdfs()}
        assert 0 < len(before) < VEHICLES
        await finish(program, portal)
        assert before.items() <= {path.name: path.stat().st_mtime_ns for path in program.pdfs()}.items()


async def test_after_kill_9_the_next_start_needs_no_sign_in_and_fetches_nothing_twice(tmp_path: Path) -> None:
    async with DemoPortal.start(SLOW_ENOUGH) as portal:
        program = Program(tmp_path, portal)
        ended = await program.signalled(signal.SIGKILL, lambda: some_are_done(program))
        assert ended.code == -signal.SIGKILL
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
        ended = await program.run()
        assert ended.code == 1, ended.text
        assert "165530A" in ended.out
        assert program.data("tracking.json")["165530A"] is None
        evidence = program.run_folder / "run_data" / "failures" / "165530A"
        assert {path.name for path in evidence.iterdir()} == {"error.json", "page.html", "screenshot.png"}
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
            from tests.support.program import ended, until

            await until(lambda: some_are_done(program, 1))
            second = await program.run()
            assert second.code == 2
            assert f"process {first.pid}" in second.err
            first.send_signal(signal.SIGINT)
            assert (await ended(first)).code == 130
