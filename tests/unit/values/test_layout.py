"""Letters' places, asked of pdfium by plain addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pypdfium2
import pytest
from reportlab.pdfgen.canvas import Canvas

from jdp_scraper.values.layout import lines_of
from tests.unit.pdf.reports import drawn


@pytest.fixture
def text_page() -> Iterator[Any]:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(200, 700, "$21,450")
        canvas.drawString(60, 700, "Clean Retail")
        canvas.drawString(60, 680, "x")

    document = pypdfium2.PdfDocument(drawn(draw))
    page = document[0]
    text_page = page.get_textpage()
    yield text_page
    text_page.close()
    page.close()
    document.close()


def test_cells_stand_where_pdfium_says_that_their_first_and_last_letters_do(text_page: Any) -> None:
    text = text_page.get_text_range()
    first, second = lines_of(text_page, text)
    assert (first.text, second.text) == ("Clean Retail $21,450", "x")
    for cell, told in zip(first.cells, ("Clean Retail", "$21,450"), strict=True):
        at = text.index(told)
        left, bottom, _, top = text_page.get_charbox(at, loose=True)
        right = text_page.get_charbox(at + len(told) - 1, loose=True)[2]
        assert (cell.left, cell.right) == pytest.approx((left, right))
        assert (first.bottom, first.top) == pytest.approx((bottom, top))
        assert first.text[cell.start : cell.end] == told
    assert [first.cell_at(place) for place in (0, 12, 13, 19)] == [0, 0, 1, 1]


def test_a_page_without_words_has_no_lines(text_page: Any) -> None:
    assert lines_of(text_page, " " * text_page.count_chars()) == []
