"""Letters and digits that are drawn as marks at a number, as a page shows them and no text does."""

from __future__ import annotations

from collections.abc import Callable

import pypdfium2
import pytest
from reportlab.pdfgen.canvas import Canvas

from jdp_scraper.pdf.plain_text import UNREADABLE
from jdp_scraper.pdf.raised import boxes, without_raised

from .reports import drawn

FONT = "Helvetica"


def read(draw: Callable[[Canvas], None]) -> str:
    document = pypdfium2.PdfDocument(drawn(draw))
    page = document[0]
    text_page = page.get_textpage()
    try:
        return without_raised(text_page, text_page.get_text_range())
    finally:
        text_page.close()
        page.close()
        document.close()


def pieces(*told: tuple[str, float, float], font: str = FONT) -> Callable[[Canvas], None]:
    """Draw texts one behind the other, each with its size and how far it is raised."""

    def draw(canvas: Canvas) -> None:
        x = 72.0
        for text, size, rise in told:
            canvas.setFont(font, size)
            canvas.drawString(x, 700 + rise, text)
            x += canvas.stringWidth(text, font, size)

    return draw


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ([("Stock #: 165530", 10, 0), ("1", 6, 3.5)], "Stock #: 165530?"),
        ([("Stock #: 165530", 10, 0), ("1", 8.3, 3)], "Stock #: 165530?"),
        ([("Stock #: 165530", 10, 0), ("1", 6, 0)], "Stock #: 165530?"),
        ([("Stock #: 165530", 10, 0), ("1", 10, 3)], "Stock #: 165530?"),
        ([("Stock #: 165530", 10, 0), ("a", 6, -2)], "Stock #: 165530?"),
        ([("Stock #: ", 10, 0), ("1", 6, 3.5), ("165530", 10, 0)], "Stock #: ?165530"),
        ([("$20,000", 10, 0), ("50", 6, 3.5)], "$20,000??"),
        ([("45000", 10, 0), ("1", 6, 3.5), (" miles", 10, 0)], "45000? miles"),
        ([("$", 6, 3.5), ("20,000", 10, 0)], "$20,000"),
        ([("Stock #:", 8, 0), ("165530", 12, 0)], "Stock #:165530"),
        ([("Stock #:", 12, 0), ("165530", 8, 0)], "Stock #:165530"),
        ([("VIN: 1FTEW1E50", 10, 0), ("LFA12345", 14, 0)], "VIN: 1FTEW1E50LFA12345"),
        ([("F", 10, 0), ("ord", 8, 0)], "Ford"),
        ([("165530 ", 10, 0), ("1 of 2", 6, 3)], "165530 1 of 2"),
    ],
)
def test_what_is_drawn_smaller_or_off_the_line_of_a_number_is_no_part_of_it(
    told: list[tuple[str, float, float]], text: str
) -> None:
    assert " ".join(read(pieces(*told)).split()) == text.replace("?", UNREADABLE)


@pytest.mark.parametrize("font", ["Helvetica", "Times-Roman", "Courier-Bold"])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_a_text_of_one_size_is_read_as_it_stands_however_it_is_turned(font: str, angle: int) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.translate(300, 400)
        canvas.rotate(angle)
        pieces(("Stock 165530-AB,1.j|", 10, 0), font=font)(_Moved(canvas))

    assert "165530-AB,1.j|" in read(draw)


class _Moved:
    """A canvas on which pieces stand around its origin."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.setFont, self.stringWidth = canvas.setFont, canvas.stringWidth

    def drawString(self, x: float, y: float, text: str) -> None:  # noqa: N802 - reportlab's name
        self._canvas.drawString(x - 72, y - 700, text)


def test_a_word_that_is_broken_over_two_lines_is_read_whole() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "This is a long line of words, and 165-")
        canvas.drawString(72, 688, "530 is what follows on the next line")

    assert UNREADABLE not in read(draw)


def test_a_text_that_leaves_characters_out_is_marked_in_the_right_place(monkeypatch: pytest.MonkeyPatch) -> None:
    document = pypdfium2.PdfDocument(drawn(pieces(("Stock #: 165530", 10, 0), ("1", 6, 3.5))))
    text_page = document[0].get_textpage()
    monkeypatch.setattr(text_page, "count_chars", lambda: 99)
    assert without_raised(text_page, text_page.get_text_range()) == f"Stock #: 165530{UNREADABLE}"
    assert boxes(text_page, [-1, 999]) == [(0.0, 0.0, 0.0, 0.0)] * 2
    document.close()
