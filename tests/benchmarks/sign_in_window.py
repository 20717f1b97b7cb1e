"""How long a sign-in is open at the portal before its session is saved: what a kill in between locks out.

From the moment that the portal's answer leaves, by its ledger, until the lease file that holds the session's cookie has
its place on the disk; portal and program have the same clock.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from pathlib import Path

from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.checkpoint.lease import LeaseFile, account_id
from jdp_scraper.checkpoint.refused import RefusedMarker
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.disk import Disk
from jdp_scraper.events import Bus
from jdp_scraper.portal.account import AccountSession, Patience
from jdp_scraper.portal.entrance import Credentials
from jdp_scraper.portal.profile_file import load_profile
from jdp_scraper.portal.site import Site
from jdp_scraper.portal.visit import Visit
from tests.benchmarks.places import work_folder

# How a site's cookie of an open session begins, after the name; before the sign-in there is none, or a shorter one.
SITES = {"jdpower": re.compile(r"\.ASPXAUTH=."), "plain": re.compile(r"sid=\w+\.\w")}
ROUNDS = 20
BAR_S = 0.05


class TimedDisk(Disk):
    """Notes when a lease that holds the cookie of an open session was in its place."""

    def __init__(self, cookie: re.Pattern[str]) -> None:
        self._cookie = cookie
        self.saved_at: float | None = None

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        now = time.time()
        if target.parent.name == ".session" and self.saved_at is None:
            cookies = json.loads(target.read_bytes()).get("cookies", [])
            if any(self._cookie.match(f"{cookie['name']}={cookie['value']}") for cookie in cookies):
                self.saved_at = now


async def windows(folder: Path, name: str, rounds: int) -> list[float]:
    """Return the seconds of each of ``rounds`` sign-ins at one of the demo portal's sites."""
    found = []
    async with (
        DemoPortal.start(DemoOptions(site=name, vehicles=4, latency="typical")) as portal,  # type: ignore[arg-type]
        BrowserSession(BrowserOptions(), Bus()) as browser,
    ):
        for number in range(rounds):
            disk, bus, account = TimedDisk(SITES[name]), Bus(), account_id(name, "demo")
            session = AccountSession.of(
                Site(load_profile(name), portal.url),
                Credentials("demo", "demo"),
                LeaseFile(folder / str(number), name, account, disk, bus),
                RefusedMarker(folder / str(number), name, account, disk, bus),
                Patience(0, 0, 30),
                bus=bus,
                disk=disk,
                step_s=30,
                screenshots=folder,
            )
            page = await browser.new_page()
            await session.open(Visit(browser, page))
            left = (await portal.ledger())["signed_in_at"]
            if not await session.close() or disk.saved_at is None:
                raise RuntimeError("a sign-in was not saved, or not ended")
            found.append(disk.saved_at - left)
            await page.close()
            await browser.context.clear_cookies()
    return found


async def main() -> None:
    """Print the median and the worst window of each site."""
    for name in SITES:
        with work_folder() as folder:
            found = await windows(folder, name, ROUNDS)
        print(
            f"sign-in answered until its session is saved, {name:<7}: median {statistics.median(found) * 1000:.1f} ms, "
            f"worst {max(found) * 1000:.1f} ms of {len(found)} (bar: {BAR_S * 1000:.0f} ms)"
        )
