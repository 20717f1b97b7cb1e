"""The inventory's export by clicks: a file is waited for, and a page that comes in its place is noticed."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page

from jdp_scraper.errors import PortalAnswered, SessionExpired
from jdp_scraper.portal.inventory import fetch_export
from jdp_scraper.portal.profile import Columns, Export
from jdp_scraper.portal.site import Site

from ..unit.portal.profiles import profile_of
from .server import SmallSite

CSV = b"Ref\r\n165530\r\n"
EXPORT = Export(clicks=("#export",), columns=Columns(reference="Ref"))
LONG_S = 60.0  # how long the file is waited for where nothing at all comes
FORM = "<form><input name=password type=password></form>"


async def exported(page: Page, site: SmallSite, control: str) -> bytes:
    """Return what the click on a control at ``/lot`` brings."""
    headers = {"Content-Disposition": "attachment; filename=lot.csv"}
    site.content("/lot.csv", CSV, "text/csv", headers=headers)
    await page.goto(site.html("/lot", control))
    async with asyncio.timeout(LONG_S / 2):
        return await fetch_export(page, Site(profile_of("plain"), site.origin), EXPORT, LONG_S)


@pytest.mark.parametrize(
    "control",
    [
        "<a id=export href='/lot.csv'>Export</a>",
        "<a id=export href='#' onclick='setTimeout(() => location.assign(\"/lot.csv\"), 200)'>Export</a>",
        "<a id=export href='#top' onclick='setTimeout(() => location.assign(\"/lot.csv\"), 200)'>Export</a>",
        '<button id=export onclick=\'history.pushState({}, "", "/lot/export"); location.assign("/lot.csv")\'>E',
    ],
    ids=["address", "empty fragment", "fragment", "address changed by a script"],
)
async def test_a_control_that_stays_on_its_page_brings_the_file(control: str, page: Page, site: SmallSite) -> None:
    assert await exported(page, site, control) == CSV


async def test_a_page_that_asks_to_wait_may_still_bring_the_file(page: Page, site: SmallSite) -> None:
    site.html("/wait", "<p>one moment<script>setTimeout(() => location.assign('/lot.csv'), 300)</script>")
    assert await exported(page, site, "<a id=export href='/wait'>Export</a>") == CSV


@pytest.fixture
def no_late_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that has come brings nothing more."""
    monkeypatch.setattr("jdp_scraper.portal.inventory.LATE_S", 0.1)


@pytest.mark.usefixtures("no_late_file")
async def test_a_page_in_place_of_the_file_is_told_long_before_the_file_s_time_is_over(
    page: Page, site: SmallSite
) -> None:
    site.html("/sorry", "<p>not today")
    with pytest.raises(PortalAnswered, match="a web page in place of the CSV"):
        await exported(page, site, "<a id=export href='/sorry'>Export</a>")


@pytest.mark.usefixtures("no_late_file")
async def test_a_sign_in_form_in_place_of_the_file_is_told_as_that(page: Page, site: SmallSite) -> None:
    site.html("/sorry", FORM)
    with pytest.raises(SessionExpired):
        await exported(page, site, "<a id=export href='/sorry'>Export</a>")
