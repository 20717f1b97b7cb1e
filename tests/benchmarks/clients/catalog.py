"""The clients by name: how each is started, where its PDFs lie, and whether it can be run here."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.clients.order import Order
from tests.support.program import MAIN, OURS, ROOT

THIS = "this project"
PLAIN = "plain"
FLOOR = "floor"


@dataclass(frozen=True)
class Start:
    """A client's command and environment."""

    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Client:
    """One of those that are compared; ``needs`` are packages of the extra ``bench``."""

    name: str
    start: Callable[[Order, Path, Sequence[str]], Start]
    pdfs: str = "out/*.pdf"
    needs: Sequence[str] = ()

    @property
    def missing(self) -> list[str]:
        """Return the packages that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]

    def owners(self, folder: Path) -> dict[str, Path]:
        """Return the PDFs that it left in its folder, by the reference that each is said to be of."""
        if self.name != THIS:
            return {path.stem: path for path in folder.glob(self.pdfs)}
        found: dict[str, Path] = {}
        for run in (folder / "downloads").glob("20*"):
            tracking = json.loads((run / "run_data" / "tracking.json").read_text("ascii"))
            found |= {key.partition("~")[0]: run / "pdfs" / name for key, name in tracking.items() if name}
        return found


def _inherited() -> dict[str, str]:
    """Return this environment without what decides for the program, and without what makes every start compile anew."""
    return {name: value for name, value in os.environ.items() if name not in {*OURS, "PYTHONDONTWRITEBYTECODE"}}


def _this_project(order: Order, folder: Path, options: Sequence[str]) -> Start:
    settings = {
        "JD_USER": "demo",
        "JD_PASS": "demo",
        "PORTAL": "jdpower",
        "PORTAL_URL": order.url,
        "BROWSER_PATH": order.browser,
        "CONCURRENT_CONTEXTS": str(order.pages),
        "EXTRACT_VALUES": "false",  # the others save PDFs and do no more
    }
    return Start([sys.executable, str(MAIN), *options], _inherited() | settings)


def _script(module: str) -> Callable[[Order, Path, Sequence[str]], Start]:
    def start(order: Order, folder: Path, options: Sequence[str]) -> Start:
        (folder / "out").mkdir()
        order.save(folder / "order.json")
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        command = [sys.executable, "-m", f"{__package__}.{module}", str(folder / "order.json")]
        return Start(command, _inherited() | {"PYTHONPATH": path})

    return start


CLIENTS = {
    client.name: client
    for client in (
        Client(THIS, _this_project, "downloads/20*/pdfs/*.pdf"),
        Client(PLAIN, _script("plain")),
        Client(FLOOR, _script("floor")),
        Client("crawlee", _script("crawlee"), needs=("crawlee",)),
        Client("scrapy-playwright", _script("scrapy_playwright"), needs=("scrapy_playwright",)),
    )
}
