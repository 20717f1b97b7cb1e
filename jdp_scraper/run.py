"""One run, from the first line to the report.

Go on with an unfinished run or begin one; sign in once; accept the license; list the inventory; for each vehicle, on
one of a few pages of one browser context: open it, ask for its report, stream the PDF, prove that it is this vehicle's,
put it in place, write the outcome down; sign out; report. It can be cut off anywhere and goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from jdp_scraper.browser.catcher import Pausing
from jdp_scraper.browser.driver import Driver
from jdp_scraper.browser.losses import Losses
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.browser.tracer import Tracer
from jdp_scraper.checkpoint.download_lock import DownloadLock
from jdp_scraper.checkpoint.lease import LeaseFile, account_id
from jdp_scraper.checkpoint.records import Goal, RunHeader
from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.checkpoint.runs import choose_run, list_runs
from jdp_scraper.console import age_text
from jdp_scraper.disk import Disk
from jdp_scraper.errors import (
    BrowserLost,
    Interrupted,
    InventoryError,
    PortalChanged,
    ScraperError,
    SignInError,
    StorageError,
    VehicleError,
)
from jdp_scraper.events import Bus, Notice
from jdp_scraper.job import Job, rule_to_json, select
from jdp_scraper.metrics import Metrics
from jdp_scraper.pdf.parser import ParserPool
from jdp_scraper.portal.account import AccountSession, Patience
from jdp_scraper.portal.entrance import Credentials
from jdp_scraper.portal.left_session import end_left_session
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.listing import list_inventory
from jdp_scraper.portal.profile_file import load_profile
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.visit import Visit, browser_options
from jdp_scraper.portal.whole_run import whole_run_errors
from jdp_scraper.run_log import RunLog
from jdp_scraper.run_report import RunReport
from jdp_scraper.settings import Settings
from jdp_scraper.stop import StopRequest
from jdp_scraper.work.crew import Crew, Ground, new_pool

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


class Run:
    """One start of the program; ``execute`` once."""

    def __init__(
        self, settings: Settings, options: RunOptions, bus: Bus, stop: StopRequest, driver: Driver | None = None
    ) -> None:
        self._settings = settings
        self._options = options
        self._bus = bus
        self._stop = stop
        self._disk = Disk()
        self._site = Site(load_profile(settings.portal), settings.portal_url)
        self._account_id = account_id(self._site.profile.name, settings.jd_user)
        only = tuple(dict.fromkeys(options.only))
        self._goal = Goal(0 if only else settings.max_downloads, only)
        self._log = RunLog(settings.log_level, self._disk)
        self._metrics = Metrics()
        self._job: Job | None = None
        self._links = LinkBook()
        self._pausing = Pausing()
        self._crew: Crew | None = None
        self._signed_out = False
        self._driver = driver  # the first browser's, begun ahead
        self._tracer = Tracer(settings.trace == "on-failure", settings.download_folder / ".traces", self._disk, bus)
        bus.secrets.add(settings.jd_pass.get_secret_value())
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
                await stack.enter_async_context(self._tracer)
                stack.push_async_callback(self._wrap_up, began)
                await self._story(stack)
        except (Exception, BaseExceptionGroup) as error:
            reason = await self._reason(_gravest(error))
            if isinstance(reason, Interrupted) and self._job is None:
                reason = Interrupted(reason.signal_number, "Interrupted: nothing was begun.")
            if isinstance(reason, ScraperError):
                reason.args = (self._bus.secrets.message(str(reason)),)
            self._log(Notice("error", self._bus.secrets.message(f"{type(reason).__name__}: {reason}")))
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
        self._job = await self._stop.guard(self._go_on(parser))
        if self._job is not None and not await self._job.todo(self._goal):
            self.report.begun = True
            others = self._job.others_left(self._goal)
            chosen = f"the chosen vehicles are done; others left of this run: {others}"
            self._bus.notice("info", chosen if others else "nothing is left to do in this run")
            self.report.signed_out = await end_left_session(self._lease_file(), self._site, self._bus)
            return
        account = self._new_account()
        self._links = LinkBook(lambda: account.generation)
        stack.push_async_callback(self._sign_out, account)  # where no browser is left to do it before
        losses, ended = Losses(), False
        while not ended:
            try:
                async with self._visit(account) as visit:
                    await self._work(account, visit, parser)
                ended = True
            except BrowserLost as error:
                if not self.report.begun or await self._stop.came_with():
                    raise  # one that never started is a matter of settings, one that a signal ended of nothing else
                losses.note(error, time.monotonic(), self._metrics.done)
                self.report.browsers_replaced = losses.count
                self._bus.notice("warning", f"{error}: the run goes on in another browser")

    async def _work(self, account: AccountSession, visit: Visit, parser: ParserPool) -> None:
        """Do in one browser all that is left to do; its pages are gone before anybody signs out."""
        try:
            async with new_pool(visit.browser, self._settings, self._site.profile, self._pausing) as pool:
                # Until the work begins the processors are busy: one page gets ready for it, not all.
                pool.warm_up(1)
                await self._stop.guard(account.open(visit))
                await self._tracer.begin(visit.browser.context)
                if self._job is None:
                    self._job = await self._stop.guard(self._begin(account, visit))
                if account.license is not None:
                    await self._job.keep_license(account.license)
                if self._crew is None:
                    self._crew = await self._stop.guard(self._new_crew(self._job, account, parser))
                await self._crew.work(visit, pool)
        finally:
            self.report.sign_ins = account.sign_ins
            self.report.pages_replaced = 0 if self._crew is None else self._crew.pages_replaced

    @contextlib.asynccontextmanager
    async def _visit(self, account: AccountSession) -> AsyncIterator[Visit]:
        """Lend a browser; on every way out but its own loss the account is signed out in it."""
        self._tracer.forget()
        options = browser_options(self._settings, self._site.profile, traces=self._tracer.folder)
        driver, self._driver = self._driver, None
        async with BrowserSession(options, self._bus, driver) as browser:
            self._signed_out, self.report.begun = False, True
            try:
                with whole_run_errors(self._site.origin):
                    page = await browser.new_page()
                yield Visit(browser, page)
            except BaseException as error:
                gravest = _gravest(error)
                if isinstance(gravest, BrowserLost):
                    if browser.alive:
                        await self._leave(account)
                    raise gravest from error
                if _may_be_the_browsers(gravest) and await browser.has_ended():
                    raise BrowserLost("the browser ended by itself") from error
                await self._sign_out(account)
                raise
            else:
                await self._sign_out(account)

    async def _leave(self, account: AccountSession) -> None:
        """Leave a browser that is of no use any more: the next one, or a sign-out over HTTP, needs its last cookies."""
        if account.keeper.recipe is None:  # nothing could sign out afterwards
            await self._sign_out(account)
        with contextlib.suppress(StorageError):
            await account.refresh_lease()

    def _new_account(self) -> AccountSession:
        settings, name, disk, bus = self._settings, self._site.profile.name, self._disk, self._bus
        lock_s = settings.lock_wait(at_terminal=self._options.at_terminal)
        return AccountSession.of(
            self._site,
            Credentials(settings.jd_user, settings.jd_pass.get_secret_value(), self._options.retry_sign_in),
            self._lease_file(),
            RefusedMarker(settings.download_folder, name, self._account_id, disk, bus),
            Patience(lock_s, settings.own_lock_wait, settings.portal_down_wait_s),
            bus=bus,
            disk=disk,
            step_s=settings.step_timeout_s,
            screenshots=settings.download_folder / "sign-in",
            unrecorded=self._tracer.paused,
        )

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
        age = age_text(found.age_days(now))
        failed = f", {found.failed} failed before" if found.failed else ""
        self._adopt(job, f"goes on, begun {age} ago: {found.done} of {len(job.goal_keys())} done{failed}")
        await job.keep_rule(self._site.profile.proof)
        await job.reconcile(job.store(parser, self._site.profile.proof))
        return job

    async def _begin(self, account: AccountSession, visit: Visit) -> Job:
        """List the inventory and begin another run on it."""
        with whole_run_errors(self._site.origin):
            listing = await list_inventory(
                visit, self._site, account, self._links, bus=self._bus, seconds=self._settings.step_timeout_s
            )
        if not listing.vehicles:
            raise InventoryError("the portal's inventory is empty: there is nothing to fetch")
        profile = self._site.profile
        header = RunHeader(
            profile.name,
            self._site.origin,
            self._account_id,
            datetime.now(UTC),
            goal=self._goal,
            proof=rule_to_json(profile.proof),
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

    # -- the work --------------------------------------------------------------------------------------------------

    async def _new_crew(self, job: Job, account: AccountSession, parser: ParserPool) -> Crew:
        todo = await job.todo(self._goal)
        await parser.launch()  # it gets ready while the first vehicles are opened
        ground = Ground(
            settings=self._settings,
            site=self._site,
            account=account,
            links=self._links,
            checkpoint=job.checkpoint,
            folder=job.folder,
            inventory=job.keyed.values(),
            names=job.names,
            store=job.store(parser, self._site.profile.proof),
            save_tracking=job.save_tracking,
            disk=self._disk,
            bus=self._bus,
            stop=self._stop,
            tracer=self._tracer,
        )
        return Crew(ground, todo, len(select(job.keyed, self._goal)) - len(todo))

    # -- the way out -----------------------------------------------------------------------------------------------

    async def _sign_out(self, account: AccountSession) -> None:
        """Sign out, once a browser, whatever happened; a second signal bounds it."""
        if self._signed_out:
            return
        self._signed_out = True
        closing = asyncio.ensure_future(account.close())
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
        report.narrowed_after, report.pauses = self._metrics.narrowed_after, self._metrics.pauses
        if job is None:
            return
        wanted = select(job.keyed, self._goal)
        report.others_left = job.others_left(self._goal)
        report.wanted, report.done = len(wanted), sum(1 for key in wanted if job.is_done(key))
        records = {key: job.checkpoint.records[key] for key in wanted if job.is_done(key)}
        report.flagged = {key: ", ".join(record.flags) for key, record in records.items() if record.flags}
        report.without_text = sum(1 for record in records.values() if record.proven_by is not None)
        await job.wrap_up({"totals": report.totals()} | self._metrics.to_json())


def _may_be_the_browsers(error: BaseException) -> bool:
    """Tell whether an error may be what the loss of the browser looks like from further up."""
    return isinstance(error, PortalChanged | VehicleError) or not isinstance(error, ScraperError)


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
