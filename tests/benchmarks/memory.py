"""How much memory the whole process tree holds, and by how much it grows in a long run."""

from __future__ import annotations

from tests.benchmarks.clients.catalog import THIS
from tests.benchmarks.measured import Case, Outcome, measure
from tests.benchmarks.report import Part
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Table, number

PAGES = 5
SIZES, LONG_SIZES = (300, 1_000), (300, 2_000)


async def memory(setting: Setting) -> list[Part]:
    """Measure this project, and with the long set the other clients that have a browser too."""
    sizes = setting.sizes or (LONG_SIZES if setting.long else SIZES)
    latency, pages = setting.latency or "none", (setting.pages or (PAGES,))[0]
    clients = [one for one in setting.clients if one != "floor"] if setting.long else [THIS]
    found = [await measure(Case(one, sizes[1], pages, latency, setting.browser)) for one in clients]
    head = ("client", "peak MiB", *(f"at {size:,}" for size in sizes), "growth")
    title = f"memory of the tree (PSS), {latency}, {pages} pages, {sizes[1]:,} vehicles"
    rows = [
        [
            one.case.client,
            number(one.peak_mib, 0),
            *(number(one.pss_at(size), 0) for size in sizes),
            _growth(one, sizes),
        ]
        for one in found
    ]
    return [Part(f"memory-{latency}-{pages}", [Table(title, head, rows)], {"sizes": sizes}, found)]


def _growth(outcome: Outcome, sizes: tuple[int, int]) -> str:
    before, after = (outcome.pss_at(size) for size in sizes)
    return "-" if before is None or after is None else f"{after - before:+.0f}"
