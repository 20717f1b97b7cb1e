"""A run as an earlier start would have begun it, without a browser."""

from __future__ import annotations

from datetime import datetime

from jdp_scraper.checkpoint.lease import account_id
from jdp_scraper.checkpoint.records import RunHeader
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.disk import Disk
from jdp_scraper.events import Bus
from jdp_scraper.job import Job
from jdp_scraper.portal.inventory import Listing
from jdp_scraper.vehicle import Vehicle
from tests.support.program import Program


async def begin_run(program: Program, portal: DemoPortal, started: datetime) -> None:
    """Begin a run of the portal's whole inventory as it is now, of which nothing is fetched yet."""
    header = RunHeader("jdpower", portal.url, account_id("jdpower", "demo"), started)
    vehicles = tuple(Vehicle(one["reference"], one["vin"]) for one in await portal.inventory())
    await Job.begin(program.downloads, header, Listing(vehicles), Disk(), Bus())
