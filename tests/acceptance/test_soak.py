"""The long form of interruption: many kills over all phases of a run, and whole results without a lock-out."""

from __future__ import annotations

import asyncio
import json
import random
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.benchmarks import sign_in_window
from tests.support.program import Program, pdf_text

VEHICLES = 12
PAGES = 5
MARK = "JDP_SCRAPER_SOAK"
# What the portal has seen when the kill is due; then up to so many seconds more. "launch" is the start, before the
# portal sees anything; after "signed in" comes the license, after "signed out" the run's folder is put in order.
AIMS = {
    "launch": 2.0,
    "sign_in_page": 0.3,
    "sign_in": 0.4,
    "signed in": 0.8,
    "export": 0.4,
    "create": 0.5,
    "pdf": 1.5,
    "sign_out": 0.3,
    "signed out": 0.2,
}
SIGNING_IN = {"sign_in", "signed in"}
ENDS_WITHIN_S = 40.0


@dataclass
class Soak:
    """A program that is killed again and again, and what is known of it."""

    program: Program
    portal: DemoPortal
    chance: random.Random
    mark: str
    kills: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    in_window: int = 0
    lost: list[int] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    afterlife: list[float] = field(default_factory=list)

    async def next_aim(self, aims: list[str]) -> str:
        """Return the aim hit least of those that a start can come to: only one without a session signs in."""
        signed_in = (await self.portal.ledger())["open_sessions"]
        possible = [aim for aim in aims if not (signed_in and aim in SIGNING_IN)]
        return min(possible, key=lambda aim: (self.kills[aim], self.chance.random()))

    async def round(self, aim: str) -> bool:
        """Start, kill at the aim, and tell whether it came to that; a start that ends before has done all it had."""
        before = await self.portal.ledger()
        async with self.program.started() as process:
            await self._until(aim, before, process)
            await asyncio.sleep(self.chance.uniform(0, AIMS[aim]) if process.returncode is None else 0)
            family = self._family(process.pid)
            if process.returncode is None:
                process.kill()
            out, err = await process.communicate()
        if process.returncode == 0:
            self.whole += 1
            return False
        assert process.returncode == -9, out.decode() + err.decode()
        self.kills[aim] += 1
        await self._all_gone(family)
        await self._note_loss()
        await self._free_the_account_where_the_window_was_hit(before)
        return True

    async def _until(self, aim: str, before: dict[str, Any], process: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(120):
            while process.returncode is None and aim != "launch":
                if seen(aim, await self.portal.ledger()) > seen(aim, before):
                    return
                await asyncio.sleep(0.02)

    def _family(self, pid: int) -> list[psutil.Process]:
        try:
            return psutil.Process(pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    async def _all_gone(self, family: list[psutil.Process]) -> None:
        """What it had started ends by itself."""
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(ENDS_WITHIN_S):
            while any(alive(one) for one in family) or list(marked(self.mark)):
                await asyncio.sleep(0.02)
        self.afterlife.append(asyncio.get_running_loop().time() - began)

    async def _note_loss(self) -> None:
        """How many reports were asked for, or made ready, so far without a PDF in its place."""
        ledger, placed = await self.portal.ledger(), len(self.program.pdfs())
        self.lost.append(sum(ledger["reports_asked"].values()) - placed)
        self.created.append(sum(ledger["reports_created"].values()) - placed)

    async def _free_the_account_where_the_window_was_hit(self, before: dict[str, Any]) -> None:
        """A session that the portal opened and nobody knows of ends with the lock-out, which is cut short here."""
        ledger = await self.portal.ledger()
        if ledger["sign_ins"] > before["sign_ins"] and ledger["open_sessions"] and not self._session_is_saved():
            self.in_window += 1
            await self.portal.expire()

    def _session_is_saved(self) -> bool:
        for path in (self.program.downloads / ".session").glob("*.json"):
            return ".ASPXAUTH" in {cookie["name"] for cookie in json.loads(path.read_bytes())["cookies"]}
        return False


def seen(aim: str, ledger: dict[str, Any]) -> int:
    """Return how often the portal has seen an aim."""
    counted = ledger["points"] | {"signed in": ledger["sign_ins"], "signed out": ledger["sign_outs"]}
    return int(counted.get(aim, 0))


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def marked(mark: str) -> Iterator[psutil.Process]:
    """Yield the living processes that have the soak's mark in their environment."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except psutil.Error:
            continue


async def soaked(tmp_path: Path, rounds: int, aims: list[str]) -> Soak:
    """Kill ``rounds`` times, then let it end, and hold what it left against the portal."""
    (tmp_path / "tmp").mkdir()
    mark = uuid4().hex
    async with DemoPortal.start(DemoOptions(vehicles=VEHICLES, latency="typical", lockout_s=300)) as portal:
        program = Program(tmp_path, portal, {"TMPDIR": str(tmp_path / "tmp"), MARK: mark})
        soak = Soak(program, portal, random.Random(1), mark)
        while sum(soak.kills.values()) < rounds:
            await soak.round(await soak.next_aim(aims))
        last = await program.run()
        assert last.code == 0, last.text
        ledger, vins = await portal.ledger(), {one["vin"] for one in await portal.inventory()}
    report(soak, ledger)
    files = 0
    for run in program.runs():
        tracking = json.loads((run / "run_data" / "tracking.json").read_text("ascii"))
        shown = {re.findall(r"VIN: (\w{17})", pdf_text(run / "pdfs" / name))[0] for name in tracking.values()}
        assert shown == vins
        assert {path.name for path in (run / "pdfs").iterdir()} == set(tracking.values())
        files += len(tracking)
    assert ledger["refused"].get("in_use", 0) == 0
    assert ledger["open_sessions"] == 0
    assert sum(ledger["reports_asked"].values()) <= files + rounds * PAGES
    assert max(after - before for before, after in zip([0, *soak.lost], soak.lost, strict=False)) <= PAGES
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not [path for path in program.downloads.rglob("*") if path.suffix in {".part", ".tmp"}]
    assert not list((program.downloads / ".session").glob("*.json"))
    return soak


def report(soak: Soak, ledger: dict[str, Any]) -> None:
    lost = [after - before for before, after in zip([0, *soak.lost], soak.lost, strict=False)]
    made = [after - before for before, after in zip([0, *soak.created], soak.created, strict=False)]
    print(f"\nkills {sum(soak.kills.values())}: {dict(soak.kills)}; starts that ended whole {soak.whole}")
    print(f"runs {len(soak.program.runs())}; sign-ins {ledger['sign_ins']}, in the window {soak.in_window}")
    print(
        f"asked for again: {sum(lost)} in all, at most {max(lost)} a kill; made again: {sum(made)}, at most {max(made)}"
    )
    print(f"processes gone after: median {statistics.median(soak.afterlife):.2f} s, worst {max(soak.afterlife):.2f} s")


async def test_a_kill_in_each_of_the_busiest_phases_leaves_nothing_behind(tmp_path: Path) -> None:
    await soaked(tmp_path, 4, ["export", "pdf", "sign_out", "signed out"])


@pytest.mark.soak
async def test_a_hundred_kills_over_all_phases_lose_nothing_and_lock_nobody_out(tmp_path: Path) -> None:
    soak = await soaked(tmp_path, 100, list(AIMS))
    assert min(soak.kills[aim] for aim in AIMS) > 0


@pytest.mark.soak
@pytest.mark.parametrize("site", list(sign_in_window.SITES))
async def test_a_session_is_saved_within_50_ms_of_the_portal_s_answer(tmp_path: Path, site: str) -> None:
    found = await sign_in_window.windows(tmp_path, site, sign_in_window.ROUNDS)
    print(f"\n{site}: median {statistics.median(found) * 1000:.1f} ms, worst {max(found) * 1000:.1f} ms")
    assert statistics.median(found) < sign_in_window.BAR_S
