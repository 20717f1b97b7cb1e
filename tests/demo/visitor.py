"""One browser-like client of the demo portal, without a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from selectolax.lexbor import LexborHTMLParser

SIGN_IN = "/ValuesOnline/Home/LicenseAgreement?ReturnUrl=/ValuesOnline/"
GRID = "/ValuesOnline/vehicle/"
BY_SCRIPT = {"X-Requested-With": "XMLHttpRequest"}


@dataclass
class Grid:
    """What a grid answer shows; `pager` and `next_tag` are empty where there is no pager."""

    references: list[str]
    links: list[str]
    pager: str
    filter_bar: str
    next_tag: str


class Visitor:
    """Walks the site `jdpower`; every method gives the last response."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, address: str, **more: Any) -> httpx.Response:
        return await self.client.get(address, **more)

    async def submit(self, page: httpx.Response, form: str, **values: str) -> httpx.Response:
        """Send a form of a page with its hidden fields."""
        node = LexborHTMLParser(page.text).css_first(form)
        assert node is not None, page.text
        hidden = {
            str(field.attributes["name"]): field.attributes["value"] or "" for field in node.css("input[type=hidden]")
        }
        return await self.client.post(str(node.attributes["action"]), data={**hidden, **values})

    async def type_in(self, user: str = "demo", password: str = "demo") -> httpx.Response:
        page = await self.get(SIGN_IN)
        return await self.submit(page, "form.card", UserName=user, Password=password)

    async def sign_in(self) -> httpx.Response:
        """Sign in and accept the license."""
        page = await self.type_in()
        assert "agreementCheckBox" in page.text, page.text
        return await self.submit(page, "#agreementForm", agreement="true")

    async def sign_out(self) -> httpx.Response:
        return await self.submit(await self.get("/ValuesOnline/"), "form.logout")

    async def grid(self, command: str = "load", value: str = "") -> Grid:
        body = {"command": command, "value": value}
        answer = await self.client.post(f"{GRID}VehicleGridViewPartial", data=body, headers=BY_SCRIPT)
        return read_grid(answer.raise_for_status().text)

    async def create(self, key: str) -> httpx.Response:
        return await self.client.post("/ValuesOnline/Report/Create", data={"vehicleId": key}, headers=BY_SCRIPT)

    async def report(self, key: str) -> httpx.Response:
        """Open a vehicle, create its report and fetch it."""
        await self.get(f"{GRID}Bookout/{key}")
        return await self.get((await self.create(key)).raise_for_status().json()["address"])


def read_grid(text: str) -> Grid:
    page = LexborHTMLParser(text)
    headers = [cell.text(strip=True) for cell in page.css("tr[id*='DXHeadersRow'] > td")]
    place = headers.index("Reference Number")
    rows = page.css("tr[id*='DXDataRow']")
    links = [row.css_first("a[id^='bookOutButton_'][title='Bookout']") for row in rows]
    bar = page.css_first("a.dxgvFilterBarLink")
    pager, buttons = page.css_first(".dxp-summary"), page.css(".dxp-button")
    assert bar is not None and (pager is None) is (not buttons)
    assert not buttons or buttons[-1].text() == "Next"
    return Grid(
        references=[row.css("td.dxgv, td.dxgvCommandColumn")[place].text(strip=True) for row in rows],
        links=[str(link.attributes["href"]) for link in links if link is not None],
        pager="" if pager is None else pager.text(strip=True),
        filter_bar=str(bar.attributes["onclick"]),
        next_tag=str(buttons[-1].tag) if buttons else "",
    )
