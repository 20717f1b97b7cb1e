"""Puts a run's workers together with what they need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from playwright.async_api import Page

from jdp_scraper.browser.pool import PagePool
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk
from jdp_scraper.events import Bus
from jdp_scraper.pdf.store import ReportStore
from jdp_scraper.pdf.stream import ReportStream
from jdp_scraper.portal.account import AccountSession
from jdp_scraper.portal.cookie_bridge import CookieBridge
from jdp_scraper.portal.grid import GridPage, grid_lock
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.reachable import fault_of_portal
from jdp_scraper.portal.report import new_catcher
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.vehicle_page import VehicleOpener
from jdp_scraper.portal.walk import walk_grid
from jdp_scraper.settings import Settings
from jdp_scraper.stop import StopRequest
from jdp_scraper.vehicle import Vehicle
from jdp_scraper.work.breaker import BreakerRules
from jdp_scraper.work.desk import Desk
from jdp_scraper.work.harvest import Harvest
from jdp_scraper.work.lane import ReportLane
from jdp_scraper.work.queue import AsyncTaskQueue
from jdp_scraper.work.retry import RetryPolicy
from jdp_scraper.work.traffic import Traffic
from jdp_scraper.work.watchdog import Patience, Watchdog
from jdp_scraper.work.worker import Worker


@dataclass(frozen=True, slots=True)
class Ground:
    """What a harvest stands on: the signed-in portal on one side, the run's folder on the other.

    ``page`` is the run's own page, on which the grid is walked.
    """

    settings: Settings
    site: Site
    browser: BrowserSession
    page: Page
    account: AccountSession
    links: LinkBook
    checkpoint: Checkpoint
    folder: RunFolder
    names: Mapping[str, str]
    store: ReportStore
    disk: Disk
    bus: Bus
    stop: StopRequest


@asynccontextmanager
async def harvest_of(
    ground: Ground, todo: Mapping[str, Vehicle], done_before: int, save_tracking: Callable[[], Awaitable[None]]
) -> AsyncIterator[Harvest]:
    """Lend the harvest of the tasks in ``todo``; its pages and connections are closed afterwards."""
    settings, bus = ground.settings, ground.bus
    clock = asyncio.get_running_loop().time
    attempts = {key: ground.checkpoint.records[key].attempts for key in todo}
    queue = AsyncTaskQueue(todo, RetryPolicy.of(settings.max_retries, settings.retry_wait_s), clock, attempts)
    watchdog = Watchdog(queue, Patience(settings.task_timeout_s, settings.hard_cap_s))
    lock = grid_lock(ground.site.profile.inventory.grid)
    opener = VehicleOpener(ground.site, ground.links, lock, settings.step_timeout_s, bus)
    grid = GridPage(ground.page, ground.site, settings.step_timeout_s)

    async def walk() -> None:
        if not ground.links.ended and opener.needs_links:
            await walk_grid(
                grid,
                ground.links,
                lock,
                ground.account,
                bus=bus,
                new_page=ground.browser.new_page,
                still_needed=lambda: opener.needs_links,
            )

    limits = httpx.Limits(max_connections=settings.concurrent_contexts)
    bridge = CookieBridge(ground.browser, ground.site.origin, bus, ground.account.note_cookies)
    agent = ground.browser.user_agent  # a portal may hold a session to its browser
    async with (
        httpx.AsyncClient(limits=limits, headers={"User-Agent": agent}, trust_env=ground.site.may_use_proxy) as client,
        PagePool(
            ground.browser,
            settings.concurrent_contexts,
            lambda: new_catcher(ground.site.profile, settings.block_resources),
        ) as pool,
    ):
        traffic = _traffic(ground, clock)
        desk = _desk(ground, opener, client, bridge, traffic)
        harvest = Harvest(
            queue,
            pool,
            watchdog,
            Worker(queue, pool, watchdog, desk, bus),
            bus,
            walk=walk,
            watch_traffic=traffic.run,
            browser=ground.browser,
            save_tracking=save_tracking,
            refresh_lease=ground.account.refresh_lease,
            stop=ground.stop,
            stop_wait_s=settings.stop_wait_s,
            done_before=done_before,
        )
        try:
            yield harvest
        finally:
            await bridge.flush()  # the sign-out that follows needs the cookies that came last


def _traffic(ground: Ground, clock: Callable[[], float]) -> Traffic:
    return Traffic(
        BreakerRules(down_wait_s=ground.settings.portal_down_wait_s),
        ground.settings.max_per_minute,
        lambda: fault_of_portal(ground.site, ground.browser.user_agent),
        ground.bus,
        clock,
        stopping=ground.stop.requested.is_set,
    )


def _desk(
    ground: Ground,
    opener: VehicleOpener,
    client: httpx.AsyncClient,
    bridge: CookieBridge,
    traffic: Traffic,
) -> Desk:
    settings, profile = ground.settings, ground.site.profile
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
        opener=opener,
        stream=stream,
        store=ground.store,
        checkpoint=ground.checkpoint,
        folder=ground.folder,
        names=ground.names,
        disk=ground.disk,
        streams=asyncio.Semaphore(settings.concurrent_contexts),
        traffic=traffic,
        lane=ReportLane(ground.bus, narrow=profile.report.bound == "session"),
        step_s=settings.step_timeout_s,
        clock=asyncio.get_running_loop().time,
        now=lambda: datetime.now(UTC),
        browser_lost=ground.browser.lost.is_set,
    )
