"""What is made of one PDF for the archive, in a worker process: its text, a picture of page one, a smaller copy.

The PDF may be anything, so each of the three may fail by itself, and what fails is told.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import pypdfium2
from PIL import Image, WebPImagePlugin

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
# Loaded here, before the first PDF is asked for; without its own plugin Pillow would load those of all formats.
Image.preinit()
_FORMAT = WebPImagePlugin.WebPImageFile.format


def make_asset(source: str, sha256: str, stem: str, folder: str, optimize: bool) -> dict[str, Any]:
    """Make one PDF's assets below ``folder``; plain values in and out: a ``Made`` as ``made``, and its ``seconds``.

    In place of them ``gone`` tells that the PDF is no longer what it was, or ``unwritten`` that a file could not be
    written, with ``full`` where that was for want of room.
    """
    began, made = time.perf_counter(), Made()
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        return {"gone": f"it cannot be read any more: {error.strerror or error}"}
    if hashlib.sha256(data).hexdigest() != sha256:
        return {"gone": "it has changed while the archive was built"}
    try:
        _make(data, stem, Path(folder), optimize, made)
    except StorageError as error:
        return {"unwritten": str(error), "full": isinstance(error, DiskFull)}
    return {"seconds": time.perf_counter() - began, "made": asdict(made)}


def _make(data: bytes, stem: str, folder: Path, optimize: bool, made: Made) -> None:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        made.faults.append("it is encrypted" if "assword" in str(error) else f"it cannot be opened: {error}")
        return
    try:
        made.text = _attempt("its text", lambda: text_of(document), made) or ""
        picture = _attempt("a picture of page one", lambda: _picture(document), made)
    finally:
        document.close()
    if picture is not None:
        made.picture = _put(folder, PICTURES, stem, picture, "webp")
    if optimize:
        from jdp_scraper.archive.optimizing import optimized  # noqa: PLC0415 - qpdf is slow to import

        smaller = _attempt("a smaller copy", lambda: optimized(data), made)
        if smaller is not None:
            made.pdf, made.size = _put(folder, PDFS, stem, smaller, "pdf"), len(smaller)


def _attempt(what: str, make: Callable[[], T], made: Made) -> T | None:
    try:
        return make()
    except MemoryError:
        made.faults.append(f"{what} needs too much memory")
    except Exception as error:
        made.faults.append(f"{what} could not be made: {error or type(error).__name__}")
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


def _picture(document: Any) -> bytes:
    page = document[0]
    width, height = page.get_size()
    bitmap = page.render(scale=min(PICTURE_WIDTH / max(width, 1), PICTURE_HEIGHT / max(height, 1)))
    file = io.BytesIO()
    bitmap.to_pil().convert("RGB").save(file, _FORMAT, quality=_QUALITY, method=_EFFORT)
    page.close()
    return file.getvalue()


def _put(folder: Path, kind: str, stem: str, content: bytes, ending: str) -> str:
    path = fingerprinted(kind, stem, hashlib.sha256(content).hexdigest(), ending)
    # Two PDFs may have the same picture, and one of them may be there from the last build, whose file is still served.
    Disk().write_fresh(folder / path, content)
    return path
