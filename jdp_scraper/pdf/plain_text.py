"""One spelling for text of the inventory and text of a PDF, so that the two can be compared."""

from __future__ import annotations

import unicodedata

# pdfium writes these where it joins a word that a hyphen broke over two lines. Dropping them would turn a broken
# "165-530" into "165530", which is another vehicle.
_BROKEN_HYPHENS = str.maketrans({"\ufffe": "-", "\x02": "-"})
# Soft hyphens, zero-width marks, text direction marks, control characters, surrogates: nobody sees them on paper.
_INVISIBLE = {"Cf", "Cc", "Cs", "Cn"}


def plain(text: str) -> str:
    """Return ``text`` in NFKC, without invisible characters, each run of white space as one space, none at the ends."""
    spaced = " ".join(text.split())
    if spaced.isascii() and spaced.isprintable():  # as nearly all is: nothing to fold, to mend or to hide
        return spaced
    folded = unicodedata.normalize("NFKC", text.translate(_BROKEN_HYPHENS))
    spaced = " ".join(folded.split())
    if spaced.isprintable():
        return spaced
    seen = (c for c in folded if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    # Taking a mark out can bring two characters together that are one in NFKC.
    return " ".join(unicodedata.normalize("NFKC", "".join(seen)).split())
