"""The process in which PDFs are parsed: ``python -m jdp_scraper.pdf.parser_child``.

A report comes from the network, and pdfium and qpdf are large libraries in C++, so it gets a process with little
memory, little time and none of our secrets. How it is asked and answers stands in ``batch/child.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jdp_scraper.batch.child import serve
from jdp_scraper.pdf.active_content import examine
from jdp_scraper.pdf.opening import MAX_CHARACTERS, Refused, load, opened, sha256_of, text_pages, too_long
from jdp_scraper.pdf.plain_text import plain
from jdp_scraper.pdf.raised import without_raised

MEMORY_BYTES = 1 << 30


def _answer(request: dict[str, Any]) -> dict[str, object]:
    try:
        data = load(Path(request["path"]))
        with opened(data, request["max_pages"]) as document:
            pages, silent = _texts(document)
        examined = examine(data)
        return {
            "pages": pages,
            "textless": silent and not examined.hidden_text,
            "flags": examined.flags,
            "size": len(data),
            "sha256": sha256_of(data),
        }
    except Refused as refusal:
        return {"fault": str(refusal)}
    except MemoryError:
        return {"fault": "it needs too much memory"}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}


def _texts(document: Any) -> tuple[list[str], bool]:
    """Return the text of each page, and whether none has a single character, not even one that cannot be read."""
    texts: list[str] = []
    characters = 0
    for _, text_page in text_pages(document):
        characters += text_page.count_chars()
        text = without_raised(text_page, text_page.get_text_range())
        # Spelled here, since normalizing a hostile text can take hours; what is normal already takes no time again.
        texts.append("\n".join(plain(line) for line in text.splitlines()))
        if sum(map(len, texts)) > MAX_CHARACTERS:
            raise too_long()
    return texts, characters == 0


if __name__ == "__main__":
    serve(_answer, MEMORY_BYTES)
