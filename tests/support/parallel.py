"""A run on two pages, small enough to watch: the same under pytest and as a script."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Program, asked_twice, judge

PAGES = 2
SHOWN = ("HEADLESS", "BLOCK_RESOURCES", "BROWSER_PATH", "DISPLAY")


async def run_parallel(folder: Path, vehicles: int) -> str:
    """Fetch ``vehicles`` PDFs on two pages and return the program's output; an assertion fails where one is wrong."""
    environment = {name: os.environ[name] for name in SHOWN if name in os.environ}
    async with DemoPortal.start(DemoOptions(vehicles=vehicles + 5)) as portal:
        program = Program(folder, portal, environment)
        ended = await program.run("--pages", str(PAGES), "--max", str(vehicles))
        ledger = await portal.ledger()
        assert ended.code == 0, ended.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (vehicles, [])
        assert (ledger["sign_ins"], ledger["sign_outs"]) == (1, 1)
        assert asked_twice(ledger) == {}
    return ended.out


def script(vehicles: int) -> int:
    """Run as a script; HEADLESS=false shows the browser at work."""
    folder = Path(tempfile.mkdtemp(prefix="jdp-parallel-"))
    try:
        sys.stdout.write(asyncio.run(run_parallel(folder, vehicles)))
    except AssertionError as error:
        sys.stderr.write(f"FAILED: {error}\n")
        return 1
    sys.stdout.write(f"ok: {vehicles} of {vehicles} right, in {folder}\n")
    return 0
