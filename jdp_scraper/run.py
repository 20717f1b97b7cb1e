"""One run, from the first line to the report.

Go on with an unfinished run or begin one; sign in once; accept the license; list the inventory; for each vehicle, on
one of a few pages of one browser context: open it, ask for its report, stream the PDF, prove that it is this vehicle's,
put it in place, write the outcome down; sign out; report. It can be cut off anywhere and goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Page

from jdp_scraper.browser.session import BrowserOptions, BrowserSession
from jdp_scraper.checkpoint.download_lock import DownloadLock
from jdp_scraper.checkpoint.lease import LeaseFile, account_id
from jdp_scraper.checkpoint.records import Goal, RunHeader
from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.checkpoint.runs import choose_run, list_runs
from jdp_scraper.disk import Disk
from jdp_scraper.errors import (
    Interrupted,
    InventoryError,
    PortalAnswered,
    ScraperError,
    SignInError,
    StepTimeout,
    StorageError,
)
from jdp_scraper.events import Bus, Notice
from jdp_scraper.job import Job, select
from jdp_scraper.metrics import Metrics
from jdp_scraper.pdf.parser import ParserPool
from jdp_scraper.portal.account import SIGN_OUT_S, AccountSession, Credentials, whole_run_errors
from jdp_scraper.portal.grid import GridPage, grid_lock
from jdp_scraper.portal.inventory import Listing, fetch_export, read_listing
from jdp_scraper.portal.left_session import end_left_session
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.profile import Block
from jdp_scraper.portal.profile_file import load_profile
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.walk import walk_whole_grid
from jdp_scraper.run_log import RunLog
from jdp_scraper.settings import Settings
from jdp_scraper.stop import StopRequest
from jdp_scraper.work.crew import Ground, harvest_of

EXPORT_S = 120.0
HURRIED_SIGN_OUT_S = 5.0
WHOLE_SIGN_OUT_S = 30.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line says of one start, beside the settings."""

    new: bool = False
    resume: bool = False
    only: tuple[str, ...] = ()
    retry_sign_in: bool = False
    at_terminal: bool = False


@dataclass(slots=True)
class RunReport:
    """What the end of a start tells; ``failed`` is key to reason, of this start's vehicles."""

    folder: RunFolder | None = None
    wanted: int = 0
    done: int = 0
    fetched: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    sign_ins: int = 0
    signed_out: bool = True
    pages_replaced: int = 0
    steps: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    def totals(self) -> dict[str, Any]:
        """Return the counts as JSON values; ``seconds`` is this start's length."""
        return {
            "wanted": self.wanted,
            "done": self.done,
            "fetched": self.fetched,
            "failed": len(self.failed),
            "seconds": round(self.seconds, 3),
            "sign_ins": self.sign_ins,
            "signed_out": self.signed_out,
            "pages_replaced": self.pages_replaced,
        }


@dataclass(frozen=True, slots=True)
class Portal:
    """The browser, the run's own page, and the account's session on it."""

    browser: BrowserSession
    page: Page
    account: AccountSession


