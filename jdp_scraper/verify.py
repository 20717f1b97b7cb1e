"""``verify``: checks a whole run folder again, and with ``--repair`` puts it right. No credentials, no browser."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from jdp_scraper import system
from jdp_scraper.checkpoint.download_lock import DownloadLock, refuse_if_busy
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.records import RunHeader, TaskState
from jdp_scraper.checkpoint.recovery import Recovery, recover
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.checkpoint.runs import TOO_OLD_DAYS, choose_run, find_run, list_runs, newest_run, whole_path
from jdp_scraper.checkpoint.verification import FILES_A_CHILD, Inspect, Seen, Verification, Verified
from jdp_scraper.console import one_line, say, show_notice
from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import ProfileError, RunFolderError
from jdp_scraper.events import Bus
from jdp_scraper.job import Job, report_store
from jdp_scraper.loopback import leads_to_loopback
from jdp_scraper.pdf.parser import ParserPool
from jdp_scraper.pdf.proof import ProofRule
from jdp_scraper.pdf.store import ReportStore
from jdp_scraper.portal.profile_file import load_profile, profile_named
from jdp_scraper.vehicle import Vehicle, assign_keys

MOST_CHILDREN = 8


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What the command line says; ``run`` is a folder's path or its name below ``download_folder``.

    ``portal`` is the setting, and ``rule_from`` the option, which overrides what the run itself has kept.
    """

    download_folder: Path
    run: Path | None = None
    repair: bool = False
    portal: str = ""
    rule_from: str | None = None


async def verify(options: VerifyOptions) -> int:
    """Print a line for each fault, and a summary; return 1 where anything was wrong, else 0.

    Nothing is touched without ``repair``. Raises ``RunFolderError`` and its kinds, ``ProfileError``,
    ``InventoryError``, ``StorageError``; ``UnusableError`` where no process can be started that reads PDFs.
    """
    disk, bus = Disk(), Bus()
    bus.subscribe(show_notice)
    folder = await asyncio.to_thread(_find, options)
    async with AsyncExitStack() as stack:
        if options.repair:
            await stack.enter_async_context(DownloadLock(folder.path.parent, disk))
        else:
            await asyncio.to_thread(refuse_if_busy, folder.path.parent)
        recovery = await asyncio.to_thread(recover, folder.data)
        header = recovery.state.header
        rule = _rule_of(header, options)
        keyed = assign_keys(await folder.load_inventory(header.inventory_sha256))
        children = min(MOST_CHILDREN, system.usable_cpus())
        parser = await stack.enter_async_context(ParserPool(children))
        store = report_store(folder, keyed, disk, parser, rule)
        began = time.perf_counter()
        names = assign_file_names(keyed)
        check = Verification(folder, recovery, keyed, names, _inspect_with(store), children * FILES_A_CHILD)
        verified = await check.run()
        if not options.repair:  # what a run has changed meanwhile would be called wrong
            await asyncio.to_thread(refuse_if_busy, folder.path.parent)
        _tell(verified, recovery, folder, names, time.perf_counter() - began)
        if options.repair and verified.faults:
            job = await Job.resume(folder, disk, bus)
            await job.put_right(verified.faults, store)
            await _tell_repair(verified, job, bus)
        elif verified.faults:
            say("  nothing was touched: --repair moves what is wrong away and puts its vehicles back to work")
    return 1 if verified.faults else 0


def _find(options: VerifyOptions) -> RunFolder:
    """Return the run that is meant; raises ``RunFolderError``."""
    if options.run is not None:
        return find_run(options.download_folder, options.run)
    folder = whole_path(options.download_folder)
    with storage_errors(str(folder)):
        newest = newest_run(folder)
    if newest is None:
        raise RunFolderError(f"no runs in {folder}: set DOWNLOAD_FOLDER or name a run folder")
    return newest


def _rule_of(header: RunHeader, options: VerifyOptions) -> ProofRule:
    """Return the rule by which the run's PDFs are proven; raises ``ProfileError``.

    The run keeps it. One that does not yet is verified by a profile of the same name: that of ``PORTAL``, or a built-in
    one. A profile that is named with the command counts before all.
    """
    if options.rule_from is not None:
        profile = load_profile(options.rule_from)
        if profile.name != header.portal:
            raise ProfileError(
                f"--portal names the profile {profile.name!r}, but the run was made with {header.portal!r}: "
                "leave --portal out, or name that one"
            )
        return profile.proof
    if header.proof is not None:
        try:
            return ProofRule.model_validate(header.proof)
        except ValidationError as error:
            raise RunFolderError(
                "the run's rule of proof was written by another version of jdp-scraper: name its profile with --portal"
            ) from error
    found = profile_named(header.portal, options.portal)
    if found is None:
        raise ProfileError(f"the run was made with the profile {header.portal!r}: name its file with --portal")
    return found.proof


def _inspect_with(store: ReportStore) -> Inspect:
    async def inspect(path: Path, vehicle: Vehicle) -> Seen:
        inspected = await store.inspect(path, vehicle)
        found = inspected.found
        return Seen(found.size, found.sha256, inspected.unproven, found.textless, found.flags)

    return inspect


# -- what is told ------------------------------------------------------------------------------------------------------


def _tell(verified: Verified, recovery: Recovery, folder: RunFolder, names: dict[str, str], seconds: float) -> None:
    for fault in verified.faults:
        say(one_line(f"wrong    {fault.text}"))
    for key, flags in verified.flags.items():
        say(one_line(f"flagged  {names[key]}: {', '.join(flags)}"))
    states = [record.state for record in recovery.state.records.values()]
    counts = [
        f"{verified.right} of {states.count(TaskState.DONE)} done are right",
        f"{len(verified.faults)} wrong",
        f"{len(verified.flags)} flagged",
        f"{len(verified.by_circumstances)} without text, proven by how they came",
        f"{states.count(TaskState.FAILED)} failed",
        f"{states.count(TaskState.TODO)} not fetched",
    ]
    say(one_line(f"run {folder.path.name}: {', '.join(counts)}; {verified.checked} PDFs read in {seconds:.1f} s"))


async def _tell_repair(verified: Verified, job: Job, bus: Bus) -> None:
    """Say what was done, and which start goes on with this run, if any does."""
    moved = sum(1 for fault in verified.faults if fault.file is not None)
    again = sum(1 for fault in verified.faults if fault.key is not None)
    if moved:
        say(one_line(f"  moved to {job.folder.quarantine}: {moved}"))
    if again:
        say(f"  back to work: {again} vehicle{'' if again == 1 else 's'}; {await _next_start(job, bus)}")


async def _next_start(job: Job, bus: Bus) -> str:
    header, now = job.checkpoint.header, datetime.now(UTC)
    runs = await list_runs(job.folder.path.parent, bus)
    chosen = choose_run(runs, portal=header.portal, account=header.account, origin=header.origin, now=now, resume=True)
    if chosen is None:
        return "no start goes on with this run: --only fetches them in another"
    if chosen.folder.path != job.folder.path:
        return f"the next start goes on with the newer run {chosen.folder.path.name}, not with this one"
    start = "start with --resume" if chosen.age_days(now) > TOO_OLD_DAYS else "start"
    if leads_to_loopback(header.origin):
        return f"only a {start} at PORTAL_URL={header.origin} fetches them; the portal of --demo is another each time"
    return f"the next {start} fetches them"
