"""The inventory's grid: walked once for what it tells and where its rows lead, or filtered for one vehicle."""

from __future__ import annotations

import asyncio
import contextlib
import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.errors import (
    NotShown,
    PageLost,
    PortalAnswered,
    PortalChanged,
    SessionExpired,
    StepTimeout,
    VehicleNotListed,
)
from jdp_scraper.portal.in_page import moved_on, open_address, page_step, run_across_navigation, run_script
from jdp_scraper.portal.inventory import as_shown, vehicle_of
from jdp_scraper.portal.profile import Grid
from jdp_scraper.portal.sign_in import look
from jdp_scraper.portal.site import Site, as_arg
from jdp_scraper.vehicle import Vehicle

NOWHERE = "~ no such reference ~"
_CELLS = ("reference", "vin", "year", "make", "model", "mileage")


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row: the vehicle as the row tells of it, and the address behind its link where that is one.

    ``early``: it was seen before the walk, and may have moved since.
    """

    vehicle: Vehicle
    link: str | None
    early: bool = False


@dataclass(frozen=True, slots=True)
class Pager:
    """What the pager tells; ``None`` is what it does not."""

    page: int | None = None
    pages: int | None = None
    items: int | None = None


@dataclass(frozen=True, slots=True)
class GridView:
    """One page of rows, in order; those without a reference stand apart, in ``unnamed``."""

    rows: tuple[GridRow, ...]
    pager: Pager
    has_next: bool
    filtered: bool
    unnamed: tuple[GridRow, ...] = ()

    @property
    def blank(self) -> int:
        """How many rows have no reference."""
        return len(self.unnamed)

    @property
    def is_empty(self) -> bool:
        """Whether no row shows at all."""
        return not self.rows and not self.unnamed


class GridPage:
    """The grid as one page of the browser shows it. Its filter and page number may be the whole session's."""

    def __init__(self, page: Page, site: Site, seconds: float) -> None:
        self._page = page
        self._site = site
        self._seconds = seconds
        self._rule = site.profile.inventory.grid

    @property
    def page(self) -> Page:
        """The page that the grid is on."""
        return self._page

    @property
    def has_filter(self) -> bool:
        """Whether rows can be looked for by their reference."""
        return self._rule.filter is not None

    @property
    def has_pager(self) -> bool:
        """Whether the profile says how the pager counts the rows."""
        return self._rule.pager is not None

    def move_to(self, page: Page) -> None:
        """Go on with another page, as after the loss of the first."""
        self._page = page

    async def open(self) -> None:
        """Go to the grid; raises ``SessionExpired`` where the portal asks for a sign-in or its license instead."""
        if self._rule.pages is not None:
            await self._open_numbered(1)
        else:
            await self._open(self._site.profile.inventory.address)

    async def _open_numbered(self, number: int) -> None:
        await self._open((self._rule.pages or "").replace("{page}", str(number)))

    async def _open(self, address: str) -> None:
        await open_address(self._page, self._site.url(address), "grid", self._seconds)
        async with page_step("grid", self._seconds):
            await self._page.wait_for_load_state("domcontentloaded")
        seen = await look(self._page, self._site, self._seconds)
        if seen.form or seen.license:
            raise _stopped_by("form" if seen.form else "license")

    async def clear(self) -> GridView:
        """End a filter that an earlier session left on; all rows are shown from their first page afterwards.

        Returns what was seen last, which need not be that first page.
        """
        view = await self._read_filtered()
        if view.filtered:
            was_empty = view.is_empty
            view = await self._unfilter()
            if was_empty and view.filtered:  # these rows may be the filter's, drawn late, and not all
                view = await self._unfilter()
        if view.pager.page not in {None, 1}:
            await self._go_first()
        return view

    async def _go_first(self) -> None:
        rule = self._rule
        if rule.first is not None:
            await self._read("first", as_arg(rule.first))
        elif rule.filter is not None:
            # Whatever the pager looks like, a filter set and taken away again begins with the first page.
            await self.filter(NOWHERE)
            await self._unfilter()

    async def _read_filtered(self) -> GridView:
        """Read a page of rows on which a filter may have been left on that shows none."""
        try:
            return await self._read(emptied=True)
        except NotShown:
            if self._rule.filter is None or self._rule.filter.clear is not None:
                raise
            return await self._unfilter()  # nothing tells whether a filter is on

    async def _unfilter(self) -> GridView:
        """Take the filter away."""
        rule = self._rule.filter
        if rule is not None and rule.clear is not None:
            return await self._read("clear", as_arg(rule.clear))
        return await self.filter("")

    async def walk(self) -> AsyncIterator[GridView]:
        """Yield every page of rows, from the first one that the grid shows on."""
        number = 1
        view = await self._read()
        while True:
            yield view
            number += 1
            if self._rule.pages is not None:
                if view.is_empty or (view.pager.pages is not None and number > view.pager.pages):
                    return
                await self._open_numbered(number)
                following = await self._read_or_none()
            elif view.has_next:
                following = await self._read("next", as_arg(self._rule.next))
            else:
                return
            if following is None or following.is_empty or _is_same_page(following, view):
                return
            view = following

    async def _read_or_none(self) -> GridView | None:
        """Read a page of rows that may be past the last one, where no row will ever show."""
        rows = await self._page.locator(self._rule.row).count()
        return await self._read() if rows else None

    async def filter(self, reference: str) -> GridView:
        """Filter by a reference; what shows then *contains* it. Raises the errors of ``page_step``."""
        rule = self._rule.filter
        if rule is None:
            raise PortalChanged("the grid has no filter, and its rows no addresses: see inventory.grid in the profile")
        return await self._read("filter", value={"css": rule.input, "text": reference}, emptied=True)

    async def click_row(self, index: int, vehicle: Vehicle) -> None:
        """Click the link of the row with this place in the view read last, if it is still the vehicle's."""
        given = {"row": self._rule.row, "link": self._rule.link, "index": index, "expected": vehicle.reference}
        async with page_step("grid", self._seconds):
            try:
                await run_script(self._page, "open_row", **given)
            except PlaywrightError as error:
                if not moved_on(error):
                    raise

    async def find(self, vehicle: Vehicle, skip: int = 0) -> int:
        """Filter for a vehicle and return the place of its row on the page of rows that shows then.

        ``skip`` rows of the same reference are passed over. Raises ``VehicleNotListed``.
        """
        await self._wait_for_drawing()
        try:
            return await self._find_by(vehicle.reference, vehicle, skip)
        except VehicleNotListed:
            # A page shows any white space as one space, so what the portal itself knows may read otherwise.
            word = max(vehicle.reference.split(" "), key=len)
            if word == vehicle.reference:
                raise
            return await self._find_by(word, vehicle, skip)

    async def _wait_for_drawing(self) -> None:
        """Wait for the grid's first drawing, which must not pass for the filter's, whatever a filter leaves of it."""
        try:
            view = await self._read(emptied=True)
        except NotShown:
            return  # the filter that is to be set now may be the one thing that ends this
        if view.is_empty and view.filtered:
            await self._unfilter()  # rows that go are a surer sign of a filter than a quiet after none

    async def _find_by(self, text: str, vehicle: Vehicle, skip: int) -> int:
        async for view in self.filtered(text):
            places = [at for at, row in enumerate(view.rows) if is_row_of(row, vehicle)]
            if len(places) > skip:
                return places[skip]
            skip -= len(places)
        raise VehicleNotListed(f"grid: no row with the reference {vehicle.reference!r}")

    async def filtered(self, text: str) -> AsyncIterator[GridView]:
        """Filter by a text and yield every page of rows that shows then; the filter stays on, unless it shows none.

        Raises ``StepTimeout`` where rows show that do not contain it.
        """
        view: GridView | None = await self.filter(text)
        if view is not None and view.is_empty:
            # Left on, it would show nothing to whoever comes next, where it is the session's.
            with contextlib.suppress(StepTimeout, PortalAnswered, PageLost):
                await self._unfilter()
            return
        while view is not None:
            if not all(_folded(text) in _folded(row.vehicle.reference) for row in view.rows):
                raise StepTimeout("grid: the filter did not take")
            yield view
            view = await self._read("next", as_arg(self._rule.next)) if view.has_next else None

    async def _read(
        self,
        action: str | None = None,
        control: dict[str, Any] | None = None,
        value: dict[str, str] | None = None,
        *,
        emptied: bool = False,
    ) -> GridView:
        """Read a page of rows, after an action where one is given; raises ``SessionExpired`` as ``open`` does.

        ``emptied``: a filter may leave no row, which need not be told by anything but itself.
        """
        given = {
            "grid": _grid_arg(self._rule),
            "emptied": emptied,
            "form": self._site.profile.sign_in.password,
            "license": self._site.profile.license.checkbox if self._site.profile.license else None,
            "time": self._seconds * 1000,
        }
        async with page_step("grid", self._seconds * 2):
            try:
                found = await run_script(self._page, "grid", action=action, control=control, value=value, **given)
            except PlaywrightError as error:
                if not moved_on(error):
                    raise
                found = None
            if found is None:  # the action went to another document, or its control was gone: read what is there now
                found = await run_across_navigation(self._page, "grid", action=None, control=None, value=None, **given)
        if "barrier" in found:
            raise _stopped_by(found["barrier"])
        return self._view(found)

    def _view(self, found: dict[str, Any]) -> GridView:
        if "reference" in found["missing"]:
            raise PortalChanged(
                f"the grid has no column {self._rule.reference.header!r}: "
                "correct inventory.grid.reference in the profile"
            )
        rows = tuple(_row(raw, self._rule) for raw in found["rows"])
        return GridView(
            tuple(row for row in rows if row.vehicle.reference),
            read_pager(self._rule.pager, found["text"]),
            found["next"],
            found["filtered"],
            tuple(row for row in rows if not row.vehicle.reference),
        )


