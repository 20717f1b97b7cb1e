"""What a PDF's assets are and where they lie; apart from what makes them, which is slow to import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# Raised by one with every change of what is made of a PDF, so that it is made anew.
RECIPE = 1
PDFS = "pdfs"
PICTURES = "thumbnails"
_DIGITS = 12


class Made(NamedTuple):
    """What was made; paths are from the archive's root, ``size`` in bytes; ``faults`` tell what could not be made.

    ``pdf`` is ``None`` where the PDF is to be shown as it is.
    """

    text: str = ""
    picture: str | None = None
    pdf: str | None = None
    size: int | None = None
    faults: Sequence[str] = ()


def fingerprinted(kind: str, stem: str, sha256: str, ending: str) -> str:
    """Return the path of a file whose name changes with its content, from the archive's root."""
    return f"{kind}/{stem}.{sha256[:_DIGITS]}.{ending}"
