"""A page, the browser or Playwright's driver that is killed costs a run nothing but a moment."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Ended, Program, ended, judge, until, until_portal

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills by POSIX signals")

VEHICLES = 40
MANY = 80  # the run must not be over before the last kill, however slow it is to come


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def is_driver(process: psutil.Process) -> bool:
    return "run-driver" in command_of(process)


def is_browser(process: psutil.Process) -> bool:
    """Tell a browser from its own children, and from the shell script that may have started it, which it outlives."""
    command = command_of(process)
    is_shell = bool(command) and Path(command[0]).name.endswith("sh") and "chrom" not in Path(command[0]).name
    piped = any("--remote-debugging-pipe" in part for part in command)
    return piped and not is_shell and not any("--type=" in part for part in command)


def is_renderer(process: psutil.Process) -> bool:
    return any("--type=renderer" in part for part in command_of(process))


def kill(of: int, which: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """Kill those of a program's own processes, and return them."""
    found = [process for process in psutil.Process(of).children(recursive=True) if which(process)]
    for process in found:
        process.send_signal(signal.SIGKILL)
    return found


async def run_with_kills(
    program: Program, which: Callable[[psutil.Process], bool], after: list[int], *arguments: str
) -> Ended:
    """Run the program; kill the processes each time that so many PDFs are there."""
    async with program.started(*arguments) as process:
        for count in after:
            await until(lambda count=count: len(program.pdfs()) >= count or process.returncode is not None)  # type: ignore[misc]
            killed: list[psutil.Process] = []
            while not killed and process.returncode is None:
                killed = kill(process.pid, which)
                await asyncio.sleep(0.01)
            # What is still dying must not be taken for its successor.
            await until(lambda killed=killed: not any(map(command_of, killed)))  # type: ignore[misc]
        return await ended(process)


@pytest.mark.parametrize("which", [is_renderer, is_browser, is_driver], ids=["renderers", "browser", "driver"])
async def test_what_is_killed_is_replaced_and_the_run_ends_well(
    which: Callable[[psutil.Process], bool], tmp_path: Path
) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=VEHICLES, latency="typical")) as portal:
        program = Program(tmp_path, portal)
        last = await run_with_kills(program, which, [8, 20])
        assert last.code == 0, last.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (VEHICLES, [])
        ledger = await portal.ledger()
        assert (ledger["sign_ins"], ledger["open_sessions"]) == (1, 0), "the session outlives its browser"
        assert sum(ledger["reports_asked"].values()) <= VEHICLES + 2 * 2 * 5


async def test_a_browser_killed_while_the_inventory_is_read_is_replaced(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=12, latency="typical")) as portal:
        await portal.fault("hang", at="export")
        program = Program(tmp_path, portal)
        async with program.started() as process:
            await until_portal(portal, lambda ledger: ledger["points"].get("export"))
            assert kill(process.pid, is_browser)
            last = await ended(process)
        assert last.code == 0, last.text
        assert (await judge(program)).right == 12
        ledger = await portal.ledger()
        assert (ledger["sign_ins"], ledger["open_sessions"]) == (1, 0)


async def test_a_page_that_crashes_on_the_way_in_costs_no_second_sign_in(tmp_path: Path) -> None:
    """The browser is well: the session is taken up from the crashed page, not signed out and in again."""
    async with DemoPortal.start(DemoOptions(vehicles=2)) as portal:
        await portal.fault("hang", at="home")
        program = Program(tmp_path, portal)
        async with program.started() as process:
            await until_portal(portal, lambda ledger: ledger["faults"].get("hang@home"))
            assert kill(process.pid, is_renderer)
            last = await ended(process)
        assert last.code == 0, last.text
        assert (await judge(program)).right == 2
        ledger = await portal.ledger()
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)


async def test_browsers_that_are_lost_one_after_another_end_the_run_in_order(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=MANY, latency="typical")) as portal:
        program = Program(tmp_path, portal)
        last = await run_with_kills(program, is_browser, [1, 2, 3, 4])
        assert last.code == 4, last.text
        assert "4 browsers were lost within 3 min" in last.err
        assert (await portal.ledger())["open_sessions"] == 0, "it signs out without a browser"
        again = await program.run()
        assert again.code == 0, again.text
        assert (await judge(program)).right == MANY
