"""A run's workers in one browser and the next: what they find out and write down outlives it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from jdp_scraper.browser.catcher import Pausing
from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.browser.tracer import Tracer
from jdp_scraper.checkpoint.records import Goal, RunHeader, TaskState
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.disk import Disk, DiskFile
from jdp_scraper.errors import BrowserLost, UnusableError
from jdp_scraper.events import Notice, TaskDone, TaskFailed, TaskReturned
from jdp_scraper.job import Job
from jdp_scraper.pdf.parser import ParserPool
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.grid import GridView
from jdp_scraper.portal.inventory import Listing
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.visit import Visit
from jdp_scraper.settings import Settings
from jdp_scraper.stop import StopRequest
from jdp_scraper.vehicle import Vehicle
from jdp_scraper.work.crew import Crew, Ground, new_pool
from tests.support.program import until_portal

from ..acceptance.test_browser_loss import is_driver
from ..unit.portal.profiles import profile_of
from .conftest import STEP_S, Ear, StartPortal
from .test_account import Account
from .test_session import begun_since, children, until


@dataclass(frozen=True)
class Work:
    """A crew and what it stands on; ``account`` is signed in to by the first browser."""

    crew: Crew
    account: AccountSession
    job: Job
    links: LinkBook
    visits: list[Visit] = field(default_factory=list)
    pausing: Pausing = field(default_factory=Pausing)

    async def in_browser(self, browser: BrowserSession) -> None:
        visit = Visit(browser, await browser.new_page())
        self.visits.append(visit)
        await self.account.open(visit)
        async with new_pool(browser, Settings(_env_file=None), profile_of(), self.pausing) as pool:
            await self.crew.work(visit, pool)

    def attempts(self) -> list[tuple[TaskState, int]]:
        return [(record.state, record.attempts) for record in self.job.checkpoint.records.values()]


@asynccontextmanager
async def work_on(
    portal: DemoPortal,
    browser: BrowserSession,
    folder: Path,
    ear: Ear,
    disk: Disk | None = None,
    goal: Goal | None = None,
    order: Callable[[dict[str, Any]], Any] | None = None,
    parsed_by: Sequence[str] | None = None,
    **settings: Any,
) -> AsyncIterator[Work]:
    """A run of the portal's whole inventory, or what ``goal`` says of it, of which nothing is fetched yet."""
    disk = disk or Disk()
    account = Account(browser, Site(profile_of(), portal.url), folder, ear)
    session = account.session()
    inventory = await portal.inventory()
    if order is not None:
        inventory.sort(key=order)
    vehicles = tuple(Vehicle(one["reference"], one["vin"]) for one in inventory)
    header = RunHeader("jdpower", portal.url, "0123456789ab", datetime.now(UTC))
    job = await Job.begin(folder, header, Listing(vehicles), disk, ear.bus)
    async with AsyncExitStack() as stack:
        parser = await stack.enter_async_context(ParserPool(1, command=parsed_by))
        links = LinkBook(lambda: session.generation)
        ground = Ground(
            settings=Settings(_env_file=None, download_folder=folder, **settings),
            site=account.site,
            account=session,
            links=links,
            checkpoint=job.checkpoint,
            folder=job.folder,
            inventory=job.keyed.values(),
            names=job.names,
            store=job.store(parser, account.site.profile.proof),
            save_tracking=job.save_tracking,
            disk=disk,
            bus=ear.bus,
            stop=StopRequest(),
            tracer=Tracer(False, folder / ".traces", disk, ear.bus),
        )
        yield Work(Crew(ground, await job.todo(goal or Goal()), 0), session, job, links)
        await session.close()


@asynccontextmanager
async def to_be_lost(ear: Ear) -> AsyncIterator[tuple[BrowserSession, psutil.Process]]:
    """A browser, and the process of its driver."""
    before = children()
    async with BrowserSession(BrowserOptions(step_timeout_s=STEP_S), ear.bus) as browser:
        (driver,) = filter(is_driver, begun_since(before))
        yield browser, driver


def renders(process: psutil.Process) -> bool:
    return any(part == "--type=renderer" for part in process.cmdline())


