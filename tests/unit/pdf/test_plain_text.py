"""The short ways of ``plain`` come to the same as its long one."""

from __future__ import annotations

import random
import unicodedata

import pytest

from jdp_scraper.pdf.plain_text import plain

# Of each kind that is spelled in another way, hidden, or not at all.
LETTERS = "aZ9-# \t\r\n\x00\x02\x1c\x7f\x85\xa0\xad\u0301\u200b\u200e\u2028"
LETTERS += "\u3000\ufb01\ufffe\uff21\u00b4\u00e9\ud800\U000e0001"


def slow(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text.replace("\ufffe", "-").replace("\x02", "-"))
    seen = (c for c in folded if c.isspace() or unicodedata.category(c) not in {"Cf", "Cc", "Cs", "Cn"})
    return " ".join(unicodedata.normalize("NFKC", "".join(seen)).split())


@pytest.mark.parametrize(
    "letters", [LETTERS[:8], LETTERS[:13], "".join(c for c in LETTERS if c.isprintable()), LETTERS]
)
def test_every_text_is_spelled_as_letter_by_letter(letters: str) -> None:
    source = random.Random(1)
    for _ in range(2_000):
        text = "".join(source.choices(letters, k=source.randint(0, 8)))
        assert plain(text) == slow(text), ascii(text)


def test_a_label_over_two_lines_of_a_pdf_is_one_text() -> None:
    assert plain("Stock\r\n Number\t1") == "Stock Number 1"
