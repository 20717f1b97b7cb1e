"""What is made of one PDF for the archive, in a worker process: its text, a picture of page one, a smaller copy.

The PDF may be anything, so each of the three may fail by itself, and what fails is told.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pypdfium2
from PIL import WebPImagePlugin

from jdp_scraper.archive.asset import PDFS, PICTURES, Made, fingerprinted
from jdp_scraper.disk import Disk
from jdp_scraper.errors import DiskFull, StorageError
from jdp_scraper.pdf.plain_text import plain

MAX_TEXT = 200_000  # characters, as much as is searched
PICTURE_WIDTH = 640
PICTURE_HEIGHT = 1280
_QUALITY = 80
_EFFORT = 2  # of 6: 3 % larger than with the library's own 4, in less than half of the time
T = TypeVar("T")
# Loaded here, before the first PDF is asked for: for a file of this name Pillow loads no other format's plugin.
_WEBP = WebPImagePlugin.WebPImageFile.format.lower()


def make_asset(source: str, sha256: str, stem: str, folder: str, optimize: bool) -> dict[str, Any]:
    """Make one PDF's assets below ``folder``; plain values in and out: a ``Made`` as ``made``, and its ``seconds``.

    In place of them ``gone`` tells that the PDF is no longer what it was, or ``unwritten`` that a file could not be
    written, with ``full`` where that was for want of room.
    """
    began = time.perf_counter()
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        return {"gone": f"it cannot be read any more: {error.strerror or error}"}
    if hashlib.sha256(data).hexdigest() != sha256:
        return {"gone": "it has changed while the archive was built"}
    try:
        made = _made(data, stem, Path(folder), optimize)
    except StorageError as error:
        return {"unwritten": str(error), "full": isinstance(error, DiskFull)}
    return {"seconds": time.perf_counter() - began, "made": made._asdict()}


def _made(data: bytes, stem: str, folder: Path, optimize: bool) -> Made:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        return Made(faults=["it is encrypted" if "assword" in str(error) else f"it cannot be opened: {error}"])
    faults: list[str] = []
    try:
        text = _attempt("its text", lambda: text_of(document), faults) or ""
        picture = _attempt("a picture of page one", lambda: _picture(document), faults)
    finally:
        document.close()
    smaller = None
    if optimize:
        from jdp_scraper.archive.optimizing import optimized  # noqa: PLC0415 - qpdf is slow to import

        smaller = _attempt("a smaller copy", lambda: optimized(data), faults)
    return Made(
        text,
        picture=None if picture is None else _put(folder, PICTURES, stem, picture, _WEBP),
        pdf=None if smaller is None else _put(folder, PDFS, stem, smaller, "pdf"),
        size=None if smaller is None else len(smaller),
        faults=faults,
    )


def _attempt(what: str, make: Callable[[], T], faults: list[str]) -> T | None:
    try:
        return make()
    except MemoryError:
        faults.append(f"{what} needs too much memory")
    except Exception as error:
        faults.append(f"{what} could not be made: {error or type(error).__name__}")
    return None


def text_of(document: Any) -> str:
    """Return the text of a document as it is searched, a huge one cut."""
    found: list[str] = []
    length = 0
    for page in document:
        text = page.get_textpage()
        lines = [plain(line) for line in text.get_text_range().splitlines()]
        found += lines
        length += sum(map(len, lines))
        text.close()
        page.close()
        if length > MAX_TEXT:
            break
    return "\n".join(line for line in found if line)[:MAX_TEXT]


class _Picture(io.BytesIO):
    name = f"picture.{_WEBP}"


def _picture(document: Any) -> bytes:
    page = document[0]
    width, height = page.get_size()
    bitmap = page.render(scale=min(PICTURE_WIDTH / max(width, 1), PICTURE_HEIGHT / max(height, 1)))
    file = _Picture()
    bitmap.to_pil().convert("RGB").save(file, quality=_QUALITY, method=_EFFORT)
    page.close()
    return file.getvalue()


def _put(folder: Path, kind: str, stem: str, content: bytes, ending: str) -> str:
    path = fingerprinted(kind, stem, hashlib.sha256(content).hexdigest(), ending)
    # Two PDFs may have the same picture, and one of them may be there from the last build, whose file is still served.
    Disk().write_fresh(folder / path, content)
    return path
