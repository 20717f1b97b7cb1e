"""What a PDF holds beside its pages: scripts, programs to start, files within, and places where a text may hide.

Every object of the file is looked at, not only those that a known path leads to: an action can hang on the catalog, a
page, an annotation, a form field, an outline or the tree of names, and nest in a chain of further actions. qpdf opens
object streams and spells names in one way, so neither hides anything; a search in the bytes would miss both.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf

JAVASCRIPT = "JavaScript"
LAUNCH = "launch action"
EMBEDDED = "embedded file"
XFA = "XFA form"
UNCHECKED = "could not be checked"
FLAGS = (JAVASCRIPT, LAUNCH, EMBEDDED, XFA, UNCHECKED)

# Keys that stand for a flag wherever they stand (PDF 32000-1: 7.7.4, 7.11.3, 12.6.4, 12.7.8, 13.6.3).
_KEYS = {
    "/JS": JAVASCRIPT,
    "/JavaScript": JAVASCRIPT,
    "/OnInstantiate": JAVASCRIPT,
    "/EF": EMBEDDED,
    "/EmbeddedFiles": EMBEDDED,
    "/XFA": XFA,
}
# Values of /S, /Type and /Subtype that do.
_KINDS = {
    "/JavaScript": JAVASCRIPT,
    "/Launch": LAUNCH,
    "/EmbeddedFile": EMBEDDED,
    "/FileAttachment": EMBEDDED,
}


@dataclass(frozen=True, slots=True)
class Examined:
    """``flags`` are of ``FLAGS``, in that order.

    ``hidden_text``: a form or a note may hold a text, where reading the pages does not find it.
    """

    flags: tuple[str, ...]
    hidden_text: bool


def examine(data: bytes) -> Examined:
    """Look at every object of a PDF; one that cannot be examined is flagged as that; raises ``MemoryError``."""
    found: set[str] = set()
    hidden_text = unseen = False
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
            for entries in _dictionaries(pdf):
                found.update(flag for key, flag in _KEYS.items() if key in entries)
                found.update(flag for value in _kinds(entries) if (flag := _KINDS.get(value)))
                hidden_text = hidden_text or _may_hold_text(entries)
            unseen = bool(pdf.get_warnings())  # what qpdf could not unfold or had to guess, it does not show
    except MemoryError:
        raise
    except Exception:  # whatever is wrong with it here, another program may read it
        unseen = True
    if unseen:
        found.add(UNCHECKED)
    return Examined(tuple(flag for flag in FLAGS if flag in found), hidden_text or unseen)


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[dict[str, Any]]:
    """Yield the entries of every dictionary of the file, those of streams and those within others too.

    What is referred to is an object of the file by itself, so only what is written in place is followed.
    """
    for whole in (pdf.trailer, *pdf.objects):
        waiting: list[Any] = [whole]
        while waiting:
            one = waiting.pop()
            if isinstance(one, pikepdf.Array):
                inner: list[Any] = list(one)
            elif isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
                entries = dict(one.items())
                yield entries
                inner = list(entries.values())
            else:
                continue
            waiting += [
                each
                for each in inner
                if isinstance(each, pikepdf.Array | pikepdf.Dictionary | pikepdf.Stream) and not each.is_indirect
            ]


def _kinds(entries: dict[str, Any]) -> Iterator[str]:
    for key in ("/S", "/Type", "/Subtype"):
        if isinstance(value := entries.get(key), pikepdf.Name):
            yield str(value)


def _may_hold_text(entries: dict[str, Any]) -> bool:
    """Tell whether an object is a form, a form's field or an annotation with a text or an appearance of its own."""
    return not entries.keys().isdisjoint(("/FT", "/AP", "/XFA")) or isinstance(entries.get("/Contents"), pikepdf.String)
