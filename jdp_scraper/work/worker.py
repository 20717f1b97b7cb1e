"""A worker: takes a task, opens its vehicle, learns the report's address, receives, proves and places the report.

A page is held for the first half only. With more workers than pages, pages go on to the next vehicle while the reports
of the last ones still stream.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from playwright.async_api import Error as PlaywrightError

from jdp_scraper.browser.pool import PagePool, PooledPage
from jdp_scraper.checkpoint.records import TaskRecord, TaskState
from jdp_scraper.errors import (
    Action,
    BrowserLost,
    PageLost,
    ReportMismatch,
    ScraperError,
    StepTimeout,
    TabAstray,
    VehicleError,
)
from jdp_scraper.events import Bus, StepDone, TaskDone, TaskFailed, TaskReturned, TaskStarted
from jdp_scraper.pdf.store import PlacedReport
from jdp_scraper.pdf.unbroken import unbroken
from jdp_scraper.portal.account import Mended
from jdp_scraper.portal.report import learn_report
from jdp_scraper.report_request import ReportRequest
from jdp_scraper.work.binding import Passage
from jdp_scraper.work.desk import Desk
from jdp_scraper.work.evidence import Evidence
from jdp_scraper.work.queue import AsyncTaskQueue, StaleLease
from jdp_scraper.work.retry import GiveUp, Retry, Stop
from jdp_scraper.work.task import Lease
from jdp_scraper.work.traffic import Turn
from jdp_scraper.work.watchdog import Watchdog

PAGES_LOST_IN_A_ROW = 3


@dataclass(slots=True, eq=False)
class Attempt:
    """One try at a task: its lease, turn, page, the session it began with, its way to the report, and what was seen."""

    lease: Lease
    turn: Turn | None = None
    generation: int = 0
    pooled: PooledPage | None = None
    passage: Passage | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Worker:
    """One of several alike; ``desk`` holds what they share."""

    queue: AsyncTaskQueue
    pool: PagePool
    watchdog: Watchdog
    desk: Desk
    bus: Bus

    async def run(self) -> None:
        """Work until the queue has nothing more; raises what stops the run."""
        lost = 0
        while True:
            try:
                if not await self._one():
                    return
                lost = 0
            except PageLost as error:  # before a task was taken: no page could be opened
                lost += 1
                if lost >= PAGES_LOST_IN_A_ROW or await self.desk.browser.has_ended():
                    raise BrowserLost(f"the browser opens no more pages: {error}") from error

    async def _one(self) -> bool:
        """Work on one task; tells whether there was one."""
        attempt: Attempt | None = None
        try:
            async with self.pool.page() as pooled:
                lease = await self.queue.take()
                if lease is None:
                    return False
                attempt = Attempt(lease, pooled=pooled)
                if not await self._begin(attempt):
                    return False
                request = await self._ask(attempt, pooled)
            async with self.desk.streams:
                await self._receive(attempt, request)
        except VehicleError as error:
            if attempt is None:
                raise
            if isinstance(error, PageLost) and await self.desk.browser.has_ended():  # no fault of the vehicle's
                raise BrowserLost(f"the browser ended by itself: {error}") from error
            await self._failed(attempt, error)
        finally:
            if attempt is not None:
                self._end(attempt)
        return True

    async def _begin(self, attempt: Attempt) -> bool:
        """Wait for the attempt's turn; tells whether it may be begun, false where the run is to stop."""
        desk, lease = self.desk, attempt.lease
        async with self._attempt(lease):
            await desk.opener.wait_for_row(lease.vehicle, lambda: self.queue.beat(lease))
        since = desk.clock()
        attempt.turn = await desk.traffic.turn()
        await desk.account.settled()  # nothing is begun on a session that is being mended
        self.queue.waited(lease, since)
        if attempt.turn is None:
            return False
        attempt.generation = desk.account.generation
        self.bus.publish(TaskStarted(lease.key, lease.attempt))
        return True

    def _end(self, attempt: Attempt) -> None:
        """Give back what the attempt still holds, however it has ended."""
        if attempt.turn is not None:
            self.desk.traffic.leave(attempt.turn)
        if self.queue.holds(attempt.lease):
            # Where the browser has died, one of those in hand may be what kills it: the others come first then.
            self.queue.give_back(attempt.lease, behind=not self.desk.browser.alive)

    # -- the two halves ------------------------------------------------------------------------------------------

    async def _ask(self, attempt: Attempt, pooled: PooledPage) -> ReportRequest:
        """Open the vehicle on the page and learn its report's address."""
        desk, lease = self.desk, attempt.lease
        try:
            since = desk.clock()
            async with desk.lane.passage(lease.vehicle, lambda: self.queue.beat(lease)) as passage:
                self.queue.waited(lease, since)
                attempt.passage = passage
                async with self._attempt(lease):
                    async with self._step(lease, "open"):
                        await desk.opener.open(pooled.page, lease.vehicle, lambda: self.queue.beat(lease))
                    desk.lane.opened(passage)
                    await desk.store.ready()
                    async with self._step(lease, "report"):
                        request = await learn_report(pooled, desk.site.profile, desk.step_s)
        except VehicleError as error:
            if isinstance(self.queue.decide(lease, error), GiveUp):
                await attempt.evidence.look_at(pooled.page, desk.secrets)
            raise
        attempt.evidence.page_returned(pooled.page)
        return request

    async def _receive(self, attempt: Attempt, request: ReportRequest) -> None:
        """Stream the report, prove it, put it in place and write the outcome down."""
        desk, lease, began = self.desk, attempt.lease, time.perf_counter()
        name = desk.names[lease.key]
        async with self._attempt(lease):
            async with self._step(lease, "download"):
                streamed = await desk.stream.fetch(
                    request,
                    desk.part(lease.key, lease.attempt),
                    lambda _: self.queue.beat(lease),
                    attempt.evidence.answers,
                )
            async with self._step(lease, "prove"):
                placed = await desk.store.prove_and_place(
                    replace(streamed, address="") if desk.lane.narrow else streamed,
                    lease.vehicle,
                    name,
                    still_mine=lambda: self.queue.holds(lease),
                    page_shown=desk.opener.shows_all_of(lease.vehicle),
                )
            async with self._step(lease, "record"):
                await self._record(lease, placed, began)
        desk.traffic.succeeded()
        if attempt.passage is not None:
            desk.lane.right(attempt.passage)
        if placed.flags:
            self.bus.notice("warning", f"{lease.key}: its PDF is proven, but flagged: {', '.join(placed.flags)}")
        await desk.forget_failure(lease.key)
        await desk.tracer.turn()

    async def _record(self, lease: Lease, placed: PlacedReport, began: float) -> None:
        """Write down that the report is in place."""
        record = TaskRecord(
            TaskState.DONE,
            attempts=lease.attempt,
            file=placed.file,
            size=placed.size,
            sha256=placed.sha256,
            flags=placed.flags,
            proven_by=placed.proven_by,
            seconds=round(self.desk.clock() - lease.taken_at, 3),
            finished_at=self.desk.now(),
        )

        def written() -> None:
            self.queue.done(lease)
            seconds = time.perf_counter() - began
            self.bus.publish(TaskDone(lease.key, lease.attempt, placed.file, placed.size, seconds))

        await self._write_down(lease, record, written)
        self.desk.account.note_success()

    async def _write_down(self, lease: Lease, record: TaskRecord, written: Callable[[], None]) -> None:
        """Record an outcome and then call ``written``; neither a stop nor the browser's loss comes in between."""
        try:
            await unbroken(self.desk.checkpoint.record(lease.key, record))
        finally:
            if self.desk.checkpoint.records[lease.key].state is record.state:  # also where this was cut off
                written()

    # -- failure -------------------------------------------------------------------------------------------------

    async def _is_free(self, attempt: Attempt, error: VehicleError) -> bool:
        """Tell whether a failure has another cause than its vehicle; raises what stops the run."""
        desk, lease = self.desk, attempt.lease
        if attempt.turn is None:  # it never began; where the walk stands still, as in an outage, waiting is no fault
            return isinstance(error, StepTimeout)
        if error.action is Action.SIGN_IN:
            return await self._is_expiry_free(attempt)
        if isinstance(error, PageLost) and attempt.pooled is not None and self.pool.crashed_with_others(attempt.pooled):
            return desk.traffic.is_crash_free(lease.key)
        if isinstance(error, ReportMismatch) and attempt.passage is not None:
            return desk.lane.is_free(attempt.passage, error)
        if isinstance(error, TabAstray):
            return desk.traffic.is_astray_free(lease.key)
        last_try = isinstance(self.queue.decide(lease, error), GiveUp)
        return await desk.traffic.is_free(attempt.turn, lease.key, error, last_try=last_try)

    async def _is_expiry_free(self, attempt: Attempt) -> bool:
        """Mend the session where it has ended; tells whether that, or an address that ended before, was the cause."""
        desk, lease = self.desk, attempt.lease
        mended = await desk.account.mend(attempt.generation)
        if mended is Mended.NOT:
            return desk.opener.drop_stale(lease.vehicle)
        return mended is Mended.BEFORE or desk.traffic.is_mend_free(lease.key, desk.account.in_vain)

    async def _failed(self, attempt: Attempt, error: VehicleError) -> None:
        """Report the failure to the queue, and write down a final one; raises what stops the run."""
        lease = attempt.lease
        if not self.queue.holds(lease):
            return  # its outcome is written down already, or the task was taken back and is another worker's
        free = await self._is_free(attempt, error)
        try:
            decision = self.queue.fail(lease, error, free=free)
        except StaleLease:
            return
        kind, message = type(error).__name__, self.desk.secrets.message(str(error))
        if isinstance(decision, Stop):
            raise error
        if isinstance(decision, Retry):
            self.bus.publish(TaskReturned(lease.key, lease.attempt, kind, message, decision.after_s, decision.counts))
            return
        record = TaskRecord(
            TaskState.FAILED,
            attempts=lease.attempt,
            error=kind,
            message=message,
            seconds=round(self.desk.clock() - lease.taken_at, 3),
            finished_at=self.desk.now(),
        )
        failed = TaskFailed(lease.key, lease.attempt, kind, message)
        await self._write_down(lease, record, lambda: self.bus.publish(failed))
        await self.desk.write_failure(lease, error, attempt.evidence)

    @asynccontextmanager
    async def _attempt(self, lease: Lease) -> AsyncIterator[None]:
        """Run a half under the watchdog's limit, and map what no lower floor has mapped."""
        try:
            async with self.watchdog.guard(lease):
                yield
        except TimeoutError as error:
            silent = self.desk.clock() - lease.last_sign
            raise StepTimeout(f"{lease.step}: no sign of progress for {silent:.0f} s") from error
        except PlaywrightError as error:
            raise PageLost(f"{lease.step}: {str(error).partition(chr(10))[0]}") from error
        except (ScraperError, asyncio.CancelledError):
            raise
        except Exception as error:
            # A fault of this program must not end a night's run for one vehicle, nor be hidden.
            self.bus.notice("error", f"{lease.key}: {lease.step}: {''.join(traceback.format_exception(error))}")
            raise VehicleError(f"{lease.step}: {type(error).__name__}: {error}") from error

    @asynccontextmanager
    async def _step(self, lease: Lease, step: str) -> AsyncIterator[None]:
        began = time.perf_counter()
        self.queue.beat(lease, step)
        yield
        self.queue.beat(lease)
        self.bus.publish(StepDone(lease.key, lease.attempt, step, time.perf_counter() - began))
