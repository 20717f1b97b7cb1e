"""A light look at the portal: which answers pass for a portal's."""

from __future__ import annotations

import pytest
from aiohttp import web

from jdp_scraper.portal.profile_file import load_profile
from jdp_scraper.portal.reachable import fault_of_portal
from jdp_scraper.portal.site import Site

from .conftest import StartPortal
from .server import SmallSite

JDPOWER = load_profile("jdpower")
PATH = "/ValuesOnline/Home/LicenseAgreement"


async def test_a_portal_that_works_has_no_fault_and_no_session_is_touched(start_portal: StartPortal) -> None:
    portal = await start_portal()
    assert await fault_of_portal(Site(JDPOWER, portal.url), "agent") is None
    await portal.set(down=True)
    assert "503" in str(await fault_of_portal(Site(JDPOWER, portal.url)))
    assert (await portal.ledger())["sign_ins"] == 0


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_an_error_page_is_no_portal(status: int, site: SmallSite) -> None:
    site.html(PATH, "sorry", status=status)
    assert str(status) in str(await fault_of_portal(Site(JDPOWER, site.origin)))


async def test_nobody_there_an_empty_page_and_another_address_are_no_portal(site: SmallSite) -> None:
    jdpower = Site(JDPOWER, site.origin)
    site.content(PATH, "")
    assert await fault_of_portal(jdpower) == "its page is empty"

    async def away(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(site.url("/closed").replace("127.0.0.1", "localhost"))

    site.pages[PATH] = away
    site.html("/closed", "closed for repairs")
    assert await fault_of_portal(jdpower) == "it leads to another address"
    gone = Site(JDPOWER, "http://127.0.0.1:9")
    assert "cannot be reached" in str(await fault_of_portal(gone))
