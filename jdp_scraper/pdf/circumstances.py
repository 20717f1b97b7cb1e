"""What may count for a PDF without any text: how it came. Less than its own words, so only where a profile says so.

Each way needs the page on which the report was asked for to have shown the vehicle's reference and its VIN, and beside
that one word of the portal about the report itself: the address that answered, or the name that it gave the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote_plus, urlsplit

from jdp_scraper.errors import ReportUnproven
from jdp_scraper.pdf.plain_text import UNREADABLE, plain
from jdp_scraper.pdf.proof import ProofRule
from jdp_scraper.vehicle import Vehicle

_BETWEEN = re.compile(r"[/?&=;,]")
_WORD = re.compile(r"[A-Za-z0-9]+")
_SHORTEST_VIN = 11
_SHORTEST_REFERENCE = 5  # a shorter one is found by chance: a page's number, a year


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a report came; ``page_shown``: the page had shown both reference and VIN before the report was asked for."""

    page_shown: bool = False
    address: str = ""
    file_name: str = ""


def prove_by(circumstances: Circumstances, vehicle: Vehicle, rule: ProofRule, longer: Collection[str] = ()) -> str:
    """Return in words how a PDF without any text is proven to be ``vehicle``'s; ``longer`` is as for ``prove``.

    Raises ``ReportUnproven`` where the rule allows nothing for it, or what it allows does not show the vehicle.
    """
    if not rule.without_text:
        raise ReportUnproven("the PDF holds no text that could name its vehicle")
    if not circumstances.page_shown:
        raise ReportUnproven("the PDF holds no text, and its page did not show both reference and VIN")
    reference = plain(vehicle.reference)
    alike = UNREADABLE in reference or reference in {plain(other) for other in longer}
    pieces = {"address": _of_address(circumstances.address), "file_name": _of_file_name(circumstances.file_name)}
    for way in rule.without_text:
        if any(_names(piece, vehicle, alike) for piece in pieces[way]):
            return f"page and {way.replace('_', ' ')}"
    ways = " and ".join(way.replace("_", " ") for way in rule.without_text)
    raise ReportUnproven(f"the PDF holds no text, and its {ways} does not hold the reference or the VIN by itself")


def given_file_name(content_disposition: str) -> str:
    """Return the file name of an answer's ``Content-Disposition`` header, empty where there is none."""
    message = Message()
    try:
        message["Content-Disposition"] = content_disposition
        return message.get_filename("")
    except (ValueError, LookupError, TypeError):  # a name that cannot be read says nothing
        return ""


def _of_address(address: str) -> Iterator[str]:
    """Yield the pieces between an address's own separators; one that stands within a piece separates nothing."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return
    for piece in _BETWEEN.split(f"{parts.path}?{parts.query}"):
        yield unquote_plus(piece)


def _of_file_name(name: str) -> Iterator[str]:
    yield name


def _names(piece: str, vehicle: Vehicle, alike: bool) -> bool:
    """Tell whether a piece is the reference, or holds the VIN as a whole word."""
    stem = plain(re.sub(r"\.pdf$", "", piece, flags=re.IGNORECASE))
    vin, reference = plain(vehicle.vin or "").upper(), plain(vehicle.reference)
    if len(vin) >= _SHORTEST_VIN and vin in {word.upper() for word in _WORD.findall(stem)}:
        return True
    telling = len(reference) >= _SHORTEST_REFERENCE and any(character.isdigit() for character in reference)
    return telling and not alike and stem == reference
