"""A run's work as its folder holds it: what is to be fetched, what is done, and how it is left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.reconcile import Proof, Reconciliation, quarantine
from jdp_scraper.checkpoint.records import Goal, RunHeader, TaskRecord, TaskState
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.checkpoint.verification import Fault
from jdp_scraper.disk import Disk
from jdp_scraper.errors import UnknownReference
from jdp_scraper.events import Bus
from jdp_scraper.pdf.parser import ParserPool
from jdp_scraper.pdf.proof import ProofRule, longer_references
from jdp_scraper.pdf.store import ReportStore
from jdp_scraper.portal.inventory import Listing
from jdp_scraper.portal.license import AcceptedLicense
from jdp_scraper.vehicle import Vehicle, assign_keys


@dataclass(frozen=True, slots=True)
class Job:
    """One run: its folder, its inventory by key, the file name of each key, and the checkpoint."""

    folder: RunFolder
    keyed: Mapping[str, Vehicle]
    names: Mapping[str, str]
    checkpoint: Checkpoint
    disk: Disk
    bus: Bus

    @classmethod
    async def begin(cls, download_folder: Path, header: RunHeader, listing: Listing, disk: Disk, bus: Bus) -> Job:
        """Make today's folder and write the inventory and the first checkpoint; raises ``UnknownReference``."""
        keyed = assign_keys(listing.vehicles)
        select(keyed, header.goal)
        folder = await RunFolder.create(download_folder, header.started.astimezone().date(), disk)
        sha256 = await folder.save_inventory(listing.vehicles, disk)
        checkpoint = await Checkpoint.create(folder.data, replace(header, inventory_sha256=sha256), keyed, disk)
        return cls(folder, keyed, assign_file_names(keyed), checkpoint, disk, bus)

    @classmethod
    async def resume(cls, folder: RunFolder, disk: Disk, bus: Bus) -> Job:
        """Open a run again, on its own inventory; raises ``InventoryError`` and ``RunFolderError``."""
        checkpoint = await Checkpoint.load(folder.data, disk, bus)
        keyed = assign_keys(await folder.load_inventory(checkpoint.header.inventory_sha256))
        return cls(folder, keyed, assign_file_names(keyed), checkpoint, disk, bus)

    def store(self, parser: ParserPool, rule: ProofRule) -> ReportStore:
        """Return the store that gives this run's reports their names."""
        return report_store(self.folder, self.keyed, self.disk, parser, rule)

    async def keep_rule(self, rule: ProofRule) -> None:
        """Write down by which rule this run's PDFs are proven, where that is not known yet or has changed."""
        if self.checkpoint.header.proof != rule_to_json(rule):
            await self.checkpoint.change_header(proof=rule_to_json(rule))

    async def reconcile(self, store: ReportStore) -> None:
        """Make records and files agree; raises ``StorageError``."""

        async def prove(path: Path, vehicle: Vehicle) -> Proof | None:
            placed = await store.prove_file(path, vehicle)
            return Proof(placed.size, placed.sha256, placed.flags)

        await Reconciliation(self.folder, self.checkpoint, self.keyed, self.names, prove, self.disk, self.bus).run()

    async def put_right(self, faults: Sequence[Fault], store: ReportStore) -> None:
        """Move what is wrong out of ``pdfs/`` and put its vehicles back to work; raises ``StorageError``.

        Only the holder of the ``DownloadLock`` may call this.
        """
        again = [fault.key for fault in faults if fault.key is not None]
        if again and self.checkpoint.header.finished:
            await self.checkpoint.change_header(finished=False)
        for key in again:  # lines before files, as in a reconciliation: a line without its file is work again
            await self.checkpoint.record(key, TaskRecord())
        for name in [fault.file for fault in faults if fault.file is not None]:
            await asyncio.to_thread(quarantine, self.folder, name, self.disk)
        await asyncio.to_thread(self.disk.make_folder, self.folder.pdfs)
        await self.reconcile(store)  # adopts what is proven but was not written down
        await self.save_tracking()
        await self.checkpoint.save_snapshot()

    async def todo(self, asked: Goal) -> dict[str, Vehicle]:
        """Return what this start has to fetch, and widen the run's goal where more is asked than before.

        Raises ``UnknownReference``.
        """
        chosen = select(self.keyed, asked)
        goal = self.checkpoint.header.goal
        if not set(chosen) <= set(select(self.keyed, goal)):
            await self.checkpoint.change_header(goal=_widened(goal, asked))
        return {key: self.keyed[key] for key in chosen if not self.is_done(key)}

    def others_left(self, asked: Goal) -> int:
        """Return how many vehicles of the run's goal are neither done nor among those that this start asks for."""
        chosen = set(select(self.keyed, asked))
        return sum(1 for key in self.goal_keys() if key not in chosen and not self.is_done(key))

    def is_done(self, key: str) -> bool:
        """Tell whether a key's proven file is in place and written down."""
        return self.checkpoint.records[key].state is TaskState.DONE

    def goal_keys(self) -> list[str]:
        """Return the keys of the run's goal, in inventory order."""
        return select(self.keyed, self.checkpoint.header.goal)

    async def keep_license(self, accepted: AcceptedLicense) -> None:
        """Keep the license that was accepted for this run, its hash in the first line."""
        text = f"sha256 {accepted.sha256}\naccepted {datetime.now(UTC).isoformat()}\n\n{accepted.text}\n"
        await asyncio.to_thread(self.disk.write_whole, self.folder.license, text.encode())

    async def save_tracking(self) -> None:
        """Write ``tracking.json``."""
        done = {key for key, record in self.checkpoint.records.items() if record.state is TaskState.DONE}
        await self.folder.write_tracking(self.names, done, self.disk)

    async def wrap_up(self, metrics: Mapping[str, Any]) -> None:
        """Leave the folder so that it tells all: tracking, metrics, snapshot, and whether the goal is reached."""
        await self.save_tracking()
        await asyncio.to_thread(self._forget_failures)
        data = json.dumps(metrics, indent=2).encode("ascii") + b"\n"
        await asyncio.to_thread(self.disk.write_whole, self.folder.metrics, data)
        # After the files: no start comes back to a finished run to write what a cut has kept from it.
        finished = all(self.is_done(key) for key in self.goal_keys())
        if finished != self.checkpoint.header.finished:
            await self.checkpoint.change_header(finished=finished)
        await self.checkpoint.save_snapshot()

    def _forget_failures(self) -> None:
        """Remove evidence of vehicles that were done since, also where a kill came between."""
        left = set(self.folder.failures.glob("*/"))
        for key in self.keyed:
            if self.is_done(key) and (path := self.folder.failure(self.names[key])) in left:
                self.disk.remove_tree(path)


