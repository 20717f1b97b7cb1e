"""One spelling for text of the inventory and text of a PDF, so that the two can be compared."""

from __future__ import annotations

import re
import unicodedata

# Stands in a PDF's text for a character that is there but belongs to nothing, such as the mark of a footnote.
UNREADABLE = "\ufffd"
# pdfium writes these where it joins a word that a hyphen broke over two lines. Dropping them would turn a broken
# "165-530" into "165530", which is another vehicle.
_BROKEN_HYPHENS = str.maketrans({"\ufffe": "-", "\x02": "-"})
# Soft hyphens, zero-width marks, text direction marks, control characters, surrogates: nobody sees them on paper.
_INVISIBLE = {"Cf", "Cc", "Cs", "Cn"}
# Raised, lowered and circled characters keep their form: "165530" with a footnote's mark is not "1655301".
_MARKS = ("<super>", "<sub>", "<circle>")
_NAMES = "\u2120\u2122"  # service and trade mark: raised, but part of what they stand behind


def plain(text: str) -> str:
    """Return ``text`` in NFKC, without invisible characters, each run of white space as one space, none at the ends.

    Characters that are raised, lowered or circled stay what they are, since NFKC would make digits and letters of them.
    """
    spaced = " ".join(text.split())
    if spaced.isascii() and spaced.isprintable():  # as nearly all is: nothing to fold, to mend or to hide
        return spaced
    folded = _folded(text.translate(_BROKEN_HYPHENS))
    spaced = " ".join(folded.split())
    if spaced.isprintable():
        return spaced
    seen = (c for c in folded if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    # Taking a mark out can bring two characters together that are one in NFKC.
    return " ".join(_folded("".join(seen)).split())


def has_marks(text: str) -> bool:
    """Tell whether a text (spelled by ``plain``) holds a footnote's mark, or what may be one: then it is no value."""
    return not text.isascii() and any(c == UNREADABLE or (_is_mark(c) and c not in _NAMES) for c in text)


def _folded(text: str) -> str:
    marks = "".join(filter(_is_mark, set(text)))
    if not marks:
        return unicodedata.normalize("NFKC", text)
    parts = re.split(f"([{marks}])", text)
    return "".join(part if part in marks else unicodedata.normalize("NFKC", part) for part in parts)


def _is_mark(character: str) -> bool:
    return not character.isascii() and unicodedata.decomposition(character).startswith(_MARKS)
