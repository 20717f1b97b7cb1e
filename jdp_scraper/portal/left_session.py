"""End the session that an earlier start left behind, where this start needs no session of its own."""

from __future__ import annotations

import httpx

from jdp_scraper.checkpoint.lease import LeaseFile, SessionLease
from jdp_scraper.events import Bus
from jdp_scraper.portal.sign_out import is_over, sign_out_over_http
from jdp_scraper.portal.site import Site


async def end_left_session(lease_file: LeaseFile, site: Site, bus: Bus) -> bool:
    """Sign out, without a browser, what a killed start left open, and tell whether nothing of ours is open now.

    What cannot be ended stays in the lease file, so that the next start can take it up. Raises ``StorageError``.
    """
    left = await lease_file.load()
    if left is None or left.origin != site.origin:
        return True
    if not await _ended(left, site):
        bus.notice("warning", "an earlier run left a session open that cannot be ended now; the next run takes it up")
        return False
    await lease_file.forget()
    bus.notice("info", "signed out of the session that an earlier run left open")
    return True


async def _ended(left: SessionLease, site: Site) -> bool:
    cookies = [dict(cookie) for cookie in left.cookies]
    if left.sign_out is not None and await sign_out_over_http(left.sign_out, cookies, site):
        return True
    try:
        return await is_over(cookies, site)
    except httpx.HTTPError:
        return False
