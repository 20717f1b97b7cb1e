"""Runs ``main_async.py`` as a process of its own, as users and schedulers do, and judges what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2

from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "main_async.py"
# What decides for the tests, whatever the machine's own environment and .env say. Values are for tests that are about
# them: each run would start its workers.
CLEAN = {
    "JD_USER": "demo",
    "JD_PASS": "demo",
    "PORTAL": "jdpower",
    "LOG_LEVEL": "debug",
    "EXTRACT_VALUES": "false",
}
WAIT_S = 60.0  # how long a test waits for what is to come at once: only how long a failure takes
OURS = {name.upper() for name in Settings.model_fields}


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Program:
    """The program in a folder of its own, pointed at a portal."""

    folder: Path
    portal: DemoPortal | None = None
    environment: Mapping[str, str] | None = None

    @property
    def downloads(self) -> Path:
        return self.folder / "downloads"

    def env(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        url = {"PORTAL_URL": self.portal.url} if self.portal else {}
        return inherited | CLEAN | url | dict(self.environment or {})

    @asynccontextmanager
    async def started(self, *arguments: str, group: bool = False) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start it; what is still running at the end is killed by its process id."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(MAIN),
            *arguments,
            cwd=self.folder,
            env=self.env(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=group,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()

    async def run(self, *arguments: str) -> Ended:
        async with self.started(*arguments) as process:
            return await ended(process)

    async def signalled(
        self, number: signal.Signals, when: Callable[[], bool], *arguments: str, group: bool = False
    ) -> Ended:
        """Start it and send a signal once ``when`` holds, to the process or to its whole group."""
        async with self.started(*arguments, group=group) as process:
            await until(lambda: when() or process.returncode is not None)
            (os.killpg if group else os.kill)(process.pid, number)
            return await ended(process)

    def runs(self) -> list[Path]:
        return sorted(path for path in self.downloads.glob("20*") if path.is_dir())

    @property
    def run_folder(self) -> Path:
        (only,) = self.runs()
        return only

    def data(self, name: str) -> Any:
        return json.loads((self.run_folder / "run_data" / name).read_text("ascii"))

    def pdfs(self) -> list[Path]:
        return sorted(path for run in self.runs() for path in (run / "pdfs").glob("*.pdf"))


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode("ascii"), err.decode("ascii"))


async def until(condition: Callable[[], bool], seconds: float = 2 * WAIT_S) -> None:
    """Wait for a condition; the time is only how long a failure takes."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def until_portal(
    portal: DemoPortal, seen: Callable[[dict[str, Any]], object], process: asyncio.subprocess.Process | None = None
) -> None:
    """Wait until the portal's ledger tells what is waited for, or ``process`` has ended."""
    async with asyncio.timeout(WAIT_S):
        while not seen(await portal.ledger()) and (process is None or process.returncode is None):
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Judgement:
    """How many PDFs are right, and what is wrong with the others."""

    right: int
    wrong: list[str]


async def judge(program: Program) -> Judgement:
    """Hold every PDF against the portal's own truth, with none of the program's code."""
    assert program.portal is not None
    vehicles = await program.portal.inventory()
    wrong = []
    right = 0
    by_vin = {vehicle["vin"]: vehicle["reference"] for vehicle in vehicles}
    tracking = program.data("tracking.json")
    owners = {name: key for key, name in tracking.items() if name}
    for path in program.pdfs():
        text = pdf_text(path)
        vins = [vin for vin in by_vin if re.search(rf"\b{vin}\b", text)]
        key = owners.get(path.name)
        if key is None or len(vins) != 1 or key not in {by_vin[vins[0]], f"{by_vin[vins[0]]}~{vins[0]}"}:
            wrong.append(f"{path.name}: key {key}, VINs {vins}")
        else:
            right += 1
    return Judgement(right, wrong)


def pdf_text(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def asked_twice(ledger: Mapping[str, Any]) -> dict[str, int]:
    return {vin: times for vin, times in ledger["reports_asked"].items() if times > 1}