class Run:
    """One start of the program; ``execute`` once."""

    def __init__(self, settings: Settings, options: RunOptions, bus: Bus, stop: StopRequest) -> None:
        self._settings = settings
        self._options = options
        self._bus = bus
        self._stop = stop
        self._disk = Disk()
        self._site = Site(load_profile(settings.portal), settings.portal_url)
        self._account_id = account_id(self._site.profile.name, settings.jd_user)
        self._goal = Goal(0 if options.only else settings.max_downloads, options.only)
        self._log = RunLog(settings.log_level, self._disk)
        self._metrics = Metrics()
        self._job: Job | None = None
        self._links = LinkBook()
        self.report = RunReport()
        bus.subscribe(self._log)
        bus.subscribe(self._metrics)

    async def execute(self) -> RunReport:
        """Do the whole job; raises the ``ScraperError`` that stopped it, after everything was put in order."""
        self._settings.require_credentials()
        began = time.monotonic()
        try:
            async with contextlib.AsyncExitStack() as stack:
                await stack.enter_async_context(DownloadLock(self._settings.download_folder, self._disk))
                stack.push_async_callback(self._wrap_up, began)
                await self._story(stack)
        except (Exception, BaseExceptionGroup) as error:
            reason = await self._reason(_gravest(error))
            self._log(Notice("error", f"{type(reason).__name__}: {reason}"))
            raise reason from error
        finally:
            self._log.close()
        return self.report

    async def _reason(self, error: BaseException) -> BaseException:
        """Return why the run ended: a signal to the whole process group ends the browser, too, and is the cause."""
        if not isinstance(error, Interrupted | StorageError) and await self._stop.came_with():
            return self._stop.error()
        return error

    async def _story(self, stack: contextlib.AsyncExitStack) -> None:
        parser = await stack.enter_async_context(ParserPool())
        job = await self._stop.guard(self._go_on(parser))
        if job is not None and not await job.todo(self._goal):
            self._bus.notice("info", "nothing is left to do in this run")
            self.report.signed_out = await end_left_session(self._lease_file(), self._site, self._bus)
            return
        portal = await self._open_portal(stack)
        self._bus.notice("info", f"signing in at {self._site.origin}")
        await self._stop.guard(portal.account.open(portal.page))
        self.report.sign_ins = portal.account.sign_ins
        if job is None:
            job = await self._stop.guard(self._begin(portal))
        if portal.account.license is not None:
            await job.keep_license(portal.account.license)
        await self._harvest(job, portal, parser)

    async def _open_portal(self, stack: contextlib.AsyncExitStack) -> Portal:
        """Launch the browser; from here on every way out signs out and closes it."""
        settings, profile = self._settings, self._site.profile
        block = profile.block if settings.block_resources else Block(images=False, fonts=False)
        options = BrowserOptions(
            headless=settings.headless,
            path=settings.browser_path,
            sandbox=settings.browser_sandbox,
            block_images=block.images,
            block_fonts=block.fonts,
            blocked_hosts=block.hosts,
            step_timeout_s=settings.step_timeout_s,
        )
        browser = await stack.enter_async_context(BrowserSession(options, self._bus))
        page = await browser.new_page()
        account = AccountSession(
            self._site,
            browser,
            Credentials(settings.jd_user, settings.jd_pass.get_secret_value(), self._options.retry_sign_in),
            self._lease_file(),
            RefusedMarker(settings.download_folder, profile.name, self._account_id, self._disk, self._bus),
            bus=self._bus,
            disk=self._disk,
            step_s=settings.step_timeout_s,
            lock_wait_s=settings.lock_wait(self._options.at_terminal),
            screenshots=settings.download_folder / "sign-in",
        )
        stack.push_async_callback(self._sign_out, account, page)
        return Portal(browser, page, account)

    def _lease_file(self) -> LeaseFile:
        folder, portal = self._settings.download_folder, self._site.profile.name
        return LeaseFile(folder, portal, self._account_id, self._disk, self._bus)

    # -- which run -------------------------------------------------------------------------------------------------

    async def _go_on(self, parser: ParserPool) -> Job | None:
        """Open the newest unfinished run of this portal and account, if there is one."""
        runs = await list_runs(self._settings.download_folder, self._bus)
        now = datetime.now(UTC)
        found = choose_run(
            runs,
            portal=self._site.profile.name,
            account=self._account_id,
            origin=self._site.origin,
            now=now,
            new=self._options.new,
            resume=self._options.resume,
        )
        if found is None:
            return None
        job = await Job.resume(found.folder, self._disk, self._bus)
        age = _age(found.age_days(now))
        failed = f", {found.failed} failed and tried again" if found.failed else ""
        self._adopt(job, f"goes on, begun {age} ago: {found.done} of {len(job.goal_keys())} done{failed}")
        await job.reconcile(job.store(parser, self._site.profile.proof))
        return job

    async def _begin(self, portal: Portal) -> Job:
        """List the inventory and begin another run on it."""
        with whole_run_errors(self._site.origin):
            listing = await self._list_inventory(portal)
        if not listing.vehicles:
            raise InventoryError("the portal's inventory is empty: there is nothing to fetch")
        header = RunHeader(
            self._site.profile.name, self._site.origin, self._account_id, datetime.now(UTC), goal=self._goal
        )
        job = await Job.begin(self._settings.download_folder, header, listing, self._disk, self._bus)
        self._adopt(job, f"begun: {len(listing.vehicles)} vehicles in the inventory")
        if listing.blank_lines:
            lines = ", ".join(str(line) for line in listing.blank_lines[:10])
            self._bus.notice("warning", f"{len(listing.blank_lines)} lines have no reference and are left out: {lines}")
        if twice := len(listing.vehicles) - len(job.keyed):
            self._bus.notice("warning", f"{twice} lines repeat a vehicle of the inventory and are left out")
        return job

    def _adopt(self, job: Job, what: str) -> None:
        self._job = job
        self.report.folder = job.folder
        self._log.open(job.folder.log)
        self._bus.notice("info", f"run {job.folder.path.name} {what}")

    async def _list_inventory(self, portal: Portal) -> Listing:
        rule, seconds = self._site.profile.inventory, self._settings.step_timeout_s
        grid = GridPage(portal.page, self._site, seconds)
        if rule.export is None:
            lock = grid_lock(rule.grid)
            new_page = portal.browser.new_page
            await walk_whole_grid(grid, self._links, lock, portal.account, bus=self._bus, new_page=new_page)
            if self._links.blank:
                self._bus.notice("warning", f"{self._links.blank} rows have no reference and are left out")
            return Listing(tuple(row.vehicle for row in self._links.rows()))
        await grid.open()
        await portal.account.learn_sign_out(portal.page)
        await grid.clear()  # a filter that is on would hold for the export, too
        try:
            content = await fetch_export(portal.page, self._site, rule.export, EXPORT_S)
        except (StepTimeout, PortalAnswered) as error:
            self._bus.notice("warning", f"{error}; once more")
            await grid.open()
            content = await fetch_export(portal.page, self._site, rule.export, EXPORT_S)
        return read_listing(content, rule.export.columns)

    # -- the work --------------------------------------------------------------------------------------------------

    async def _harvest(self, job: Job, portal: Portal, parser: ParserPool) -> None:
        todo = await job.todo(self._goal)
        await self._stop.guard(parser.start())
        ground = Ground(
            settings=self._settings,
            site=self._site,
            browser=portal.browser,
            page=portal.page,
            account=portal.account,
            links=self._links,
            checkpoint=job.checkpoint,
            folder=job.folder,
            names=job.names,
            store=job.store(parser, self._site.profile.proof),
            disk=self._disk,
            bus=self._bus,
            stop=self._stop,
        )
        done_before = len(select(job.keyed, self._goal)) - len(todo)
        async with harvest_of(ground, todo, done_before, job.save_tracking) as harvest:
            try:
                await harvest.run()
            finally:
                self.report.sign_ins = portal.account.sign_ins
                self.report.pages_replaced = harvest.pool.statistics().replaced

    # -- the way out -----------------------------------------------------------------------------------------------

    async def _sign_out(self, account: AccountSession, page: Page) -> None:
        """Sign out whatever happened; a second signal bounds it."""
        closing = asyncio.ensure_future(account.close(page, SIGN_OUT_S))
        hurried = asyncio.ensure_future(self._stop.hurried.wait())
        try:
            await asyncio.wait([closing, hurried], timeout=WHOLE_SIGN_OUT_S, return_when=asyncio.FIRST_COMPLETED)
            if not closing.done():
                await asyncio.wait([closing], timeout=HURRIED_SIGN_OUT_S)
            self.report.signed_out = closing.done() and closing.result()
        finally:
            hurried.cancel()
            closing.cancel()
            await asyncio.gather(closing, hurried, return_exceptions=True)

    async def _wrap_up(self, began: float) -> None:
        """Count, and leave the run's folder in order."""
        report, job = self.report, self._job
        report.seconds = time.monotonic() - began
        report.failed, report.fetched = self._metrics.failed, self._metrics.done
        report.steps = self._metrics.steps()
        if job is None:
            return
        wanted = select(job.keyed, self._goal)
        report.wanted, report.done = len(wanted), sum(1 for key in wanted if job.is_done(key))
        await job.wrap_up({"totals": report.totals()} | self._metrics.to_json())


def _age(days: float) -> str:
    hours = days * 24
    if hours < 1:
        return f"{max(0, hours * 60):.0f} min"
    return f"{hours:.0f} h" if days < 2 else f"{days:.0f} days"


_GRAVEST = (Interrupted, StorageError, SignInError, ScraperError)


def _gravest(error: BaseException) -> BaseException:
    """Return the one error of a group that says most about why the run ended."""
    errors = list(_leaves(error))
    for kind in _GRAVEST:
        for leaf in errors:
            if isinstance(leaf, kind):
                return leaf
    return errors[0]


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
