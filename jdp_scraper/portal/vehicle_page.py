"""Open a vehicle's page, and make sure that it is this vehicle's before anything is asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from playwright.async_api import Page

from jdp_scraper.errors import (
    NotShown,
    SessionExpired,
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
REFUSED = {400, 401, 403}


class VehicleOpener:
    """Opens vehicles by the addresses of their links, or by a click in the filtered grid.

    Whether a link's address opens its vehicle in any tab is not known beforehand: with ``open = "auto"`` the first
    vehicle finds it out for all. That an address does not is known only where a click has then opened that vehicle.
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
        self._slow_pages = False

    async def open(self, page: Page, vehicle: Vehicle, on_wait: Callable[[], None]) -> None:
        """Leave ``page`` on the vehicle's page; raises a ``VehicleError`` where it is not proven to be that.

        ``on_wait`` is called again and again while another page has its turn.
        """
        others: list[GridRow] = []
        while self._way != "click":
            rows = await self._links.rows_of(vehicle, on_wait, others)
            if not rows:
                await self._by_filter(page, vehicle, on_wait)
                return
            way = self._way
            async with held(self._finding_out if way == "auto" else None, on_wait):
                if self._way == way and await self._by_rows(page, vehicle, rows, others, on_wait):
                    return
            on_wait()
        await self._by_click(page, vehicle, on_wait)

    @property
    def needs_links(self) -> bool:
        """Whether the addresses of the rows are still of use."""
        return self._way != "click"

    def shows_all_of(self, vehicle: Vehicle) -> bool:
        """Tell whether an opened page has been held against both the reference and the VIN."""
        return bool(vehicle.reference and vehicle.vin and self._site.profile.vehicle.vin)

    def drop_stale(self, vehicle: Vehicle) -> bool:
        """Take note that the portal has asked for a sign-in at a vehicle, although it knows the session.

        Tells whether that may be due to an address that has ended with an earlier session: all of that age are dropped.
        """
        return self._links.drop_stale(vehicle.reference)

    async def wait_for_row(self, vehicle: Vehicle, on_progress: Callable[[], None]) -> None:
        """Return once the vehicle's row has been seen or the walk is over; ``on_progress`` tells of its pages."""
        if self.needs_links:
            await self._links.rows_of(vehicle, on_progress)

    async def _by_rows(
        self,
        page: Page,
        vehicle: Vehicle,
        rows: Sequence[GridRow],
        others: list[GridRow],
        on_wait: Callable[[], None],
    ) -> bool:
        """Open by the addresses of rows, or by a click where they lead astray; false where to look for rows once more.

        An early row may have moved since, and an address may have ended with its session. Such a row says nothing of
        the vehicle, nor of how vehicles are opened: the walk's row is waited for, or that of another walk. Nor does one
        of another vehicle with the same reference, while the walk may still show this one's: it goes to ``others``.
        """
        if not any(row.link for row in rows):
            if self._way == "address":
                await self._by_filter(page, vehicle, on_wait)
                return True
            self._decide("click", "the rows' links have no addresses")
            return False
        try:
            await self._try_addresses(page, vehicle, rows)
        except VehicleError as error:
            tried = [*others, *rows]
            if isinstance(error, WrongVehicle) and not rows[0].early and self._links.more_may_come(vehicle, tried):
                others[:] = tried
                return False
            if self._may_be_stale(rows, error):
                return False
            if not self._leads_astray(error) or self._site.profile.inventory.grid.filter is None:
                raise
            await self._by_click_instead(page, vehicle, rows, error, on_wait)
        else:
            if self._way == "auto":
                self._decide("address", "a link's address opens its vehicle")
        return True

    def _may_be_stale(self, rows: Sequence[GridRow], error: VehicleError) -> bool:
        """Forget rows that are not the present walk's; tells whether they have led astray, so that others are due.

        Whatever else fails at an early row, the next try does not take it again.
        """
        early = any(row.early for row in rows)
        if early:
            self._links.drop_early(rows[0].vehicle.reference)
            return _leads_astray(error)
        stale = any(self._links.is_stale(row) for row in rows)
        if not stale or not (_leads_astray(error) or error.status in REFUSED):
            return False
        self._links.lead_astray(rows)
        return True

    def _leads_astray(self, error: VehicleError) -> bool:
        """Tell whether an address may be at fault; where pages were not shown after a click either, they are."""
        return _leads_astray(error) and not (isinstance(error, NotShown) and self._slow_pages)

    async def _by_click_instead(
        self,
        page: Page,
        vehicle: Vehicle,
        rows: Sequence[GridRow],
        astray: VehicleError,
        on_wait: Callable[[], None],
    ) -> None:
        """Click where the addresses have led astray; only what that opens tells that the addresses are at fault.

        While nothing is known of them the walk ends at its next page and lets go of the grid; where the click opens
        nothing either, it is begun again.
        """
        on_wait()
        undecided, whole, opened = self._way == "auto", self._links.ended, False
        self._way = "click" if undecided else self._way
        try:
            await self._by_click(page, vehicle, on_wait)
            opened = True
        except VehicleNotListed:
            raise astray from None
        except NotShown:
            self._slow_pages = True
            raise
        finally:
            if undecided and not opened:
                self._way = "auto"
                if not whole:
                    self._links.ask_for_walk()
        self._links.lead_astray(rows)
        if undecided:
            self._decide("click", f"a link's address alone did not open its vehicle ({astray})")

    def _decide(self, way: Any, why: str) -> None:
        self._way = way
        self._bus.notice("debug", f"vehicles are opened by {way}: {why}")

    async def _by_filter(self, page: Page, vehicle: Vehicle, on_wait: Callable[[], None]) -> None:
        """Look for a row that the walk has not seen."""
        if self._site.profile.inventory.grid.filter is None:
            raise VehicleNotListed(f"the grid shows no row with the reference {vehicle.reference!r}")
        await self._by_click(page, vehicle, on_wait)

    async def _try_addresses(self, page: Page, vehicle: Vehicle, rows: Iterable[GridRow]) -> None:
        """A reference that stands twice has two addresses; the page that shows the VIN decides."""
        failure: VehicleError | None = None
        for row in rows:
            if row.link is None:
                continue
            if not self._site.is_own(row.link):
                failure = WrongVehicle(f"the link of {vehicle.reference!r} leads away from the portal")
                continue
            try:
                await open_address(page, row.link, "vehicle page", self._seconds)
                await self._check(page, vehicle)
            except VehicleError as error:
                if not _leads_astray(error):
                    raise
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
