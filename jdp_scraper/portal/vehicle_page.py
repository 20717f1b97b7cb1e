"""Open a vehicle's page, and make sure that it is this vehicle's before anything is asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from playwright.async_api import Page

from jdp_scraper.errors import (
    NotShown,
    SessionExpired,
    StepTimeout,
    VehicleError,
    VehicleGone,
    VehicleNotListed,
    WrongVehicle,
)
from jdp_scraper.events import Bus
from jdp_scraper.portal.grid import GridPage, GridRow
from jdp_scraper.portal.in_page import open_address, page_step, run_across_navigation
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.portal.site import Site, as_arg
from jdp_scraper.vehicle import Vehicle
from jdp_scraper.waiting import held

LATE_S = 3.0
MOST_ROWS_ALIKE = 10


class VehicleOpener:
    """Opens vehicles by the addresses of their links, or by a click in the filtered grid.

    Whether a link's address opens its vehicle in any tab is not known beforehand: with ``open = "auto"`` the first
    vehicle finds it out for all.
    """

    def __init__(
        self,
        site: Site,
        links: LinkBook,
        lock: asyncio.Lock | None,
        *,
        seconds: float,
        bus: Bus,
    ) -> None:
        self._site = site
        self._links = links
        self._lock = lock
        self._seconds = seconds
        self._bus = bus
        self._way = site.profile.vehicle.open
        self._finding_out = asyncio.Lock()
        self._doubts = 0

    async def open(self, page: Page, vehicle: Vehicle, on_wait: Callable[[], None]) -> None:
        """Leave ``page`` on the vehicle's page; raises a ``VehicleError`` where it is not proven to be that.

        ``on_wait`` is called again and again while another page has its turn.
        """
        if self._way == "auto":
            async with held(self._finding_out, on_wait):
                if self._way == "auto":
                    await self._find_out(page, vehicle, on_wait)
                    return
        if self._way == "click":
            await self._by_click(page, vehicle, on_wait)
        else:
            await self._by_address(page, vehicle, on_wait)

    @property
    def needs_links(self) -> bool:
        """Whether the addresses of the rows are still of use."""
        return self._way != "click"

    def shows_all_of(self, vehicle: Vehicle) -> bool:
        """Tell whether an opened page has been held against both the reference and the VIN."""
        return bool(vehicle.reference and vehicle.vin and self._site.profile.vehicle.vin)

    async def wait_for_row(self, vehicle: Vehicle, on_progress: Callable[[], None]) -> None:
        """Return once the vehicle's row has been seen or the walk is over; ``on_progress`` tells of its pages."""
        if self.needs_links:
            await self._links.rows_of(vehicle, on_progress)

    async def _find_out(self, page: Page, vehicle: Vehicle, on_wait: Callable[[], None]) -> None:
        rows = await self._rows(page, vehicle, on_wait)
        if rows is None:
            self._decide("address", "a link's address opens its vehicle")
            return
        if not rows:
            await self._by_filter(page, vehicle, on_wait)
            return
        if not any(row.link for row in rows):
            self._decide("click", "the rows' links have no addresses")
            await self._by_click(page, vehicle, on_wait)
            return
        try:
            await self._try_addresses(page, vehicle, rows)
        except (WrongVehicle, StepTimeout) as error:
            self._doubts += 1
            slow_once = isinstance(error, StepTimeout) and self._doubts == 1
            if self._site.profile.inventory.grid.filter is None or slow_once:
                raise
            self._decide("click", f"a link's address alone did not open its vehicle ({error})")
            await self._by_click(page, vehicle, on_wait)  # the walk ends at its next page and lets go of the grid
        else:
            self._decide("address", "a link's address opens its vehicle")

    def _decide(self, way: Any, why: str) -> None:
        self._way = way
        self._bus.notice("debug", f"vehicles are opened by {way}: {why}")

    async def _by_address(self, page: Page, vehicle: Vehicle, on_wait: Callable[[], None]) -> None:
        rows = await self._rows(page, vehicle, on_wait)
        if rows is None:
            return
        if any(row.link for row in rows):
            await self._try_addresses(page, vehicle, rows)
        else:
            await self._by_filter(page, vehicle, on_wait)

    async def _rows(self, page: Page, vehicle: Vehicle, on_wait: Callable[[], None]) -> list[GridRow] | None:
        """Return the vehicle's rows, ``None`` where one that was seen before the walk has led to its page already.

        Such a row may have moved since. Where it leads astray it says nothing of the vehicle, nor of how vehicles are
        opened, and the walk's row is waited for; whatever else fails, the next try does not take it again.
        """
        rows = await self._links.rows_of(vehicle, on_wait)
        if not any(row.early and row.link for row in rows):
            return rows
        try:
            await self._try_addresses(page, vehicle, rows)
        except VehicleError as error:
            self._links.drop_early(vehicle.reference)
            if not _leads_astray(error):
                raise
        else:
            return None
        on_wait()
        return await self._links.rows_of(vehicle, on_wait)

    async def _by_filter(self, page: Page, vehicle: Vehicle, on_wait: Callable[[], None]) -> None:
        """Look for a row that the walk has not seen."""
        if self._site.profile.inventory.grid.filter is None:
            raise VehicleNotListed(f"the grid shows no row with the reference {vehicle.reference!r}")
        await self._by_click(page, vehicle, on_wait)

    async def _try_addresses(self, page: Page, vehicle: Vehicle, rows: Iterable[GridRow]) -> None:
        """A reference that stands twice has two addresses; the page that shows the VIN decides."""
        failure: WrongVehicle | None = None
        for row in rows:
            if row.link is None:
                continue
            if not self._site.is_own(row.link):
                failure = WrongVehicle(f"the link of {vehicle.reference!r} leads away from the portal")
                continue
            await open_address(page, row.link, "vehicle page", self._seconds)
            try:
                await self._check(page, vehicle)
            except WrongVehicle as error:
                failure = error
            else:
                return
        raise failure or WrongVehicle(f"no link of {vehicle.reference!r} has an address")

    async def _by_click(self, page: Page, vehicle: Vehicle, on_wait: Callable[[], None]) -> None:
        """Filter, find the row, click it; the lock is held until the page is the vehicle's, not until the click.

        Where several rows have the reference and tell no VIN, each is opened until one is the vehicle's.
        """
        grid = GridPage(page, self._site, self._seconds)
        failure: WrongVehicle | None = None
        async with held(self._lock, on_wait):
            for skip in range(MOST_ROWS_ALIKE):
                on_wait()
                await grid.open()
                try:
                    await grid.click_row(await grid.find(vehicle, skip), vehicle)
                    await self._check(page, vehicle)
                except WrongVehicle as error:
                    failure = error
                except VehicleNotListed as error:
                    raise failure or error from None
                else:
                    return
        raise failure or VehicleNotListed(f"too many rows have the reference {vehicle.reference!r}")

    async def _check(self, page: Page, vehicle: Vehicle) -> None:
        """Wait until the page is ready and compare what it shows; raises ``WrongVehicle``, ``SessionExpired``."""
        profile = self._site.profile
        rule = profile.vehicle
        async with page_step("vehicle page", self._seconds + LATE_S):
            seen: dict[str, Any] = await run_across_navigation(
                page,
                "vehicle",
                ready=as_arg(rule.ready),
                reference=rule.reference,
                vin=rule.vin,
                expected=vehicle.reference,
                form=profile.sign_in.password,
                license=profile.license.checkbox if profile.license else None,
                gone=rule.gone,
                time=self._seconds * 1000,
            )
        if seen["state"] in {"form", "license"}:
            raise SessionExpired(f"vehicle page: the portal shows its {seen['state']} instead")
        if seen["state"] == "gone":
            raise VehicleGone(f"the portal no longer has {vehicle.reference!r}")
        if not any(shows(text, vehicle.reference) for text in seen["references"]):
            raise WrongVehicle(f"the opened page does not show the reference {vehicle.reference!r}")
        if rule.vin and vehicle.vin and not any(shows(text.upper(), vehicle.vin) for text in seen["vins"]):
            raise WrongVehicle(f"the opened page shows {vehicle.reference!r}, but not the VIN {vehicle.vin}")


def _leads_astray(error: VehicleError) -> bool:
    """Tell whether an address was answered, but not with the page of its vehicle."""
    return isinstance(error, WrongVehicle | VehicleGone | NotShown) or error.status in {404, 410}


def shows(text: str, token: str) -> bool:
    """Tell whether a text holds ``token`` as a whole word: ``165530A`` does not show ``165530``."""
    folded, wanted = " ".join(text.split()), " ".join(token.split())
    at = folded.find(wanted)
    while at >= 0:
        if not _goes_on(folded[at - 1 : at] if at else "") and not _goes_on(folded[at + len(wanted) :][:1]):
            return True
        at = folded.find(wanted, at + 1)
    return False


def _goes_on(character: str) -> bool:
    """Tell whether a word goes on beyond its end with this character."""
    return character.isalnum() or character in {"_", "-"}
