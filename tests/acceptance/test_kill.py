"""``kill -9`` at the moments that cost most: the next start goes on, and the account is free when it has ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Ended, Program, asked_twice, ended, until_portal

PROFILES = Path(__file__).resolve().parents[2] / "jdp_scraper/portal/profiles"
HOLD = DemoOptions(vehicles=4, lockout_s=300, hang_s=600)


async def killed(program: Program, portal: DemoPortal, when: Callable[[dict[str, Any]], bool]) -> Ended:
    """Start the program and kill it as soon as the portal's ledger tells what is waited for."""
    async with program.started() as process:
        await until_portal(portal, when, process)
        process.kill()
        return await ended(process)


def lease(program: Program) -> Any:
    (path,) = (program.downloads / ".session").glob("*.json")
    return json.loads(path.read_text("ascii"))


def impatient(tmp_path: Path) -> str:
    """Return a profile that looks every second whether the account is free, so that a short lock-out is enough."""
    profile = tmp_path / "impatient.toml"
    text = (PROFILES / "jdpower.toml").read_text("utf-8")
    profile.write_text(text.replace("[license]", "in_use_retry_s = 1\n\n[license]"), "utf-8")
    return str(profile)


async def kill_in_the_window(program: Program, portal: DemoPortal) -> None:
    """Kill it while the session is open at the portal and the answer that holds its cookie is still under way."""
    await portal.fault("late_answer")
    last = await killed(program, portal, lambda ledger: ledger["open_sessions"] == 1)
    assert last.code == -9, last.text
    assert (await portal.ledger())["sign_ins"] == 1
    assert lease(program)["phase"] == "signing_in"
    assert ".ASPXAUTH" not in {cookie["name"] for cookie in lease(program)["cookies"]}


async def test_a_kill_before_the_sign_in_s_answer_waits_the_lock_out_out_with_a_countdown(tmp_path: Path) -> None:
    async with DemoPortal.start(HOLD) as portal:
        program = Program(tmp_path, portal, {"PORTAL": impatient(tmp_path)})
        await kill_in_the_window(program, portal)
        async with program.started() as process:
            await until_portal(portal, lambda ledger: ledger["refused"].get("in_use"), process)
            await portal.set(lockout_s=0)
            last = await ended(process)
        ledger = await portal.ledger()
        assert last.code == 0, last.text
        assert "in use: waiting, 00:00:0" in last.out
        assert ledger["refused"]["in_use"] >= 1
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (2, 1, 0)


async def test_a_lock_out_is_not_waited_for_where_the_user_says_so(tmp_path: Path) -> None:
    async with DemoPortal.start(HOLD) as portal:
        program = Program(tmp_path, portal, {"PORTAL": impatient(tmp_path), "LOCK_WAIT_S": "0"})
        await kill_in_the_window(program, portal)
        last = await program.run()
        assert last.code == 3, last.text
        assert "in use" in last.err
        assert (await portal.ledger())["refused"] == {"in_use": 1}


@pytest.mark.parametrize("site", ["jdpower", "plain"])
async def test_a_kill_at_the_sign_out_is_made_good_by_a_start_that_finds_nothing_left_to_fetch(
    tmp_path: Path, site: str
) -> None:
    async with DemoPortal.start(DemoOptions(site=site, vehicles=4, lockout_s=300)) as portal:  # type: ignore[arg-type]
        program = Program(tmp_path, portal, {"PORTAL": site})
        await portal.fault("hang", at="sign_out")
        await killed(program, portal, lambda ledger: ledger["faults"].get("hang@sign_out", 0) == 1)
        assert len(program.pdfs()) == 4
        assert (await portal.ledger())["open_sessions"] == 1
        last = await program.run()
        ledger = await portal.ledger()
        assert last.code == 0, last.text
        assert "nothing is left to do" in last.out and "no sign-in was needed" in last.out
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)
        assert not list((program.downloads / ".session").glob("*.json"))
        assert asked_twice(ledger) == {}


async def test_a_session_that_cannot_be_ended_now_is_kept_for_the_next_start(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4, lockout_s=300)) as portal:
        program = Program(tmp_path, portal)
        await portal.fault("hang", at="sign_out")
        await killed(program, portal, lambda ledger: ledger["faults"].get("hang@sign_out", 0) == 1)
        await portal.set(down=True)
        last = await program.run()
        assert "warning: an earlier run left a session open" in last.out
        assert lease(program)["phase"] == "signed_in"
        await portal.set(down=False)
        assert (await program.run()).code == 0  # the finished run is not gone on with: another one, on the same session
        ledger = await portal.ledger()
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)
        assert len(program.runs()) == 2
