"""Puts a run's workers together with what they need: what lasts for the run, and what lasts for one browser."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from jdp_scraper.browser.catcher import Pausing
from jdp_scraper.browser.pool import PagePool
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.browser.tracer import Tracer
from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk
from jdp_scraper.errors import BrowserLost, VehicleError
from jdp_scraper.events import Bus
from jdp_scraper.pdf.store import ReportStore
from jdp_scraper.pdf.stream import ReportStream
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.cookie_bridge import CookieBridge
from jdp_scraper.portal.grid import GridPage, grid_lock
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.profile import SiteProfile
from jdp_scraper.portal.reachable import fault_of_portal
from jdp_scraper.portal.report import new_catcher
from jdp_scraper.portal.search import Search
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.vehicle_page import VehicleOpener
from jdp_scraper.portal.visit import Visit
from jdp_scraper.portal.walk import walk_grid
from jdp_scraper.settings import Settings
from jdp_scraper.stop import StopRequest
from jdp_scraper.vehicle import Vehicle
from jdp_scraper.work.breaker import BreakerRules
from jdp_scraper.work.desk import Desk
from jdp_scraper.work.harvest import Harvest, Score
from jdp_scraper.work.lane import ReportLane
from jdp_scraper.work.queue import AsyncTaskQueue
from jdp_scraper.work.retry import RetryPolicy
from jdp_scraper.work.task import ACTIVE
from jdp_scraper.work.traffic import Traffic
from jdp_scraper.work.watchdog import Patience, Watchdog
from jdp_scraper.work.worker import Worker


@dataclass(frozen=True, slots=True)
class Ground:
    """What the work stands on: the account's session on one side, the run's folder on the other."""

    settings: Settings
    site: Site
    account: AccountSession
    links: LinkBook
    checkpoint: Checkpoint
    folder: RunFolder
    inventory: Collection[Vehicle]
    names: Mapping[str, str]
    store: ReportStore
    save_tracking: Callable[[], Awaitable[None]]
    disk: Disk
    bus: Bus
    stop: StopRequest
    tracer: Tracer


def new_pool(browser: BrowserSession, settings: Settings, profile: SiteProfile, pausing: Pausing) -> PagePool:
    """Return the pool of the pages that vehicles are opened on; ``pausing`` is what the run knows of their tabs."""
    return PagePool(
        browser, settings.concurrent_contexts, lambda: new_catcher(profile, settings.block_resources, pausing)
    )


class Crew:
    """Works on the tasks in ``todo``, from browser to browser: queue and watchdog outlive each of them."""

    def __init__(self, ground: Ground, todo: Mapping[str, Vehicle], done_before: int) -> None:
        settings = ground.settings
        self._ground = ground
        self._clock = asyncio.get_running_loop().time
        attempts = {key: ground.checkpoint.records[key].attempts for key in todo}
        policy = RetryPolicy.of(settings.max_retries, settings.retry_wait_s)
        self._queue = AsyncTaskQueue(todo, policy, self._clock, attempts)
        self._watchdog = Watchdog(self._queue, Patience(settings.task_timeout_s, settings.hard_cap_s))
        self._lock = grid_lock(ground.site.profile.inventory.grid)
        self._rows = Counter(vehicle.reference for vehicle in ground.inventory)
        self._todo = todo
        ground.links.expect(self._rows)
        self._opener = VehicleOpener(
            ground.site, ground.links, self._lock, seconds=settings.step_timeout_s, bus=ground.bus
        )
        self._search = self._new_search()
        self._lane = ReportLane(ground.bus, narrow=ground.site.profile.report.bound == "session")
        self._traffic = Traffic(
            BreakerRules(down_wait_s=settings.portal_down_wait_s),
            settings.max_per_minute,
            lambda: fault_of_portal(ground.site, self._user_agent),
            ground.bus,
            self._clock,
            stopping=ground.stop.requested.is_set,
        )
        self._user_agent = ""
        self._score = Score(done_before, self._clock())
        self.pages_replaced = 0

    async def work(self, visit: Visit, pool: PagePool) -> None:
        """Work in one browser until every task is done or has finally failed; raises as ``Harvest.run`` does."""
        ground, settings = self._ground, self._ground.settings
        self._user_agent = visit.browser.user_agent
        bridge = CookieBridge(visit.browser, ground.site.origin, ground.bus, ground.account.keeper)
        async with self._client(visit) as client:
            desk = self._desk(visit, client, bridge, await asyncio.to_thread(ground.folder.failures_kept))
            harvest = Harvest(
                self._queue,
                pool,
                self._watchdog,
                Worker(self._queue, pool, self._watchdog, desk, ground.bus),
                ground.bus,
                self._score,
                walk=lambda: self._walk(visit),
                watch_traffic=self._traffic.run,
                browser=visit.browser,
                save_tracking=ground.save_tracking,
                refresh_lease=ground.account.refresh_lease,
                stop=ground.stop,
                stop_wait_s=settings.stop_wait_s,
            )
            try:
                await harvest.run()
            finally:
                self.pages_replaced += pool.statistics().replaced
                await bridge.flush()  # the sign-out that follows needs the cookies that came last

    def _new_search(self) -> Search:
        """Return a search for the rows of all that is still to be opened."""
        ground = self._ground
        left = {key for state in ACTIVE for key in self._queue.keys(state)}
        wanted = (vehicle.reference for key, vehicle in self._todo.items() if key in left)
        return Search(
            ground.links,
            {reference: self._rows[reference] for reference in wanted},
            (vehicle.reference for vehicle in ground.inventory),
            has_filter=ground.site.profile.inventory.grid.filter is not None,
            needed=lambda: self._opener.needs_links,
        )

    def _client(self, visit: Visit) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=self._ground.settings.concurrent_contexts)
        headers = {"User-Agent": visit.browser.user_agent}  # a portal may hold a session to its browser
        may_use_proxy = self._ground.site.may_use_proxy
        return httpx.AsyncClient(limits=limits, headers=headers, trust_env=may_use_proxy)

    async def _walk(self, visit: Visit) -> None:
        """Learn the rows' links, and anew whenever that is asked for, until cancelled."""
        links = self._ground.links
        while True:
            if links.incomplete:
                self._ground.bus.notice("debug", "links have led astray: the grid is walked once more")
                self._search = self._new_search()
                links.begin_again()
            if not self._opener.needs_links:
                await links.end()
            elif not links.ended:
                await self._walk_once(visit)
            await links.until_incomplete()

    async def _walk_once(self, visit: Visit) -> None:
        """Learn the rows' links; what the walk has not found is for the workers to look for."""
        ground = self._ground
        grid = GridPage(visit.page, ground.site, ground.settings.step_timeout_s)
        try:
            await walk_grid(
                grid,
                ground.links,
                self._lock,
                ground.account,
                bus=ground.bus,
                new_page=visit.browser.new_page,
                search=self._search,
            )
        except VehicleError as error:
            if await visit.browser.has_ended():
                raise BrowserLost(f"the browser ended by itself: {error}") from error
            ground.bus.notice("warning", f"the walk of the grid ended early: {error}")
            await ground.links.end()

    def _desk(self, visit: Visit, client: httpx.AsyncClient, bridge: CookieBridge, evidence: set[Path]) -> Desk:
        ground, settings = self._ground, self._ground.settings
        stream = ReportStream(
            client,
            ground.site.origin,
            bridge.cookies,
            ground.disk,
            ground.site.shows_sign_in,
            on_set_cookie=bridge.take,
            read_timeout_s=settings.task_timeout_s,
        )
        return Desk(
            site=ground.site,
            account=ground.account,
            opener=self._opener,
            stream=stream,
            store=ground.store,
            checkpoint=ground.checkpoint,
            folder=ground.folder,
            names=ground.names,
            disk=ground.disk,
            streams=asyncio.Semaphore(settings.concurrent_contexts),
            traffic=self._traffic,
            lane=self._lane,
            step_s=settings.step_timeout_s,
            clock=self._clock,
            now=lambda: datetime.now(UTC),
            browser=visit.browser,
            secrets=ground.bus.secrets,
            tracer=ground.tracer,
            evidence=evidence,
        )
