"""File names that are safe on Linux, Windows and macOS for any reference, and unique where case does not count.

A plain reference keeps its text. Whatever must be changed gets a readable stem and a hash of its key. The character
``~`` stands only in names made here, so that a made name never meets a plain one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Container, Iterator, Mapping

from jdp_scraper.vehicle import Vehicle

SUFFIX = ".pdf"
MAX_BYTES = 150
_MAX_STEM = MAX_BYTES - len(SUFFIX)
_READABLE = 60
_PLAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9 ._+,()&=-]*[A-Za-z0-9_+,()&=-])?")
_VIN = re.compile(r"[A-Za-z0-9]{6,20}")
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"} | {
    f"{port}{number}" for port in ("COM", "LPT") for number in range(10)
}


def assign_file_names(keyed: Mapping[str, Vehicle]) -> dict[str, str]:
    """Give each key its file name, ``<stem>.pdf`` of at most 150 ASCII bytes, the same for the same order of keys."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    for key, vehicle in keyed.items():
        stem = _first_free(_candidates(key, vehicle), taken)
        taken.add(stem.lower())
        names[key] = stem + SUFFIX
    return names


def stem_of(file_name: str) -> str:
    """Return a given file name without ``.pdf``, safe as a folder's name."""
    return file_name.removesuffix(SUFFIX)


def clean_stem(text: str) -> str:
    """Return a readable, safe, not yet unique stem of 1 to 60 ASCII characters."""
    # What a person types for a letter with an accent is the letter; what has no ASCII letter becomes one underscore.
    letters = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    stem = re.sub(r"[^A-Za-z0-9 ._+-]+", "_", letters)
    stem = re.sub(r"\.{2,}", "_", stem)[:_READABLE].strip(" ._+-")
    return f"_{stem}" if _is_device(stem) else stem or "report"


def _candidates(key: str, vehicle: Vehicle) -> Iterator[str]:
    plain = _is_plain(vehicle.reference)
    stem = vehicle.reference if plain else clean_stem(vehicle.reference)
    if plain:
        yield stem
        if vehicle.vin and _VIN.fullmatch(vehicle.vin):
            yield f"{stem}~{vehicle.vin}"
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    for length in (8, 16, 32, 64):
        yield f"{stem[:_READABLE]}~{digest[:length]}"


def _first_free(candidates: Iterator[str], taken: Container[str]) -> str:
    # The last candidate carries the whole hash of a key, and keys are unique: one of them is always free.
    return next(stem for stem in candidates if len(stem) <= _MAX_STEM and stem.lower() not in taken)


def _is_plain(reference: str) -> bool:
    return bool(_PLAIN.fullmatch(reference)) and not _is_device(reference) and len(reference) <= _MAX_STEM


def _is_device(stem: str) -> bool:
    # Windows takes "con.anything" for the device, too, and overlooks spaces before the dot.
    return stem.partition(".")[0].strip().upper() in _DEVICES
