"""The short ways of ``plain`` come to the same as its long one."""

from __future__ import annotations

import itertools
import random
import unicodedata

import pytest

from jdp_scraper.pdf.plain_text import has_marks, plain

# Of each kind that is spelled in another way, hidden, or not at all.
LETTERS = "aZ9-# \t\r\n\x00\x02\x1c\x7f\x85\xa0\xad\u0301\u200b\u200e\u2028"
LETTERS += "\u00b9\u2082\u2460\u2122\u3000\ufb01\ufffe\uff21\u00b4\u00e9\ud800\U000e0001"


def is_mark(character: str) -> bool:
    return unicodedata.decomposition(character).split(" ")[0] in {"<super>", "<sub>", "<circle>"}


def fold(text: str) -> str:
    parts = ("".join(group) for _, group in itertools.groupby(text, is_mark))
    return "".join(part if is_mark(part[0]) else unicodedata.normalize("NFKC", part) for part in parts)


def slow(text: str) -> str:
    folded = fold(text.replace("\ufffe", "-").replace("\x02", "-"))
    seen = (c for c in folded if c.isspace() or unicodedata.category(c) not in {"Cf", "Cc", "Cs", "Cn"})
    return " ".join(fold("".join(seen)).split())


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


@pytest.mark.parametrize("mark", ["\u00b9", "\u00b2", "\u2074", "\u2081", "\u00aa", "\u2460", "\ufffd"])
def test_a_footnote_s_mark_is_no_digit_and_no_letter(mark: str) -> None:
    assert plain(f"165530{mark} \uff11") == f"165530{mark} 1"
    assert plain(plain(f"165530{mark}")) == plain(f"165530{mark}")
    assert has_marks(f"165530{mark}")


@pytest.mark.parametrize("text", ["165530", "F-150\u2122", "caf\u00e9 \u00ae", "\u2116 1", ""])
def test_a_text_without_a_footnote_s_mark(text: str) -> None:
    assert not has_marks(plain(text))
