"""What the workers of one run share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.browser.tracer import Tracer
from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.names import stem_of
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk
from jdp_scraper.errors import VehicleError
from jdp_scraper.pdf.store import ReportStore
from jdp_scraper.pdf.stream import ReportStream
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.vehicle_page import VehicleOpener
from jdp_scraper.redact import Secrets
from jdp_scraper.work.evidence import Evidence
from jdp_scraper.work.lane import ReportLane
from jdp_scraper.work.task import Lease
from jdp_scraper.work.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Desk:
    """The run's means: where things are asked for, and where they are kept.

    ``traffic`` is the gate through which every vehicle is begun, ``lane`` the way from opening it to knowing its
    report's address. ``streams`` bounds the reports in flight. ``evidence`` are the folders of failures that
    lie there.
    """

    site: Site
    account: AccountSession
    opener: VehicleOpener
    stream: ReportStream
    store: ReportStore
    checkpoint: Checkpoint
    folder: RunFolder
    names: Mapping[str, str]
    disk: Disk
    streams: asyncio.Semaphore
    traffic: Traffic
    lane: ReportLane
    step_s: float
    clock: Callable[[], float]
    now: Callable[[], datetime]
    browser: BrowserSession
    secrets: Secrets
    tracer: Tracer
    evidence: set[Path]

    def part(self, key: str, attempt: int) -> Path:
        """Return the path of an attempt's unfinished report, apart from every other's."""
        return self.folder.pdfs / f"{stem_of(self.names[key])}.{attempt}.pdf.part"

    def failure_folder(self, key: str) -> Path:
        """Return the folder of a failed vehicle's evidence."""
        return self.folder.failure(self.names[key])

    async def write_failure(self, lease: Lease, error: VehicleError, evidence: Evidence) -> None:
        """Keep what is known of a final failure, in place of an earlier one's; raises ``StorageError``."""
        folder = self.failure_folder(lease.key)
        await self.forget_failure(lease.key)
        self.evidence.add(folder)
        trace = await self.tracer.keep(folder / "trace.zip", lease.taken_at)
        content = {
            "key": lease.key,
            "reference": lease.vehicle.reference,
            "vin": lease.vehicle.vin,
            "attempt": lease.attempt,
            "step": lease.step,
            "error": type(error).__name__,
            "message": self.secrets.message(str(error)),
            "status": error.status,
            "at": self.now().isoformat(),
            "trace": trace,
        }
        await evidence.write(folder, content, self.disk, self.secrets)

    async def forget_failure(self, key: str) -> None:
        """Remove what an earlier failure of the vehicle left; raises ``StorageError``."""
        folder = self.failure_folder(key)
        if folder in self.evidence:
            await asyncio.to_thread(self.disk.remove_tree, folder)
            self.evidence.discard(folder)
