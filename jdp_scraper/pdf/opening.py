"""Opens a PDF that may be anything, in a child process: whole, of few pages, and not encrypted, or refused."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2

from jdp_scraper.pdf import whole

MAX_CHARACTERS = 500_000


class Refused(Exception):
    """The file is not a report that can be read; the message says why."""


def load(path: Path) -> bytes:
    """Return a file's content; raises ``Refused`` where it is not a whole PDF, and ``OSError``."""
    with path.open("rb") as file:
        # Asked for no more than it is long, as memory for what may be read is taken first.
        size = min(os.fstat(file.fileno()).st_size, whole.MAX_BYTES)
        data = file.read(size + 1)
        if len(data) > size:  # it has grown meanwhile, or is too large
            data += file.read(whole.MAX_BYTES + 1 - len(data))
    if len(data) > whole.MAX_BYTES:
        raise Refused(whole.TOO_LARGE)
    # pdfium mends a file that is cut off as well as it can, so that must be seen before.
    fault = whole.fault_of(data[: whole.HEAD], data[-whole.TAIL :])
    if fault is not None:
        raise Refused(fault)
    return data


@contextmanager
def opened(data: bytes, max_pages: int) -> Iterator[Any]:
    """Lend the document and close it; raises ``Refused`` where it cannot be read or has too many pages, or none."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Refused("it is encrypted" if "assword" in str(error) else f"it is damaged: {error}") from error
    try:
        count = len(document)
        if count == 0:
            raise Refused("it has no pages")
        if count > max_pages:
            raise Refused(f"it has {count} pages, more than {max_pages}")
        yield document
    finally:
        document.close()


def text_pages(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each page with its text, to be used before the next is asked for; raises ``Refused``."""
    for index in range(len(document)):
        try:
            page = document[index]
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError as error:
            raise Refused(f"page {index + 1} is damaged: {error}") from error
        try:
            yield page, text_page
        finally:
            text_page.close()
            page.close()


def too_long() -> Refused:
    """Return the refusal of a text that is longer than any report's."""
    return Refused(f"it holds more than {MAX_CHARACTERS} characters")


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of a file's content in hex."""
    return hashlib.sha256(data).hexdigest()
