"""The floor: the same requests on one HTTP client, without a browser.

It goes the way that this project goes: one walk of the grid tells where the vehicles' pages are, ``pages`` vehicles at
once are between their page and their report's address, and as many reports at once are on their way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import httpx

from tests.benchmarks.clients.order import GRID, PASSWORD, SIGN_IN, USER, Order

_TOKEN = re.compile(r'name="(__RequestVerificationToken)" value="(\w+)"')
# A row's link, then five cells, then the one with the reference.
_ROW = re.compile(
    r'id="bookOutButton_(\w+)".*?</a></td>' + r"\s*<td[^>]*>[^<]*</td>" * 5 + r"\s*<td[^>]*>\s*(\S+)", re.DOTALL
)
_PAGER = re.compile(r"Page (\d+) of (\d+)")
_BY_SCRIPT = {"X-Requested-With": "XMLHttpRequest"}


class Floor:
    """One signed-in client, and what its workers share."""

    def __init__(self, client: httpx.AsyncClient, order: Order) -> None:
        self._client = client
        self._order = order
        self._asking = asyncio.Semaphore(order.pages)
        self._streaming = asyncio.Semaphore(order.pages)
        loop = asyncio.get_running_loop()
        self._keys: Mapping[str, asyncio.Future[str]] = {one: loop.create_future() for one in order.references}

    async def sign_in(self) -> None:
        token = _token(await self._client.get(SIGN_IN))
        answer = await self._client.post(SIGN_IN, data={"UserName": USER, "Password": PASSWORD, **token})
        if "agreementForm" in answer.text:
            await self._client.post(SIGN_IN, data={"agreement": "true", **_token(answer)})

    async def sign_out(self) -> None:
        token = _token(await self._client.get(GRID))
        await self._client.post("/ValuesOnline/Home/LogOff", data=token)

    async def fetch_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._walk())
            for reference in self._order.references:
                group.create_task(self._fetch(reference))

    async def _walk(self) -> None:
        number, pages = 0, 1
        while number < pages:
            form = {"command": "page", "value": str(number)}
            text = (await self._client.post(f"{GRID}VehicleGridViewPartial", data=form, headers=_BY_SCRIPT)).text
            for key, reference in _ROW.findall(text):
                if reference in self._keys:
                    self._keys[reference].set_result(key)
            found = _PAGER.search(text)
            number, pages = number + 1, int(found[2]) if found else 0

    async def _fetch(self, reference: str) -> None:
        key = await self._keys[reference]
        async with self._asking:
            (await self._client.get(f"{GRID}Bookout/{key}")).raise_for_status()
            form = {"vehicleId": key}
            await self._client.post("/ValuesOnline/Report/Dialog", data=form, headers=_BY_SCRIPT)
            made = await self._client.post("/ValuesOnline/Report/Create", data=form, headers=_BY_SCRIPT)
            address = made.json()["address"]
        async with self._streaming:
            pdf = await self._client.get(address)
        await asyncio.to_thread(self._order.pdf(reference).write_bytes, pdf.raise_for_status().content)


def _token(answer: httpx.Response) -> dict[str, str]:
    found = _TOKEN.search(answer.text)
    if found is None:
        raise RuntimeError(f"{answer.url.path} shows no form")
    return {found[1]: found[2]}


async def main(order: Order) -> None:
    """Sign in, fetch everything, sign out."""
    limits = httpx.Limits(max_connections=2 * order.pages + 1, max_keepalive_connections=2 * order.pages + 1)
    async with httpx.AsyncClient(
        base_url=order.url, limits=limits, timeout=60, follow_redirects=True, trust_env=False
    ) as client:
        floor = Floor(client, order)
        await floor.sign_in()
        try:
            await floor.fetch_all()
        finally:
            await floor.sign_out()


if __name__ == "__main__":
    asyncio.run(main(Order.from_arguments()))
