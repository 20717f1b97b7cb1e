"""What is not a vehicle's: from the command to the first vehicle's page, and from the last PDF to the exit.

Taken off are the portal's answers, which is the time in which it was busy with at least one, and the browser's launch:
that of ``chromium.launch`` alone, as Playwright's driver and all else that comes before it is this project's choice.
"""

from __future__ import annotations

import statistics
import time

from playwright.async_api import async_playwright

from tests.benchmarks.clients.catalog import FLOOR, PLAIN, THIS
from tests.benchmarks.measured import Case, Outcome, measure, warm_up
from tests.benchmarks.report import Part
from tests.benchmarks.setting import Setting
from tests.benchmarks.table import Table, number

VEHICLES, PAGES, REPEAT = 10, 5, 3
HEAD = ("client", "start to first page", "portal's answers", "browser's launch", "beyond them", "last PDF to exit")


async def ends(setting: Setting) -> list[Part]:
    """Measure start and end of a few short runs, and launches of the bare browser between them."""
    pages, latency = (setting.pages or (PAGES,))[0], setting.latency or "none"
    found: dict[str, list[Outcome]] = {one: [] for one in setting.clients if one in {THIS, PLAIN, FLOOR}}
    launches: list[float] = []
    await warm_up(list(found), pages, setting.browser)
    for _ in range(setting.repeat or REPEAT):
        launches.append(await launch_seconds(setting.browser))
        for client, outcomes in found.items():
            outcomes.append(await measure(Case(client, VEHICLES, pages, latency, setting.browser)))
    rows = [_row(client, outcomes, statistics.median(launches)) for client, outcomes in found.items()]
    title = f"start and end in seconds, {latency}, {pages} pages"
    figures = {"launch_s": launches}
    return [Part(f"ends-{latency}", [Table(title, HEAD, rows)], figures, [x for y in found.values() for x in y])]


def _row(client: str, outcomes: list[Outcome], launch: float) -> list[str]:
    first = statistics.median(one.to_first_page_s for one in outcomes)
    own = 0.0 if client == FLOOR else launch
    answers = statistics.median(one.answering_s for one in outcomes)
    beyond = statistics.median(one.to_first_page_s - one.answering_s for one in outcomes) - own
    last = statistics.median(one.after_last_pdf_s for one in outcomes)
    return [client, *(number(value, 2) for value in (first, answers, own, beyond, last))]


async def launch_seconds(browser: str) -> float:
    """Return how long the browser's own launch takes."""
    async with async_playwright() as playwright:
        began = time.perf_counter()
        launched = await playwright.chromium.launch(executable_path=browser)
        took = time.perf_counter() - began
        await launched.close()
    return took
