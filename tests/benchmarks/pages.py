"""Whether time a vehicle falls in proportion to the pages, and what more pages than a browser's connections gain."""

from __future__ import annotations

from tests.benchmarks.clients.catalog import THIS
from tests.benchmarks.measured import Case, measure, warm_up
from tests.benchmarks.report import Part
from tests.benchmarks.setting import Setting
from tests.benchmarks.slope import Spread, slope
from tests.benchmarks.table import Table, number

PAGES, REPEAT = (1, 2, 5, 10, 16), 2
# Vehicles a page, so that each run is about as long as the others.
SIZES = (6, 24)
BASE = 5


async def pages(setting: Setting) -> list[Part]:
    """Measure this project at each number of pages, in turn."""
    latency, counts = setting.latency or "typical", setting.pages or PAGES
    small, large = setting.sizes or SIZES
    repeat = setting.repeat or REPEAT
    seconds: dict[int, list[float]] = {count: [] for count in counts}
    outcomes = []
    await warm_up([THIS], BASE, setting.browser)
    for _ in range(repeat):
        for count in counts:
            pair = [await measure(Case(THIS, n * count, count, latency, setting.browser)) for n in (small, large)]
            first, second = ((one.case.vehicles, one.wall_s) for one in pair)
            seconds[count].append(slope(first, second))
            outcomes += pair
    found = {count: Spread.of(values) for count, values in seconds.items()}
    least = min(counts)
    rows = [
        [
            str(count),
            number(spread.median, 3),
            number(found[least].median / spread.median, 2),
            number(found[least].median * least / (spread.median * count), 2),
            number(found[BASE].median / spread.median, 2) if BASE in found else "-",
        ]
        for count, spread in found.items()
    ]
    head = ("pages", "s a vehicle", f"times {least}", "of proportion", f"times {BASE}")
    title = f"pages, {latency}, {small} and {large} vehicles a page, {repeat} times"
    return [Part(f"pages-{latency}", [Table(title, head, rows)], {"seconds": found}, outcomes)]
