"""A smaller copy of a PDF, ordered so that its first page shows before the rest has come; in a worker process."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pypdfium2

_SIGNED = 1  # of SigFlags, ISO 32000-1, table 219


def optimized(data: bytes) -> bytes | None:
    """Return a linearized copy that is smaller and has the same pages with the same text, else ``None``.

    A copy is not made of a signed or encrypted PDF, which would be neither any more, nor of one that has to be mended.
    Raises what qpdf and pdfium raise.
    """
    copy = _smaller(data)
    if copy is None or len(copy) >= len(data) or _texts(copy) != _texts(data):
        return None
    return copy


def _smaller(data: bytes) -> bytes | None:
    pikepdf.settings.set_flate_compression_level(9)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        if pdf.is_encrypted or _is_signed(pdf) or pdf.get_warnings():
            return None
        file = io.BytesIO()
        pdf.save(
            file,
            linearize=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
            recompress_flate=True,
            deterministic_id=True,
        )
        return None if pdf.get_warnings() else file.getvalue()


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    form: Any = pdf.Root.get("/AcroForm")
    return isinstance(form, pikepdf.Dictionary) and bool(int(form.get("/SigFlags", 0)) & _SIGNED)


def _texts(data: bytes) -> list[str]:
    """Return the text of each page."""
    document = pypdfium2.PdfDocument(data)
    try:
        texts = []
        for page in document:
            text = page.get_textpage()
            texts.append(text.get_text_range())
            text.close()
            page.close()
        return texts
    finally:
        document.close()
