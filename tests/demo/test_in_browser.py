"""The pages of the site `jdpower` in a real browser: scripts, menu, dialog and the four ways to a new tab."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from jdp_scraper.demo.process import DemoPortal
from tests.support.program import WAIT_S, until, until_portal

from .conftest import StartPortal
from .visitor import GRID, SIGN_IN

ROWS = "tr[id*='DXDataRow']"


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        path = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(WAIT_S * 1000)
        yield page
        await browser.close()


async def click_to(page: Page, button: Locator, found: str) -> None:
    """Click on what leads to another document, and wait for all of that: a click before its scripts have run is lost.

    `found` is in that document and not in this one, as their addresses may be the same.
    """
    await button.click()
    await page.locator(found).wait_for()
    await page.wait_for_load_state("load")


async def sign_in(page: Page, portal: DemoPortal) -> None:
    await page.goto(portal.url + SIGN_IN)
    await page.fill("#usernameInput", "demo")
    await page.fill("#passwordInput", "demo")
    await click_to(page, page.locator("#loginButton"), "#agreementForm")
    await click_to(page, page.locator("#agreementCheckBox"), "#primaryMenu")


async def open_vehicle(page: Page, portal: DemoPortal, reference: str) -> None:
    await page.goto(portal.url + GRID)
    await page.locator(ROWS).first.wait_for()
    await page.fill("#StockNumberInput", reference)
    await page.locator("#StockNumberInput").blur()
    row = page.locator(ROWS, has=page.get_by_text(reference, exact=True))
    await expect(page.locator("a.dxgvFilterBarLink[onclick*='ClearFilter']")).to_be_visible()
    icon = row.locator("a[id^='bookOutButton_'][title='Bookout']:has(img[title='Bookout'][src*='book.png'])")
    await click_to(page, icon, "#bookout")
    await page.locator("button.reportButton:not(.requiresVehicle)").click()
    await page.locator("button:has-text('Create PDF')").wait_for()


@pytest.mark.parametrize("links", ["address", "script"])
@pytest.mark.parametrize("tab", ["open", "location", "form", "link"])
async def test_create_pdf_opens_the_report_in_a_new_tab(start: StartPortal, page: Page, tab: str, links: str) -> None:
    portal = await start(tab=tab, links=links)
    await sign_in(page, portal)
    await open_vehicle(page, portal, "165530A")
    async with (
        page.context.expect_event("request", lambda request: "GetPdfReport" in request.url),
        page.expect_popup() as popup,
    ):
        await page.click("button:has-text('Create PDF')")
    assert await popup.value is not page
    await until_portal(portal, lambda ledger: ledger["reports_asked"])
    await page.locator("#btnLogout").click()
    await page.locator("#usernameInput").wait_for()
    ledger = await portal.ledger()
    truth = (await portal.inventory())[1]
    assert ledger["reports_asked"] == {truth["vin"]: 1}
    assert ledger["sign_outs"] == 1 and ledger["open_sessions"] == 0


async def test_the_export_comes_by_the_menu(start: StartPortal, page: Page) -> None:
    portal = await start()
    await sign_in(page, portal)
    assert not await page.locator("#primaryMenu_DXI4i1_T").is_visible()
    await page.click("#primaryMenu_DXI4_T")
    assert not await page.locator("#primaryMenu_DXI4i1i2_").is_visible()
    await page.click("#primaryMenu_DXI4i1_T")
    async with page.expect_download() as download:
        await page.click("#primaryMenu_DXI4i1i2_")
    assert (await download.value).suggested_filename == "VehicleInventory.csv"
    assert (await portal.ledger())["exports"] == 1


async def test_the_pager_and_the_filter_bar_ask_the_grid_anew(start: StartPortal, page: Page) -> None:
    portal = await start()
    await sign_in(page, portal)
    await click_to(page, page.locator("main a[href='/ValuesOnline/vehicle/']"), "#vehicleGridView")
    for number in (1, 2):
        await expect(page.locator(".dxp-summary")).to_have_text(f"Page {number} of 3 (45 items)")
        await page.get_by_role("link", name="Next").click()
    await expect(page.locator(".dxp-summary")).to_have_text("Page 3 of 3 (45 items)")
    assert await page.get_by_role("link", name="Next").count() == 0
    await page.fill("#StockNumberInput", "165530")
    await page.locator("#StockNumberInput").blur()
    await expect(page.locator(ROWS)).to_have_count(2)
    await page.click("a.dxgvFilterBarLink")
    await expect(page.locator(".dxp-summary")).to_have_text("Page 1 of 3 (45 items)")


@pytest.mark.parametrize("kind", ["error_500", "too_many", "popup_blocked"])
@pytest.mark.parametrize("tab", ["open", "location"])
async def test_no_tab_stays_where_no_report_is_made(start: StartPortal, page: Page, kind: str, tab: str) -> None:
    portal = await start(tab=tab)
    await sign_in(page, portal)
    await open_vehicle(page, portal, "165530")
    await portal.fault(kind, at="create")
    await page.click("button:has-text('Create PDF')")
    await expect(page.locator(".dialogMessage")).to_contain_text("could not be created")
    assert (await portal.ledger())["reports_asked"] == {}
    await until(lambda: [other for other in page.context.pages if not other.is_closed()] == [page])


async def test_nothing_but_the_page_itself_is_missing_where_pictures_and_fonts_are_blocked(
    start: StartPortal, page: Page
) -> None:
    portal = await start()
    client = await page.context.new_cdp_session(page)
    await client.send("Network.enable")
    await client.send("Network.setBlockedURLs", {"urls": ["*.png", "*.ttf", "*.css"]})
    await sign_in(page, portal)
    await open_vehicle(page, portal, "165530")
    static = (await portal.ledger())["static"]
    assert set(static) == {f"/ValuesOnline/Content/{name}.js" for name in ("license", "menu", "grid", "vehicle")}
