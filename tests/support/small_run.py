"""All that a small run does to the disk, in the program's own order, and a witness of what it may rely on since.

The browser and the portal are left out; inventory, checkpoint, intake, proof, placing, evidence and wrap-up are the
program's. A start can be cut off at any operation of its disk; the next one goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from jdp_scraper.checkpoint.download_lock import DownloadLock
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.records import Goal, RunHeader, TaskRecord, TaskState
from jdp_scraper.checkpoint.recovery import FILES, SNAPSHOT
from jdp_scraper.checkpoint.runs import RunSummary, choose_run, list_runs
from jdp_scraper.checkpoint.sealed import read_sealed
from jdp_scraper.disk import Disk
from jdp_scraper.errors import ReportBroken
from jdp_scraper.events import Bus, Event, Notice
from jdp_scraper.job import Job
from jdp_scraper.pdf import whole
from jdp_scraper.pdf.intake import Intake
from jdp_scraper.pdf.parser import ParserPool, PdfText
from jdp_scraper.pdf.proof import ProofRule
from jdp_scraper.pdf.store import PlacedReport
from jdp_scraper.pdf.stream import StreamedFile
from jdp_scraper.portal.inventory import Listing
from jdp_scraper.portal.license import AcceptedLicense
from jdp_scraper.vehicle import Vehicle, assign_keys

STARTED = datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
HEADER = RunHeader("jdpower", "https://portal.test", "0123456789ab", STARTED)
LOT = (Vehicle("165530"), Vehicle("165530A"), Vehicle("A/B 12"))
KEYS = tuple(assign_keys(LOT))
FAILS_FIRST = KEYS[2]
RULE = ProofRule(reference_labels=("Stock #:",))


def report(vehicle: Vehicle) -> bytes:
    """What the portal would send: it says whose it is in its first line, and every byte of it counts."""
    body = hashlib.sha256(vehicle.reference.encode()).hexdigest().encode()
    return b"%PDF-1.4\nStock #: " + vehicle.reference.encode() + b"\n" + body * 3 + b"\n%%EOF\n"


class Reader:
    """Reads a report as the parser's child process does, without the process."""

    async def read(self, path: Path) -> PdfText:
        data = await asyncio.to_thread(path.read_bytes)
        if fault := whole.fault_of(data[: whole.HEAD], data[-whole.TAIL :]):
            raise ReportBroken(fault)
        return PdfText((data.split(b"\n")[1].decode("latin-1"),), len(data), hashlib.sha256(data).hexdigest())


READER = cast(ParserPool, Reader())


@dataclass
class Witness:
    """What starts were told to be durable, and what they had only begun; holds every later start to it."""

    begun: bool = False
    finished: bool = False
    confirmed: dict[str, TaskState] = field(default_factory=lambda: dict.fromkeys(KEYS, TaskState.TODO))
    tried: dict[str, set[TaskState]] = field(default_factory=lambda: defaultdict(set))
    placed: set[str] = field(default_factory=set)
    placing: set[str] = field(default_factory=set)

    def check(self, job: Job, lines: dict[str, TaskState], notices: Iterable[Notice]) -> None:
        """Hold a run that was opened again and reconciled to what is known; ``lines`` are its states before that."""
        text = "\n".join(notice.text for notice in notices)
        assert tuple(job.keyed) == tuple(job.checkpoint.records) == KEYS
        for key, record in job.checkpoint.records.items():
            path = job.folder.pdfs / job.names[key]
            may = {self.confirmed[key], *self.tried[key]} | ({TaskState.DONE} if key in self.placing else set())
            assert record.state in may, (key, record.state, may)
            assert (record.state is TaskState.DONE) == path.exists(), key
            if self.confirmed[key] is TaskState.DONE or key in self.placed:
                assert record.state is TaskState.DONE, key
            if record.state is TaskState.DONE:
                assert record.file == path.name
                assert path.read_bytes() == report(job.keyed[key]), key
                assert lines[key] is TaskState.DONE or "in place already" in text
                self.placed.add(key)  # from now on it is known as done, and must stay it
            else:
                assert lines[key] is not TaskState.DONE or "missing or changed" in text
        assert {path.name for path in job.folder.pdfs.iterdir()} <= set(job.names.values())


@dataclass(frozen=True)
class Opened:
    """A run as a start finds it: what is left to do is what no earlier one has done."""

    job: Job
    todo: dict[str, Vehicle]


