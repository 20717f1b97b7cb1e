"""What a whole PDF begins and ends with. Imports nothing, since the parser's child process uses it too."""

from __future__ import annotations

HEAD = 1024  # bytes at the start in which readers look for the signature
TAIL = 1024  # bytes at the end in which readers look for the end mark
MAX_BYTES = 50 * 1024 * 1024
TOO_LARGE = f"it is larger than {MAX_BYTES} bytes"


def is_pdf_head(head: bytes) -> bool:
    """Tell whether the first ``HEAD`` bytes of a file hold a PDF's signature."""
    return b"%PDF-" in head[:HEAD]


def fault_of(head: bytes, tail: bytes) -> str | None:
    """Return why a file with this start and end is not a whole PDF, ``None`` if it may be one."""
    if not head:
        return "it is empty"
    if not is_pdf_head(head):
        return "it is not a PDF"
    if b"%%EOF" not in tail[-TAIL:]:
        return "it is cut off: its end mark is missing"
    return None
