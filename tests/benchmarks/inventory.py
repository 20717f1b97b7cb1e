"""What a large inventory costs where a hundred of its vehicles are wanted: the first ones, or ones from all over it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import httpx

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.benchmarks.clients.catalog import THIS
from tests.benchmarks.clients.floor import Floor
from tests.benchmarks.clients.order import GRID, Order
from tests.benchmarks.measured import Case, Outcome, measure, warm_up
from tests.benchmarks.report import Part
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Table, number

WANTED, LOT, PAGES = 100, 20_000, 5
HEAD = ("wanted", "wall s", "export s", "without it s", "ratio", "bar")
BARS = ("", "1.2", "1.8")


async def inventory(setting: Setting) -> list[Part]:
    """Measure 100 of 100, the first 100 of 20,000, and 100 anywhere in 20,000, in turn."""
    latency, pages = setting.latency or "typical", (setting.pages or (PAGES,))[0]
    wanted, lot = setting.sizes or (WANTED, LOT)
    cases = [Case(THIS, wanted, pages, latency, setting.browser, *more) for more in ((), (lot,), (lot, True))]
    outcomes: list[list[Outcome]] = [[] for _ in cases]
    await warm_up([THIS], pages, setting.browser)
    for _ in range(setting.repeat or 1):
        for case, found in zip(cases, outcomes, strict=True):
            found.append(await measure(case))
    exports = [await export_seconds(case) for case in cases]
    walls = [statistics.median([one.wall_s for one in found]) for found in outcomes]
    nets = [wall - export for wall, export in zip(walls, exports, strict=True)]
    rows = [
        [
            f"{case.vehicles} of {case.lot_size:,}{' anywhere' if case.spread else ''}",
            *(number(value, 2) for value in (wall, export, net, net / nets[0])),
            bar,
        ]
        for case, wall, export, net, bar in zip(cases, walls, exports, nets, BARS, strict=True)
    ]
    title = f"a large inventory, {latency}, {pages} pages"
    figures = {"wall_s": walls, "export_s": exports}
    return [Part(f"inventory-{latency}", [Table(title, HEAD, rows)], figures, flat(outcomes))]


def flat(outcomes: Sequence[Sequence[Outcome]]) -> list[Outcome]:
    return [one for found in outcomes for one in found]


async def export_seconds(case: Case) -> float:
    """Return how long the portal takes for the export of such a lot."""
    async with (
        DemoPortal.start(DemoOptions(vehicles=case.lot_size, latency=case.latency)) as portal,
        httpx.AsyncClient(base_url=portal.url, follow_redirects=True, trust_env=False, timeout=60) as client,
    ):
        floor = Floor(client, Order(portal.url, [], 1, "", ""))
        await floor.sign_in()
        began = time.perf_counter()
        (await client.get(f"{GRID}ExportCsv")).raise_for_status()
        return time.perf_counter() - began
