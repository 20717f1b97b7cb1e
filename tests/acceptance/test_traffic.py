"""The real program on a portal that fails, throttles, or makes reports for the session instead of the page."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from pathlib import Path
from typing import Any

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Program, ended, judge, until

OUTAGE_S = 19.0


def events(program: Program, name: str) -> list[dict[str, Any]]:
    lines = (program.run_folder / "run_data" / "run.log").read_text("ascii").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == name]


async def test_a_portal_that_is_bound_to_the_session_is_found_out_and_every_report_is_right(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=60, bound="session")) as portal:
        program = Program(tmp_path, portal, {"MAX_RETRIES": "2"})
        done = await program.run("--pages", "5")
        assert done.code == 0, done.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (60, [])
        assert program.data("metrics.json")["narrowed_after"] == 3
        assert "one page at a time" in done.out.partition("this start")[2]
        assert {event["attempt"] for event in events(program, "TaskDone")} == {1}


async def test_wrong_reports_by_chance_are_tried_again_and_do_not_narrow_the_run(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=40)) as portal:
        vehicles = await portal.inventory()
        for number in (20, 25, 30, 35):
            await portal.fault("other_vehicle", at="pdf", match=vehicles[number]["vin"])
        program = Program(tmp_path, portal, {"RETRY_WAIT_S": "0.1"})
        done = await program.run("--pages", "5")
        assert done.code == 0, done.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (40, [])
        metrics = program.data("metrics.json")
        assert (metrics["errors"], metrics["narrowed_after"]) == ({"ReportMismatch": 4}, None)


async def test_an_outage_in_mid_run_is_waited_out_and_no_vehicle_is_lost(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=40, latency="typical")) as portal:
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0"})
        async with program.started("--pages", "5") as process:
            await until(lambda: len(program.pdfs()) >= 10)
            await portal.set(down=True)
            await asyncio.sleep(OUTAGE_S)  # the length of the outage is what is tested
            await portal.set(down=False)
            done = await ended(process)
        ledger = await portal.ledger()
        assert done.code == 0, done.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (40, [])
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)
        assert "the portal fails" in done.out and "the portal is back" in done.out
        assert program.data("metrics.json")["pauses"]["the portal failed"]["count"] == 1


async def test_a_portal_that_does_not_come_back_stops_the_run_and_the_next_start_goes_on(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=40, latency="typical")) as portal:
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0", "PORTAL_DOWN_WAIT_S": "2", "RETRY_WAIT_S": "0"})
        async with program.started("--pages", "5") as process:
            await until(lambda: len(program.pdfs()) >= 5)
            await portal.set(down=True)
            stopped = await ended(process)
        assert stopped.code == 4, stopped.text
        assert "PORTAL_DOWN_WAIT_S" in stopped.err
        assert not events(program, "TaskFailed")
        await portal.set(down=False, latency="none")
        done = await program.run()
        assert done.code == 0, done.text
        assert (await judge(program)).right == 40
        assert (await portal.ledger())["open_sessions"] == 0


async def test_a_few_reports_that_the_portal_always_refuses_fail_finally_and_the_run_ends(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=12)) as portal:
        bad = (await portal.inventory())[-4:]
        for vehicle in bad:
            await portal.fault("error_500", at="create", times=-1, match=vehicle["vin"])
        program = Program(tmp_path, portal, {"MAX_RETRIES": "1", "RETRY_WAIT_S": "0.5"})
        done = await program.run("--pages", "4")
        assert done.code == 1, done.text
        assert {event["key"] for event in events(program, "TaskFailed")} == {vehicle["reference"] for vehicle in bad}
        assert (await judge(program)).right == 8


async def test_a_portal_that_throttles_is_obeyed_by_all_and_no_try_is_used_up(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=16, creates_per_minute=5, retry_after_s=2)) as portal:
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0"})
        async with program.started("--pages", "5") as process:
            await until(lambda: len(program.pdfs()) >= 5)
            while "pause" not in (program.run_folder / "run_data" / "run.log").read_text("ascii"):
                await asyncio.sleep(0.05)
            began = time.monotonic()
            before = (await portal.ledger())["points"]["create"]
            await asyncio.sleep(6)
            asked = (await portal.ledger())["points"]["create"] - before
            took_s = time.monotonic() - began
            await portal.set(creates_per_minute=0)
            done = await ended(process)
        assert done.code == 0, done.text
        assert asked <= 4 + took_s / 2, "all of five pages were under way, then one in two seconds"
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (16, [])
        assert {event["attempt"] for event in events(program, "TaskDone")} == {1}
        assert all((event["again_in_s"], event["counts"]) == (0, False) for event in events(program, "TaskReturned"))
        assert "again in its turn, uses up no try" in done.out


async def test_no_more_vehicles_are_begun_a_minute_than_allowed_and_not_in_bursts(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=20)) as portal:
        program = Program(tmp_path, portal, {"MAX_PER_MINUTE": "120"})
        done = await program.run("--pages", "5")
        assert done.code == 0, done.text
        opened = (await portal.ledger())["opened_at"]
        assert len(opened) == 20
        assert opened[-1] - opened[0] > 19 * 0.5 - 1
        in_two_seconds = [b for a, b in itertools.product(opened[3:], opened[3:]) if 0 <= b - a < 1.9]
        assert len(in_two_seconds) <= 5 * len(opened[3:])