def _is_same_page(one: GridView, other: GridView) -> bool:
    """Tell whether two views are of the same page of rows: a way to the next one may go nowhere after the last.

    Rows that tell nothing look alike on every page; the pager's number tells them apart as far as there are such pages,
    since a number alone may repeat what it was asked for.
    """
    if (one.rows, one.unnamed) != (other.rows, other.unnamed):
        return False
    page, pages = one.pager.page, one.pager.pages
    return page is None or pages is None or page > pages or page == other.pager.page


def _stopped_by(barrier: str) -> SessionExpired:
    return SessionExpired(f"grid: the portal asks for {'its license' if barrier == 'license' else 'a sign-in'}")


def is_row_of(row: GridRow, vehicle: Vehicle) -> bool:
    """Tell whether a row is of a vehicle: the reference is equal, and the VIN where both sides tell it."""
    same = row.vehicle.reference == vehicle.reference
    return same and (not row.vehicle.vin or not vehicle.vin or row.vehicle.vin == vehicle.vin)


def _folded(text: str) -> str:
    """Return what a portal may compare by: a database regards neither case nor width, some not even accents."""
    marks = unicodedata.normalize("NFKD", text).casefold()
    return "".join(mark for mark in unicodedata.normalize("NFKD", marks) if not unicodedata.combining(mark))


