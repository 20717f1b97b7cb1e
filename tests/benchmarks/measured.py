"""One run of one client against a demo portal of its own: started, measured, judged."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from jdp_scraper.demo.options import DemoOptions, LatencyName
from jdp_scraper.demo.process import DemoPortal
from tests.benchmarks.clients.catalog import CLIENTS, THIS
from tests.benchmarks.clients.order import Order
from tests.benchmarks.judging import judge
from tests.benchmarks.keeper import Charge, Kept, Sample
from tests.benchmarks.places import work_folder
from tests.support.program import ROOT, asked_twice

TRIES = 3
# Memory at a number of vehicles is the median over the last ones before it: a single look may meet a peak.
WINDOW = 100


@dataclass(frozen=True)
class Case:
    """What is run: ``vehicles`` to fetch, from a lot of the same size or a larger one; ``spread``: from all over it."""

    client: str
    vehicles: int
    pages: int
    latency: LatencyName
    browser: str
    lot: int = 0
    spread: bool = False

    @property
    def lot_size(self) -> int:
        return max(self.lot, self.vehicles)

    def wanted(self, references: Sequence[str]) -> list[str]:
        """Return the references to fetch, out of those of the lot in order."""
        return list(references[:: len(references) // self.vehicles] if self.spread else references)[: self.vehicles]

    def __str__(self) -> str:
        lot = f" of {self.lot_size}{' anywhere' if self.spread else ''}" if self.lot_size > self.vehicles else ""
        return f"{self.client}, {self.latency}, {self.pages} pages, {self.vehicles}{lot} vehicles"


@dataclass(frozen=True)
class Outcome:
    """What came of a run; times in seconds, memory in MiB, ``repeated`` counts the runs that were not all right.

    ``answering_s`` of ``to_first_page_s`` the portal was busy with answers.
    """

    case: Case
    wall_s: float
    cpu_s: float
    peak_mib: float
    right: int
    wrong: int
    asked_twice: int
    code: int
    to_first_page_s: float
    answering_s: float
    after_last_pdf_s: float
    left_behind: int
    samples: Sequence[Sample]
    repeated: int = 0

    @property
    def all_right(self) -> bool:
        return self.right == self.case.vehicles and not self.wrong

    def pss_at(self, vehicles: int) -> float | None:
        """Return the median memory of the last looks before a number of vehicles, if there were any."""
        first = vehicles - min(WINDOW, vehicles // 3)
        near = [one.pss_mib for one in self.samples if first <= one.done < vehicles]
        return statistics.median(near) if near else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


async def measure(case: Case) -> Outcome:
    """Run a case; where another client than this project is not all right, run it again instead of counting it."""
    for number in range(TRIES):
        outcome = replace(await _once(case), repeated=number)
        _say(outcome)
        if outcome.all_right or case.client == THIS:
            return outcome
    raise RuntimeError(f"{case}: not all right in {TRIES} runs")


async def warm_up(clients: Sequence[str], pages: int, browser: str) -> None:
    """Let each client run once, uncounted: a first start compiles modules and reads the browser from the disk."""
    for client in clients:
        await measure(Case(client, pages, pages, "none", browser))


async def _once(case: Case) -> Outcome:
    client = CLIENTS[case.client]
    with work_folder() as folder:
        async with DemoPortal.start(DemoOptions(vehicles=case.lot_size, latency=case.latency)) as portal:
            inventory = await portal.inventory()
            references = case.wanted([one["reference"] for one in inventory])
            order = Order(portal.url, references, case.pages, str(folder / "out"), case.browser)
            start = client.start(order, folder, _options(case, references))
            log = folder / "client.log"
            charge = Charge(start.command, str(folder), client.pdfs, str(log), 120 + 10.0 * case.vehicles)
            kept = await keep(charge, start.environment)
            ledger = await portal.ledger()
        owners = client.owners(folder)
        verdict = await asyncio.to_thread(judge, owners, references, inventory)
        if not verdict.all_right:
            sys.stderr.write(log.read_text("utf-8", "replace")[-2000:])
        last = max((path.stat().st_ctime for path in owners.values()), default=0.0) + time.monotonic() - time.time()
    return Outcome(
        case,
        kept.wall_s,
        kept.cpu_s,
        max((one.pss_mib for one in kept.samples), default=0.0),
        verdict.right,
        verdict.wrong,
        len(asked_twice(ledger)),
        kept.code,
        min(ledger["opened_at"], default=kept.ended) - kept.began,
        ledger["answering_s"],
        kept.ended - last,
        kept.left_behind,
        kept.samples,
    )


def _options(case: Case, references: Sequence[str]) -> list[str]:
    """Return the options with which this project is told what to fetch."""
    if case.spread:
        return [word for reference in references for word in ("--only", reference)]
    return ["--max", str(case.vehicles)] if case.lot_size > case.vehicles else []


async def keep(charge: Charge, environment: Mapping[str, str]) -> Kept:
    """Let a keeper run a client; the keeper itself needs no more than the tests' own path."""
    path = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH", ""))))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.keeper",
        charge.to_json(),
        env={**environment, "PYTHONPATH": path},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        out, _ = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        raise
    return Kept.from_json(out)


def _say(outcome: Outcome) -> None:
    case = outcome.case
    again = "" if outcome.all_right or case.client == THIS else ", to be repeated"
    sys.stderr.write(
        f"  {case}: {outcome.wall_s:.1f} s, CPU {outcome.cpu_s:.1f} s, peak {outcome.peak_mib:.0f} MiB, "
        f"{outcome.right} right, {outcome.wrong} wrong, {outcome.asked_twice} asked twice{again}\n"
    )
