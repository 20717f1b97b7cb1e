"""The process in which PDFs are parsed: ``python -m jdp_scraper.pdf.parser_child``.

A report comes from the network, and pdfium and qpdf are large libraries in C++, so it gets a process with little
memory, little time and none of our secrets. One request is a line of JSON on stdin, one answer a length (four bytes,
big endian) and that much JSON on stdout; an empty answer at the start says that it is ready, another one that it has
the request in hand. The end of stdin ends it, even in the middle of a file: so it never outlives its parent.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pypdfium2

from jdp_scraper import system
from jdp_scraper.pdf import whole
from jdp_scraper.pdf.active_content import examine
from jdp_scraper.pdf.plain_text import plain

MEMORY_BYTES = 1 << 30
LIFETIME_CPU_S = 3600
MAX_CHARACTERS = 500_000


class Refused(Exception):
    """The file is not a report that can be read; the message says why."""


def main() -> None:
    """Answer requests until stdin ends."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what the C++ side prints must not mix with the answers
    system.limit_resources(MEMORY_BYTES, LIFETIME_CPU_S)
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    _send(answers, b"")
    while True:
        request = json.loads(requests.get())
        _send(answers, b"")
        _send(answers, json.dumps(_answer(request)).encode())


def _listen(requests: SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _send(answers: int, data: bytes) -> None:
    rest = memoryview(len(data).to_bytes(4, "big") + data)
    while rest:
        rest = rest[os.write(answers, rest) :]


def _answer(request: dict[str, Any]) -> dict[str, object]:
    system.renew_processor_time(request["seconds"])
    try:
        data = _load(Path(request["path"]))
        pages, silent = _pages(data, request["max_pages"])
        examined = examine(data)
        return {
            "pages": pages,
            "textless": silent and not examined.hidden_text,
            "flags": examined.flags,
            "size": len(data),
            "sha256": _hash(data),
        }
    except Refused as refusal:
        return {"fault": str(refusal)}
    except MemoryError:
        return {"fault": "it needs too much memory"}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _load(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(whole.MAX_BYTES + 1)
    if len(data) > whole.MAX_BYTES:
        raise Refused(f"it is larger than {whole.MAX_BYTES} bytes")
    # pdfium mends a file that is cut off as well as it can, so that must be seen before.
    fault = whole.fault_of(data[: whole.HEAD], data[-whole.TAIL :])
    if fault is not None:
        raise Refused(fault)
    return data


def _pages(data: bytes, max_pages: int) -> tuple[list[str], bool]:
    """Return the text of each page, and whether none has a single character, not even one that cannot be read."""
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
        return _texts(document, count)
    finally:
        document.close()


def _texts(document: Any, count: int) -> tuple[list[str], bool]:
    texts: list[str] = []
    characters = 0
    for index in range(count):
        try:
            page = document[index]
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError as error:
            raise Refused(f"page {index + 1} is damaged: {error}") from error
        characters += text_page.count_chars()
        # Spelled here, since normalizing a hostile text can take hours; what is normal already takes no time again.
        texts.append("\n".join(plain(line) for line in text_page.get_text_range().splitlines()))
        text_page.close()
        page.close()
        if sum(map(len, texts)) > MAX_CHARACTERS:
            raise Refused(f"it holds more than {MAX_CHARACTERS} characters")
    return texts, characters == 0


if __name__ == "__main__":
    main()
