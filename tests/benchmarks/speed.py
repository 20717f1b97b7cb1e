"""What a vehicle costs each client in time, CPU time and memory, in turn on one machine, and as ratios to a script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from jdp_scraper.demo.options import LatencyName
from tests.benchmarks.clients.catalog import PLAIN
from tests.benchmarks.measured import Case, Outcome, measure, warm_up
from tests.benchmarks.report import Part
from tests.benchmarks.setting import Setting
from tests.benchmarks.slope import Spread, ratios, slope
from tests.benchmarks.table import Table, number

PAGES = 5
# Small enough for fifteen minutes in all; the long ones are those of the figures in the documentation.
SIZES: dict[LatencyName, tuple[int, int]] = {"none": (50, 200), "typical": (30, 90), "slow": (15, 30)}
LONG_SIZES: dict[LatencyName, tuple[int, int]] = {"none": (100, 300), "typical": (50, 200), "slow": (25, 75)}
REPEAT, LONG_REPEAT = 2, 3
HEAD = (
    "client", "s a vehicle", "least", "greatest", "times faster", "CPU s a vehicle", "peak MiB", "right", "wrong",
    "asked twice", "repeated",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What was found of one client; ``ratio`` says how many times faster than the plain script it is."""

    client: str
    seconds: Spread
    cpu: Spread
    ratio: Spread | None
    peak_mib: float
    right: int
    wrong: int
    asked_twice: int
    repeated: int


async def speed(setting: Setting) -> list[Part]:
    """Measure at each latency and number of pages that is asked for."""
    latencies: Sequence[LatencyName] = (setting.latency,) if setting.latency else ("typical", "none")
    return [await _compare(setting, latency, pages) for latency in latencies for pages in setting.pages or (PAGES,)]


async def _compare(setting: Setting, latency: LatencyName, pages: int) -> Part:
    sizes = setting.sizes or (LONG_SIZES if setting.long else SIZES)[latency]
    repeat = setting.repeat or (LONG_REPEAT if setting.long else REPEAT)
    outcomes: defaultdict[str, list[tuple[Outcome, Outcome]]] = defaultdict(list)
    await warm_up(setting.clients, pages, setting.browser)
    for _ in range(repeat):  # in turn, so that a machine that is busier meanwhile is fair to all
        for client in setting.clients:
            first, second = [await measure(Case(client, size, pages, latency, setting.browser)) for size in sizes]
            outcomes[client].append((first, second))
    found = lines(outcomes)
    title = f"{latency}, {pages} pages, {sizes[0]} and {sizes[1]} vehicles, {repeat} times"
    return Part(
        f"speed-{latency}-{pages}",
        [Table(title, HEAD, [_row(line) for line in found])],
        {"latency": latency, "pages": pages, "sizes": sizes, "lines": found},
        [one for pairs in outcomes.values() for pair in pairs for one in pair],
    )


def lines(outcomes: dict[str, list[tuple[Outcome, Outcome]]]) -> list[Line]:
    """Return a line for each client, from its pairs of a small and a large run."""
    seconds = {client: [_slope(pair, "wall_s") for pair in pairs] for client, pairs in outcomes.items()}
    return [
        Line(
            client,
            Spread.of(seconds[client]),
            Spread.of([_slope(pair, "cpu_s") for pair in pairs]),
            ratios(seconds[PLAIN], seconds[client]) if PLAIN in seconds else None,
            max(large.peak_mib for _, large in pairs),
            sum(one.right for pair in pairs for one in pair),
            sum(one.wrong for pair in pairs for one in pair),
            sum(one.asked_twice for pair in pairs for one in pair),
            sum(one.repeated for pair in pairs for one in pair),
        )
        for client, pairs in outcomes.items()
    ]


def _slope(pair: tuple[Outcome, Outcome], name: str) -> float:
    small, large = ((one.case.vehicles, float(getattr(one, name))) for one in pair)
    return slope(small, large)


def _row(line: Line) -> list[str]:
    return [
        line.client,
        *(number(value, 3) for value in (line.seconds.median, line.seconds.least, line.seconds.greatest)),
        number(line.ratio.median if line.ratio else None, 2),
        number(line.cpu.median, 3),
        number(line.peak_mib, 0),
        *(str(value) for value in (line.right, line.wrong, line.asked_twice, line.repeated)),
    ]
