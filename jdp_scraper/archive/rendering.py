"""How templates become bytes, and what all pages write alike."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from jdp_scraper.archive.columns import NOTHING, Kind, difference, written
from jdp_scraper.archive.history import Change, Standing
from jdp_scraper.archive.model import Vehicle
from jdp_scraper.fingerprint import fingerprint_of

VEHICLES = "vehicles"
_LIBRARIES = ("jinja2", "rcssmin", "rjsmin")
_TEMPLATES = Path(__file__).parent / "templates"
# What stands beside a vehicle's name; a change of values has a column of its own.
_BADGES = {Standing.NEW, Standing.FAILED, Standing.OPEN, Standing.GONE}


def render(template: str, **context: Any) -> bytes:
    """Fill a template, with everything escaped that is not the template's own."""
    return render_text(template, **context).encode()


def render_text(template: str, **context: Any) -> str:
    """As ``render``, for a part of a page."""
    text = _environment().get_template(template).render(context)
    # A lone surrogate, as a reference or a file's name may hold, has no place in UTF-8: it is shown as a question mark.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def page_path(vehicle: Vehicle) -> str:
    """Return the path of a vehicle's page from the archive's root, not percent-encoded."""
    return f"{VEHICLES}/{vehicle.slug}.html"


def href(path: str) -> str:
    """Return a path as an address."""
    return quote(path, safe="/", errors="replace")


def day(moment: datetime) -> str:
    """Return the day of a moment in its own time zone."""
    return f"{moment:%Y-%m-%d}"


def badge(told: Standing) -> str:
    """Return what stands beside a vehicle's name, or nothing."""
    return told.value if told in _BADGES else ""


def trend(change: Change | None) -> dict[str, str]:
    """Return a difference as its text and the name of its direction, both empty where there is none to tell."""
    number = change.difference if change else None
    if number is None:
        return {"change": "", "trend": ""}
    return {"change": difference(number), "trend": "up" if number > 0 else "down" if number < 0 else ""}


def hash_of(*parts: object) -> str:
    """Return a hash of values that tell themselves apart by ``repr``."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()


@cache
def machinery() -> str:
    """Return a hash of all that turns the model into pages, so that another version makes them anew."""
    versions = [version(name) for name in _LIBRARIES], unicodedata.unidata_version
    return hash_of(versions, fingerprint_of([*Path(__file__).parent.glob("*.py"), *_TEMPLATES.iterdir()]))


@cache
def _environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "href": href,
        "written": lambda value, kind: written(value, Kind(kind)),
        "day": day,
        "size": _size,
    }
    found.globals |= {"nothing": NOTHING, "counted": _counted}
    return found


def _size(size: int) -> str:
    return f"{max(1, round(size / 1000)):,} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
