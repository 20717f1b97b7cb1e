"""``make bench``: measures the whole and the parts, as ratios within one run; nothing here fails for being slow."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tests.benchmarks import (
    archiving,
    ends,
    inventory,
    memory,
    pages,
    postprocessing,
    queueing,
    recording,
    sign_in_window,
    speed,
    values,
    verifying,
)
from tests.benchmarks.clients.catalog import CLIENTS, FLOOR, PLAIN, THIS
from tests.benchmarks.picture import draw, row_of
from tests.benchmarks.places import RESULTS
from tests.benchmarks.report import DOCS, Part, markdown, save
from tests.benchmarks.setting import SHELL, Setting, machine, program_of

WHOLES: dict[str, Callable[[Setting], Awaitable[list[Part]]]] = {
    "speed": speed.speed,
    "ends": ends.ends,
    "memory": memory.memory,
    "pages": pages.pages,
    "inventory": inventory.inventory,
}
PARTS = {
    "recording": recording.main,
    "queueing": queueing.main,
    "verifying": verifying.main,
    "values": values.main,
    "sign_in_window": sign_in_window.main,
    "assets": archiving.assets,
    "rebuilding": archiving.rebuilding,
    "postprocessing": postprocessing.main,
}
DEFAULT = ("parts", "ends", "speed", "memory")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    names = (*WHOLES, *PARTS, "parts")
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"what to measure: {', '.join(names)} (default: {' '.join(DEFAULT)})")
    parser.add_argument("--clients", help=f"of {', '.join(CLIENTS)} (default: the first three)")
    parser.add_argument("--latency", choices=("none", "typical", "slow"), help="of the demo portal")
    parser.add_argument("--sizes", help="two numbers of vehicles, like 50,200")
    parser.add_argument("--pages", help="numbers of pages, like 1,2,5")
    parser.add_argument("--repeat", type=int, help="repetitions, in turn")
    parser.add_argument("--browser", default=SHELL, help="shell, full, or a program (default: shell)")
    parser.add_argument("--long", action="store_true", help="the sizes of the figures in the documentation")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for JSON, Markdown and SVG")
    parser.add_argument("--publish", action="store_true", help="write docs/bench.svg and docs/bench.md too")
    args = parser.parse_args(given)
    unknown = [name for name in args.names if name not in names]
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    try:
        args.sizes = _numbers(args.sizes)
        args.pages = _numbers(args.pages)
    except ValueError as error:
        parser.error(str(error))
    if args.sizes is not None and (len(args.sizes) != 2 or not 0 < args.sizes[0] <= args.sizes[1]):
        parser.error("--sizes: two numbers are needed, the smaller one first")
    return args


def _numbers(text: str | None) -> tuple[int, ...] | None:
    return None if text is None else tuple(int(one) for one in text.split(","))


def _clients(text: str | None) -> list[str]:
    """Return the clients that can be run, and say of each other one why not."""
    found = []
    for name in (THIS, PLAIN, FLOOR) if text is None else text.split(","):
        if name not in CLIENTS:
            raise SystemExit(f"error: no such client: {name}")
        if missing := CLIENTS[name].missing:
            sys.stderr.write(f"skipped {name}: {', '.join(missing)} not installed (pip install -e .[bench])\n")
        else:
            found.append(name)
    return found


async def main(args: argparse.Namespace) -> None:
    """Measure, print and save."""
    wanted = [part for name in args.names or DEFAULT for part in (PARTS if name == "parts" else (name,))]
    browser = await program_of(args.browser)
    setting = Setting(browser, _clients(args.clients), args.latency, args.sizes, args.pages, args.repeat, args.long)
    on, parts = machine(browser), []
    for name in wanted:
        if name in PARTS:
            await PARTS[name]()
            continue
        sys.stderr.write(f"{name}:\n")
        found = await WHOLES[name](setting)
        for part in found:
            for table in part.tables:
                print(f"\n{table.ascii()}", flush=True)
        parts += found
    if parts:
        path = save(parts, on, args.results)
        drawn = _draw(parts)
        if drawn:
            path.with_suffix(".svg").write_text(drawn, "ascii")
        print(f"saved: {path}")
        if args.publish:
            (DOCS / "bench.md").write_text(f"# Benchmark\n\n{markdown(parts, on)}", "ascii")
            if drawn:
                (DOCS / "bench.svg").write_text(drawn, "ascii")


def _draw(parts: Sequence[Part]) -> str:
    compared = [part.figures for part in parts if part.name.startswith("speed-")]
    rows = [row_of(one["latency"], one["pages"], one["lines"]) for one in compared]
    return draw(rows) if rows else ""


if __name__ == "__main__":
    asyncio.run(main(arguments()))
