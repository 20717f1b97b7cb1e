"""What every client with a browser does on a page, in Playwright's own words, as careful as it is quick.

Each wait is for what is needed next, and nothing is taken for granted that is not known of the portal: the grid is
drawn before it is filtered, the row is the one that shows exactly the reference, and so is the vehicle's page. A filter
that tabs share can therefore only cost time.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.benchmarks.clients.order import GRID, LINK, PASSWORD, REPORTS, ROW, SIGN_IN, USER, Order

# Not ``route``: it would switch the browser's cache off, and every page would load the portal's scripts anew.
NO_PICTURES = ("--blink-settings=imagesEnabled=false",)


def prefer_downloads(profile: Path) -> None:
    """Let full Chromium make a download of a PDF instead of showing it: a preference of its profile, no option."""
    preferences = profile / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps({"plugins": {"always_open_pdf_externally": True}}), "ascii")


async def sign_in(page: Page, order: Order) -> None:
    """Sign in, and accept the license where it is asked for."""
    await page.goto(order.url + SIGN_IN)
    await page.locator("#usernameInput").fill(USER)
    await page.locator("#passwordInput").fill(PASSWORD)
    await page.locator("#loginButton").click()
    license_box, inventory = page.locator("#agreementCheckBox"), page.locator(f"a[href='{GRID}']").first
    await license_box.or_(inventory).first.wait_for()
    if await license_box.is_visible():
        await page.wait_for_load_state("domcontentloaded")  # a click before the page's script has run is lost
        await license_box.click()
    await inventory.wait_for()


async def sign_out(page: Page) -> None:
    """Sign out, and wait until the portal says so."""
    await page.locator("#btnLogout").click()
    await page.locator("#usernameInput").wait_for()


async def open_vehicle(page: Page, order: Order, reference: str) -> None:
    """Go from the grid to the vehicle whose reference is exactly this one, and make sure of it on its page."""
    exactly = re.compile(rf"^\s*{re.escape(reference)}\s*$")
    await page.locator(".dxgvFilterBar").wait_for()  # drawn by the first callback, whatever it shows
    await page.locator("#StockNumberInput").fill(reference)
    await page.locator("#StockNumberInput").dispatch_event("change")
    row = page.locator(ROW).filter(has=page.locator("td", has_text=exactly))
    # By the link's address: a click would wait for the row to hold still.
    address = await row.locator(LINK).get_attribute("href")
    await page.goto(f"{order.url}{address}", wait_until="domcontentloaded")
    await expect(page.locator("#bookout dd", has_text=exactly)).to_be_visible()


async def save_report(page: Page, path: Path) -> None:
    """Make the report and take it as a download of the page that asked for it; close what it opened."""
    await page.locator(REPORTS).click()
    async with page.expect_popup() as popup, page.expect_download() as download:
        await page.locator("button", has_text="Create PDF").click()
    report = await download.value
    await report.save_as(path)
    await report.delete()
    await (await popup.value).close()
