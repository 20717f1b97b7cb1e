"""The long form of interruption: many kills, each at another moment, and one whole result."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Program, judge

VEHICLES = 120
KILLS = 20


@pytest.mark.soak
async def test_many_kills_at_random_moments_lose_nothing_and_lock_nobody_out(tmp_path: Path) -> None:
    chance = random.Random(1)
    async with DemoPortal.start(DemoOptions(vehicles=VEHICLES, latency="typical", lockout_s=300)) as portal:
        program = Program(tmp_path, portal)
        for _ in range(KILLS):
            goal = min(VEHICLES - 5, len(program.pdfs()) + chance.randint(1, 6))
            await program.signalled(signal.SIGKILL, lambda goal=goal: len(program.pdfs()) >= goal)  # type: ignore[misc]
        last = await program.run()
        assert last.code == 0, last.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (VEHICLES, [])
        ledger = await portal.ledger()
        assert ledger["refused"].get("in_use", 0) == 0
        assert (ledger["sign_ins"], ledger["open_sessions"]) == (1, 0)
        assert sum(ledger["reports_asked"].values()) <= VEHICLES + KILLS * 2 * 5