@pytest.fixture
def told_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a driver is noticed a while after the calls that fail of it."""
    monkeypatch.setattr("jdp_scraper.browser.session.WATCH_EVERY_S", 1.0)
    monkeypatch.setattr("jdp_scraper.browser.session.TOLD_S", 20.0)


@pytest.mark.usefixtures("told_late")
async def test_a_walk_that_its_driver_s_end_cuts_off_is_begun_again_in_the_next_browser(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=12, page_size=4)
    await portal.fault("rotate_cookie", at="grid")  # the first page of rows comes, the second one does not
    await portal.fault("hang", at="grid")
    async with work_on(portal, browser, tmp_path, ear, concurrent_contexts=1) as work:
        async with to_be_lost(ear) as (first, driver):
            working = asyncio.ensure_future(work.in_browser(first))
            await until(lambda: working.done() or sum(isinstance(event, TaskDone) for event in ear.events) == 4)
            await until_portal(portal, lambda ledger: ledger["faults"].get("hang@grid"))
            driver.kill()
            with pytest.raises(BaseExceptionGroup) as caught:
                await working
        assert caught.group_contains(BrowserLost)
        assert not work.links.ended
        await work.in_browser(browser)
        walked = {row.vehicle.reference for row in work.links.rows()}
        assert walked == {vehicle.reference for vehicle in work.job.keyed.values()}
        assert work.attempts() == [(TaskState.DONE, 1)] * 12


async def test_a_vehicle_whose_row_the_walk_is_long_to_reach_uses_up_no_try(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=2, hang_s=600)
    await portal.fault("hang", at="grid")
    async with work_on(portal, browser, tmp_path, ear, task_timeout_s=15, step_timeout_s=60, max_retries=0) as work:
        working = asyncio.ensure_future(work.in_browser(browser))
        await until(lambda: working.done() or any(isinstance(event, TaskReturned) for event in ear.events))
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert work.attempts() == [(TaskState.TODO, 0)] * 2
        await work.in_browser(browser)
        assert work.attempts() == [(TaskState.DONE, 1)] * 2


async def test_pages_that_share_a_process_and_crash_with_it_use_up_no_try_of_their_vehicles(
    start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=6, hang_s=600)
    await portal.fault("hang", at="create", times=2)
    options = BrowserOptions(step_timeout_s=STEP_S, extra_flags=("--renderer-process-limit=1",))
    before = children()
    async with (
        BrowserSession(options, ear.bus) as browser,
        work_on(portal, browser, tmp_path, ear, concurrent_contexts=2, max_retries=0) as work,
    ):
        working = asyncio.ensure_future(work.in_browser(browser))
        await until_portal(portal, lambda ledger: ledger["faults"].get("hang@create") == 2)
        await until(lambda: work.links.ended)
        for renderer in filter(renders, begun_since(before)):
            renderer.kill()
        await working
        assert work.attempts() == [(TaskState.DONE, 1)] * 6, [e for e in ear.events if isinstance(e, TaskFailed)]
        returned = [event for event in ear.events if isinstance(event, TaskReturned)]
        assert len(returned) >= 2
        assert {(event.error, event.counts) for event in returned} == {("PageLost", False)}


async def test_a_vehicle_that_the_portal_no_longer_has_says_nothing_of_how_the_others_are_opened(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=24, page_size=4, latency="typical")
    gone = (await portal.inventory())[0]["reference"]
    async with work_on(portal, browser, tmp_path, ear, concurrent_contexts=2, max_retries=0) as work:
        rows = work.links.add

        async def add(view: GridView) -> None:
            """The first vehicle goes once the walk has shown it, while the walk goes on."""
            await portal.change_lot(remove=[gone])
            await rows(view)

        work.links.add = add  # type: ignore[method-assign]
        await work.in_browser(browser)
        assert work.attempts() == [(TaskState.FAILED, 1), *[(TaskState.DONE, 1)] * 23]
        (failed,) = (event for event in ear.events if isinstance(event, TaskFailed))
        assert (failed.key, failed.error) == (gone, "PortalAnswered")
        ways = [event.text for event in ear.events if isinstance(event, Notice) and "are opened by" in event.text]
        assert ways == ["vehicles are opened by address: a link's address opens its vehicle"]
        assert (await portal.ledger())["grid_callbacks"] < 20


async def test_a_doubt_about_how_tabs_are_opened_outlives_the_browser(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=6, latency="typical")
    async with work_on(portal, browser, tmp_path, ear, concurrent_contexts=1, max_retries=0) as work:
        working = asyncio.ensure_future(work.in_browser(browser))
        await until(lambda: working.done() or not work.pausing.needed)
        await portal.set(tab="location")
        await until(lambda: working.done() or any(isinstance(event, TaskReturned) for event in ear.events))
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await portal.set(tab="open", latency="none")
        await work.in_browser(browser)
        assert work.pausing.needed
        assert work.attempts() == [(TaskState.DONE, 1)] * 6
        returned = [(event.error, event.counts) for event in ear.events if isinstance(event, TaskReturned)]
        assert returned == [("TabAstray", False)]


class HeldDisk(Disk):
    """Writes a vehicle's outcome down when it is told to."""

    def __init__(self) -> None:
        self.writing, self.go = threading.Event(), threading.Event()

    def open_append(self, path: Path) -> DiskFile:
        self.writing.set()
        self.go.wait()
        return super().open_append(path)


async def test_an_outcome_that_is_being_written_down_at_a_cut_is_known_to_the_next_browser(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal, disk = await start_portal(vehicles=1), HeldDisk()
    async with work_on(portal, browser, tmp_path, ear, disk, concurrent_contexts=1) as work:
        working = asyncio.ensure_future(work.in_browser(browser))
        await asyncio.to_thread(disk.writing.wait)
        working.cancel()
        await until(lambda: not any(task.get_name() == "watchdog" for task in asyncio.all_tasks()))
        disk.go.set()  # only now, when every task of the group has been cancelled
        with pytest.raises(asyncio.CancelledError):
            await working
        await work.in_browser(browser)
        assert set((await portal.ledger())["reports_asked"].values()) == {1}
        assert work.attempts() == [(TaskState.DONE, 1)]


async def test_where_no_pdf_can_be_read_no_report_is_asked_for(
    start_portal: StartPortal, browser: BrowserSession, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=4)
    async with work_on(portal, browser, tmp_path, ear, parsed_by=(sys.executable, "-c", "pass")) as work:
        with pytest.raises(ExceptionGroup) as caught:
            await work.in_browser(browser)
        assert caught.group_contains(UnusableError, match="does not start")
        ledger = await portal.ledger()
        assert ledger["vehicle_opens"] and not ledger["reports_created"] and not ledger["reports_asked"]
        assert {state for state, _ in work.attempts()} == {TaskState.TODO}
