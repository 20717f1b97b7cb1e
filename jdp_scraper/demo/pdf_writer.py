"""A writer of small PDF files that costs the server well under a millisecond a file."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .picture import Picture

PAGE_SIZE = (612, 792)
# Numbers of the objects that every file shares; pages and their contents follow.
_CATALOG, _PAGES, _PLAIN, _BOLD, _WIDE, _WIDE_PART, _WIDE_METRICS, _WIDE_MAP, _PICTURE = range(1, 10)

# Text outside cp1252 is written as UTF-16 units; this map gives each unit back, so that readers find the characters.
_TO_UNICODE = (
    b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Demo def /CMapType 2 def\n"
    b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    + b"".join(
        b"%d beginbfrange\n%bendbfrange\n"
        % (64, b"".join(b"<%02X00> <%02XFF> <%02X00>\n" % (high, high, high) for high in range(start, start + 64)))
        for start in range(0, 256, 64)
    )
    + b"endcmap end end"
)


@dataclass(frozen=True)
class Line:
    """A line of text; `x` and `y` in points from the lower left corner."""

    x: int
    y: int
    text: str
    size: int = 10
    bold: bool = False

    def drawn(self) -> bytes:
        """Give the page operators that write this line."""
        font, shown = (b"/F2" if self.bold else b"/F1"), _literal(self.text)
        if shown is None:
            font, shown = b"/F3", b"<" + self.text.encode("utf-16-be", "replace").hex().encode() + b">"
        return b"BT %b %d Tf %d %d Td %b Tj ET" % (font, self.size, self.x, self.y, shown)


class PdfWriter:
    """Writes files that share fonts and one picture; the shared part is made once."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def write(self, pages: Sequence[Sequence[Line]], script: str = "") -> bytes:
        """Write a PDF of one or more pages; the picture stands on the first, and a script runs when it is opened."""
        first = _PICTURE + 1
        kids = b" ".join(b"%d 0 R" % (first + 2 * place) for place in range(len(pages)))
        objects = list(self._shared)
        if script:
            action = b"/OpenAction << /S /JavaScript /JS %b >>" % (_literal(script) or b"()")
            objects[_CATALOG - 1] = b"<< /Type /Catalog /Pages %d 0 R %b >>" % (_PAGES, action)
        objects[_PAGES - 1] = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(pages))
        for place, lines in enumerate(pages):
            objects.append(self._page(first + 2 * place + 1))
            drawn = b"\n".join(line.drawn() for line in lines)
            objects.append(_stream(b"", (b"q 190 0 0 130 382 620 cm /P Do Q\n" if place == 0 else b"") + drawn))
        return _assemble(objects)

    def scan(self) -> bytes:
        """Write a PDF of one page that is nothing but the picture, as a scanner does."""
        contents, page = b"q 500 0 0 340 56 400 cm /P Do Q", _PICTURE + 1
        objects = [b"null"] * _PICTURE
        objects[_CATALOG - 1] = b"<< /Type /Catalog /Pages %d 0 R >>" % _PAGES
        objects[_PAGES - 1] = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % page
        objects[_PICTURE - 1] = self._shared[_PICTURE - 1]
        resources = b"/Resources << /XObject << /P %d 0 R >> >>" % _PICTURE
        objects.append(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R %b >>"
            % (_PAGES, *PAGE_SIZE, page + 1, resources)
        )
        return _assemble([*objects, _stream(b"", contents)])

    def _page(self, contents: int) -> bytes:
        fonts = b"/F1 %d 0 R /F2 %d 0 R /F3 %d 0 R" % (_PLAIN, _BOLD, _WIDE)
        return (
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
            b"/Resources << /Font << %b >> /XObject << /P %d 0 R >> >> >>"
            % (_PAGES, *PAGE_SIZE, contents, fonts, _PICTURE)
        )

    @cached_property
    def _shared(self) -> list[bytes]:
        simple = b"<< /Type /Font /Subtype /Type1 /BaseFont /%b /Encoding /WinAnsiEncoding >>"
        image = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 " % (
            self._picture.width,
            self._picture.height,
        )
        return [
            b"<< /Type /Catalog /Pages %d 0 R >>" % _PAGES,
            b"",
            simple % b"Helvetica",
            simple % b"Helvetica-Bold",
            b"<< /Type /Font /Subtype /Type0 /BaseFont /Arial /Encoding /Identity-H /DescendantFonts [%d 0 R] "
            b"/ToUnicode %d 0 R >>" % (_WIDE_PART, _WIDE_MAP),
            b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Arial /DW 600 /CIDToGIDMap /Identity "
            b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor %d 0 R >>"
            % _WIDE_METRICS,
            b"<< /Type /FontDescriptor /FontName /Arial /Flags 32 /FontBBox [0 -200 1000 900] /ItalicAngle 0 "
            b"/Ascent 900 /Descent -200 /CapHeight 700 /StemV 80 >>",
            _stream(b"/Filter /FlateDecode ", zlib.compress(_TO_UNICODE)),
            _stream(image + b"/Filter /FlateDecode ", zlib.compress(self._picture.pixels, 6)),
        ]


def _literal(text: str) -> bytes | None:
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        return None
    try:
        raw = text.encode("cp1252")
    except UnicodeEncodeError:
        return None
    return b"(" + raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") + b")"


def _stream(entries: bytes, body: bytes) -> bytes:
    return b"<< %b/Length %d >>\nstream\n%b\nendstream" % (entries, len(body), body)


def _assemble(objects: Sequence[bytes]) -> bytes:
    parts, places, at = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"], [], 15
    for number, body in enumerate(objects, start=1):
        places.append(at)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        at += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table))
    parts.append(b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, _CATALOG, at))
    return b"".join(parts)