def read_pager(pattern: str | None, text: str) -> Pager:
    """Read a pager's numbers from a page's text by the profile's pattern."""
    found = re.search(pattern, text, re.IGNORECASE) if pattern else None
    told = found.groupdict() if found else {}
    numbers = {name: int(digits) for name, value in told.items() if (digits := re.sub(r"\D", "", value or ""))}
    return Pager(numbers.get("page"), numbers.get("pages"), numbers.get("items"))


def _row(raw: dict[str, Any], rule: Grid) -> GridRow:
    cells: dict[str, str | None] = {}
    for name in _CELLS:
        cell, text = getattr(rule, name), raw.get(name)
        if cell is not None and cell.pattern and text:
            found = re.search(cell.pattern, text)
            text = found.group(1) if found else None
        cells[name] = text.strip() if text else None
    cells["reference"] = as_shown(cells["reference"] or "")
    return GridRow(vehicle_of(cells), raw["link"])


def _grid_arg(rule: Grid) -> dict[str, Any]:
    cells = {name: getattr(rule, name) for name in _CELLS}
    return {
        "row": rule.row,
        "link": rule.link,
        "cells": {name: {"header": cell.header, "css": cell.css} for name, cell in cells.items() if cell is not None},
        "next": as_arg(rule.next),
        "clear": as_arg(rule.filter.clear) if rule.filter else None,
        "empty": as_arg(rule.empty),
        "pager": rule.pager.replace("(?P<", "(?<") if rule.pager else None,
    }


def grid_lock(rule: Grid) -> asyncio.Lock | None:
    """Return what keeps the grid to one page at a time, where its filter and page number are the session's."""
    return asyncio.Lock() if rule.state == "session" else None