def report_store(
    folder: RunFolder, keyed: Mapping[str, Vehicle], disk: Disk, parser: ParserPool, rule: ProofRule
) -> ReportStore:
    """Return the store of a run's reports, for its inventory by key."""
    longer = longer_references(vehicle.reference for vehicle in keyed.values())
    return ReportStore(folder.pdfs, disk, parser, rule, longer, unproven=folder.unproven)


def rule_to_json(rule: ProofRule) -> dict[str, Any]:
    """Return a profile's rule as a run's header keeps it."""
    return rule.model_dump(mode="json", exclude_defaults=True)


def select(keyed: Mapping[str, Vehicle], goal: Goal) -> list[str]:
    """Return the keys of a goal, in inventory order.

    Raises ``UnknownReference`` where one that is asked for by name is not in the inventory.
    """
    if goal.only:
        wanted = set(goal.only)
        chosen = [key for key, vehicle in keyed.items() if key in wanted or vehicle.reference in wanted]
        known = {name for key in chosen for name in (key, keyed[key].reference)}
        if missing := [name for name in goal.only if name not in known]:
            shown = ", ".join(ascii(name) for name in missing)
            raise UnknownReference(f"not in the inventory of {len(keyed)} vehicles: {shown}: correct --only")
        return chosen
    return list(keyed)[: goal.maximum or None]


def _widened(goal: Goal, asked: Goal) -> Goal:
    if goal.only and asked.only:
        return Goal(only=tuple(dict.fromkeys((*goal.only, *asked.only))))
    if goal.only or asked.only:
        return Goal()  # names and a first n: the whole inventory holds both
    return asked if not asked.maximum or (goal.maximum and asked.maximum > goal.maximum) else goal