@dataclass
class SmallRun:
    """The starts of one run below ``root``."""

    root: Path
    disk: Disk
    witness: Witness = field(default_factory=Witness)
    notices: list[Notice] = field(default_factory=list)

    async def start(self) -> None:
        """One start, from the lock to the wrap-up; none is made where the run is found finished."""
        bus = self._listen()
        async with DownloadLock(self.root, self.disk):
            runs = await list_runs(self.root, bus)
            if self.witness.finished or any(run.finished for run in runs):
                await self.check_finished(runs)
                return
            job = await self._go_on(runs, bus) or await self._begin(bus)
            todo = await job.todo(Goal())
            try:
                await job.keep_license(AcceptedLicense("the text", "ab" * 32))
                await self._harvest(job, todo)
            finally:
                await job.wrap_up({"totals": {"done": len(KEYS)}})
            self.witness.finished = all(job.is_done(key) for key in KEYS)

    async def check_finished(self, runs: Sequence[RunSummary]) -> None:
        """Hold a run that is told as finished to all that is promised of one."""
        (run,) = (run for run in runs if run.finished)
        keyed = assign_keys(await run.folder.load_inventory(run.header.inventory_sha256))
        names = assign_file_names(keyed)
        assert (tuple(keyed), run.done) == (KEYS, len(KEYS))
        pdfs = {path.name: path.read_bytes() for path in run.folder.pdfs.iterdir()}
        assert pdfs == {names[key]: report(vehicle) for key, vehicle in keyed.items()}
        assert json.loads(run.folder.tracking.read_bytes()) == names
        assert json.loads(run.folder.metrics.read_bytes())["totals"] == {"done": len(KEYS)}

    async def open(self) -> Opened:
        """The first half of a start: go on with the run, or begin it."""
        bus = self._listen()
        await asyncio.to_thread(self.disk.make_folder, self.root)
        job = await self._go_on(await list_runs(self.root, bus), bus) or await self._begin(bus)
        return Opened(job, await job.todo(Goal()))

    def _listen(self) -> Bus:
        self.notices = []
        bus = Bus()
        bus.subscribe(self._hear)
        return bus

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event)

    async def _go_on(self, runs: Sequence[RunSummary], bus: Bus) -> Job | None:
        found = choose_run(runs, portal=HEADER.portal, account=HEADER.account, now=STARTED)
        if found is None:
            assert not self.witness.begun, "the run is lost"
            return None
        before = _checkpoint_files(found.folder.data)
        job = await Job.resume(found.folder, self.disk, bus)
        await asyncio.to_thread(self._was_repaired_aloud, found.folder.data, before)
        lines = {key: record.state for key, record in job.checkpoint.records.items()}
        await job.reconcile(job.store(READER, RULE))
        self.witness.check(job, lines, self.notices)
        self.witness.begun = True
        return job

    def _was_repaired_aloud(self, folder: Path, before: dict[str, bytes | None]) -> None:
        text = "\n".join(notice.text for notice in self.notices)
        for name, content in _checkpoint_files(folder).items():
            # The snapshot is written anew at each start; only a bad one has to be told of.
            changed = before[name] is None or (name != SNAPSHOT and before[name] != content)
            assert not changed or str(folder / name) in text, name
            assert read_sealed(folder / name).fault is None, name

    async def _begin(self, bus: Bus) -> Job:
        job = await Job.begin(self.root, HEADER, Listing(LOT), self.disk, bus)
        self.witness.begun = True
        return job

    async def _harvest(self, job: Job, todo: dict[str, Vehicle]) -> None:
        placed: dict[str, PlacedReport] = {}
        for key, vehicle in todo.items():
            if key == FAILS_FIRST and job.checkpoint.records[key].state is TaskState.TODO:
                await self._fail(job, key)
            else:
                placed[key] = await self.place(job, key, vehicle)
        await job.save_tracking()
        # Outcomes that come together share one write.
        await asyncio.gather(*(self.record(job, key, report) for key, report in placed.items()))

    async def place(self, job: Job, key: str, vehicle: Vehicle) -> PlacedReport:
        part = job.folder.pdfs / f"{Path(job.names[key]).stem}.1.pdf.part"
        intake, data = Intake(self.disk, part), report(vehicle)
        try:
            for at in range(0, len(data), 100):
                await intake.take(data[at : at + 100])
            assert await intake.finish()
        except BaseException:
            await intake.discard()
            raise
        streamed = StreamedFile(part, intake.size, intake.sha256, 0.1, 0.2)
        self.witness.placing.add(key)
        placed = await job.store(READER, RULE).prove_and_place(streamed, vehicle, job.names[key], lambda: True)
        self.witness.placed.add(key)
        return placed

    async def record(self, job: Job, key: str, placed: PlacedReport) -> None:
        await self.write_down(
            job, key, TaskRecord(TaskState.DONE, 1, placed.file, placed.size, placed.sha256, finished_at=STARTED)
        )

    async def _fail(self, job: Job, key: str) -> None:
        folder = job.folder.failure(job.names[key])
        await asyncio.to_thread(self.disk.make_folder, folder)
        await asyncio.to_thread(self.disk.write_whole, folder / "error.json", b"{}\n")
        await self.write_down(job, key, TaskRecord(TaskState.FAILED, 3, error="ReportBroken"))

    async def write_down(self, job: Job, key: str, record: TaskRecord) -> None:
        self.witness.tried[key].add(record.state)
        await job.checkpoint.record(key, record)
        self.witness.confirmed[key] = record.state
        self.witness.tried[key] = set()


def _checkpoint_files(folder: Path) -> dict[str, bytes | None]:
    return {name: (folder / name).read_bytes() if (folder / name).exists() else None for name in FILES}
