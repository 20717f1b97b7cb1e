"""Learn the address of a vehicle's report on its page, without letting the browser load the report."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Error as PlaywrightError

from jdp_scraper.browser.catcher import Pausing, Refusal, RequestCatcher
from jdp_scraper.browser.pool import PooledPage
from jdp_scraper.errors import PortalAnswered, ReportRefused, SessionExpired, StepTimeout, TabAstray, VehicleError
from jdp_scraper.pdf.answer import retry_after_s
from jdp_scraper.portal.in_page import page_step, run_script
from jdp_scraper.portal.profile import Block, Report, SiteProfile
from jdp_scraper.portal.site import as_arg
from jdp_scraper.report_request import ReportRequest

CLICK_AGAIN_S = 3.0
SIGNED_OUT = {401, 403}


def new_catcher(profile: SiteProfile, block: bool, pausing: Pausing | None = None) -> RequestCatcher:
    """Return a catcher for a page that reports are asked for on; ``pausing`` is what the run's others know."""
    blocked = (profile.block if block else Block()).addresses
    return RequestCatcher(profile.report.address, blocked, pausing)


async def learn_report(pooled: PooledPage, profile: SiteProfile, seconds: float) -> ReportRequest:
    """Return the request that would fetch the report of the vehicle whose page is open.

    Its referrer is what the browser has put into the caught request. Where the last control's script opens a tab by the
    report's address no request is made: the referrer is then that of the browser's default policy
    (strict-origin-when-cross-origin), or none with the feature ``noreferrer``. A policy that the page names in a
    ``meta``, or the control in ``referrerpolicy`` or ``rel``, leaves it to the browser; one that only the page's header
    names is not seen by a script, and the default stands in for it.

    Raises ``ReportRefused``, ``SessionExpired`` or ``PortalAnswered`` as soon as the page's own request is refused or
    breaks, ``TabAstray`` where nothing would have been caught, and the errors of ``page_step``.
    """
    rule = profile.report
    time = seconds * 1000
    if rule.link is not None:
        async with page_step("report", seconds):
            address = await run_script(pooled.page, "report_link", css=rule.link, time=time)
        return ReportRequest(url=str(address), headers={"Referer": pooled.page.url})
    pausing = pooled.catcher.pausing
    try:
        async with page_step("report", seconds):
            caught = await _ask(pooled, rule, time)
    except VehicleError:
        pausing.doubt()
        raise
    if isinstance(caught, Refusal):
        raise _refused(caught)
    return caught


async def _ask(pooled: PooledPage, rule: Report, time: float) -> ReportRequest | Refusal:
    clicks = asyncio.ensure_future(
        run_script(
            pooled.page,
            "report_clicks",
            clicks=[as_arg(control) for control in rule.clicks],
            time=time,
            again=CLICK_AGAIN_S * 1000,
            wanted=rule.address,
            caught=await pooled.catcher.make_ready(),
        )
    )
    try:
        return await _first(pooled.catcher, clicks)
    finally:
        clicks.cancel()


def _refused(refusal: Refusal) -> VehicleError:
    if refusal.status in SIGNED_OUT:
        return SessionExpired(f"the portal answered the report's request with status {refusal.status}")
    if not refusal.status:
        return PortalAnswered("report: the connection broke at the page's own request")
    wait = retry_after_s(refusal.retry_after)
    return ReportRefused(
        f"the portal refused the report with status {refusal.status}", status=refusal.status, retry_after_s=wait
    )


async def _first(catcher: RequestCatcher, clicks: asyncio.Future[Any]) -> ReportRequest | Refusal:
    """Wait for the request or its refusal; clicks that fail before either end the wait with their error."""
    waiting = asyncio.ensure_future(catcher.next())
    try:
        await asyncio.wait([waiting, clicks], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            if (error := clicks.exception()) is not None:
                raise error if isinstance(error, PlaywrightError) else StepTimeout(str(error))
            if (opened := clicks.result()) is not None:
                if "address" not in opened:
                    raise TabAstray("report: its tab was opened in another way than those before")
                if opened["plain"]:
                    catcher.pausing.told_in_page()
                return _tab_request(opened)
        return await waiting
    finally:
        waiting.cancel()


def _tab_request(opened: dict[str, Any]) -> ReportRequest:
    """Return the request that a tab would have made that a script of the page has opened."""
    referrer = opened["referrer"]
    return ReportRequest(str(opened["address"]), headers={"referer": str(referrer)} if referrer else {})
