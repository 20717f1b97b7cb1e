"""The exported inventory: fetched by menu clicks or from an address, and read whatever its encoding."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Download, Locator, Page, Response

from jdp_scraper.errors import ColumnMissing, InventoryError, PortalAnswered, SessionExpired
from jdp_scraper.portal.in_page import page_step
from jdp_scraper.portal.profile import Columns, Control, Export
from jdp_scraper.portal.sign_in import look
from jdp_scraper.portal.site import Site
from jdp_scraper.vehicle import Vehicle

LOOK_S = 10.0
LATE_S = 3.0
HEADER_WITHIN = 10  # an export may begin with lines of title
_NO_TEXT = b"\xef\xbb\xbf \t\r\n"
# White space as the scripts in the page know it: ECMAScript's WhiteSpace and LineTerminator, and nothing else.
_SPACE = re.compile("[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")


@dataclass(frozen=True, slots=True)
class Listing:
    """Vehicles in the portal's order, and the lines of the export that had no reference (the header is line 1)."""

    vehicles: tuple[Vehicle, ...]
    blank_lines: tuple[int, ...] = ()

    @property
    def lines(self) -> int:
        """How many vehicles the portal told of, those without a reference among them."""
        return len(self.vehicles) + len(self.blank_lines)


async def fetch_export(page: Page, site: Site, export: Export, seconds: float) -> bytes:
    """Have the portal export its inventory, and return the file.

    Raises ``SessionExpired`` or ``PortalAnswered`` for a page in place of the file, and the errors of ``page_step``.
    """
    try:
        async with page_step("inventory export", seconds):
            content = await _exported(page, site, export, seconds)
    except PortalAnswered:
        seen = await look(page, site, LOOK_S)
        if seen.form or seen.license:
            raise SessionExpired("inventory export: the portal asks for a sign-in or its license") from None
        raise
    if content.lstrip(_NO_TEXT)[:1] != b"<":
        return content
    if site.is_sign_in(content.decode("utf-8", "replace")):
        raise SessionExpired("inventory export: the portal asks for a sign-in")
    raise PortalAnswered("inventory export: the portal sent a web page in place of the CSV")


async def _exported(page: Page, site: Site, export: Export, seconds: float) -> bytes:
    if export.address is not None:
        answer = await page.context.request.get(site.url(export.address), timeout=seconds * 1000)
        if not answer.ok:
            raise PortalAnswered(f"inventory export: status {answer.status}", status=answer.status)
        return await answer.body()
    *way, last = [_locator(page, control) for control in export.clicks]
    for locator in way:
        await locator.click()
    return await _content(await _download(page, last, seconds))


async def _download(page: Page, last: Locator, seconds: float) -> Download:
    """Click, and return the download; raises ``PortalAnswered`` soon after a page has come in its place."""
    loop = asyncio.get_running_loop()
    page_came: asyncio.Future[None] = loop.create_future()

    def note_answer(response: Response) -> None:
        """A redirect has not arrived yet, and what comes in a frame says nothing of the file."""
        is_page = response.request.is_navigation_request() and "html" in response.headers.get("content-type", "")
        redirects = 300 <= response.status < 400
        if is_page and not redirects and not page_came.done() and response.frame == page.main_frame:
            page_came.set_result(None)

    page.on("response", note_answer)
    coming = asyncio.ensure_future(page.wait_for_event("download", timeout=seconds * 1000))
    try:
        await asyncio.sleep(0)  # it listens from here on
        await last.click(no_wait_after=True)  # else it would wait for the export as for a page, and not as long
        either: tuple[asyncio.Future[Any], ...] = (coming, page_came)
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():  # a page that says "please wait" may still bring the file
            await asyncio.wait([coming], timeout=LATE_S)
        if not coming.done():
            raise PortalAnswered("inventory export: the portal sent a web page in place of the CSV")
        return await coming
    finally:
        page.remove_listener("response", note_answer)
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


def _locator(page: Page, control: Control) -> Locator:
    """A menu opens under a real mouse, so these clicks are Playwright's own."""
    found = page.locator(control.css)
    if control.text is not None:
        found = found.filter(has_text=re.compile(rf"^\s*{re.escape(control.text)}\s*$", re.IGNORECASE))
    if control.contains is not None:
        found = found.filter(has_text=control.contains)
    return found.first


async def _content(download: Download) -> bytes:
    path = await download.path()
    try:
        return await asyncio.to_thread(Path(path).read_bytes)
    finally:
        await download.delete()


def read_listing(content: bytes, columns: Columns) -> Listing:
    """Read an export in UTF-8, with or without byte-order mark, or cp1252.

    Raises ``ColumnMissing`` that lists the columns found, ``InventoryError`` for what is no CSV.
    """
    text = _decode(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, columns.reference))
    try:
        rows = list(reader)
    except csv.Error as error:
        raise InventoryError(f"the exported inventory is no CSV from line {reader.line_num} on: {error}") from error
    at, header = _header(rows, columns.reference)
    places = {name: _place(header, wanted) for name, wanted in columns if wanted is not None}
    vehicles: list[Vehicle] = []
    blank: list[int] = []
    for number, row in enumerate(rows[at + 1 :], start=at + 2):
        cells = {name: _cell(row, place) for name, place in places.items()}
        cells["reference"] = as_shown(cells["reference"] or "")
        if cells["reference"]:
            vehicles.append(vehicle_of(cells))
        elif any(row):
            blank.append(number)
    return Listing(tuple(vehicles), tuple(blank))


def as_shown(text: str) -> str:
    """Return a text as a page shows it: without NUL, each run of white space as one space, none at the ends.

    Export and grid are compared, and a page cannot show a reference's line break, say, although an export can hold it.
    """
    return _SPACE.sub(" ", text.replace("\0", "")).strip(" ")


def vehicle_of(cells: dict[str, str | None]) -> Vehicle:
    """Make a vehicle of what the portal tells as text; numbers may have separators."""
    vin = (cells.get("vin") or "").strip().upper()
    return Vehicle(
        reference=cells["reference"] or "",
        vin=vin or None,
        year=_number(cells.get("year")),
        make=cells.get("make") or None,
        model=cells.get("model") or None,
        mileage=_number(cells.get("mileage")),
    )


def _decode(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")  # knows every byte; cp1252 leaves five undefined


def _delimiter(text: str, reference: str) -> str:
    wanted = _folded(reference)
    head = next((line for line in text.splitlines() if wanted in _folded(line)), text.partition("\n")[0])
    return max(",;\t", key=head.count)


def _header(rows: Sequence[Sequence[str]], reference: str) -> tuple[int, Sequence[str]]:
    for number, row in enumerate(rows[:HEADER_WITHIN]):
        if _place(row, reference) is not None:
            return number, row
    found = ", ".join(repr(cell.strip()) for cell in rows[0] if cell.strip()) if rows else "none, the file is empty"
    raise ColumnMissing(
        f"the exported inventory has no column {reference!r}; columns found: {found}; "
        "correct inventory.export.columns.reference in the profile"
    )


def _place(header: Sequence[str], wanted: str) -> int | None:
    names = [_folded(cell) for cell in header]
    name = _folded(wanted)
    return names.index(name) if name in names else None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _cell(row: Sequence[str], place: int | None) -> str | None:
    return row[place].strip() if place is not None and place < len(row) else None


def _number(text: str | None) -> int | None:
    digits = re.sub(r"[^\d.]", "", text or "").partition(".")[0]
    return int(digits) if digits else None
