"""Texts as XML holds them.

``xml.sax`` would import a client for the web along with its functions for this, which takes longer than to use them.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

# Characters outside https://www.w3.org/TR/xml/#charsets, which no escape brings into a document.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Return a text as one line that XML can hold; what it cannot hold becomes a replacement character."""
    if not (text.isascii() and text.isprintable()):  # as most are not
        text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", unicodedata.normalize("NFC", text))
    return " ".join(text.split())


def xml_escaped(text: str) -> str:
    """Return a text as it stands between two tags."""
    return escape(text, quote=False)


def xml_attribute(text: str) -> str:
    """Return a text as an attribute's value, with its quotes."""
    return f'"{xml_escaped(text).replace(chr(34), "&quot;")}"'
