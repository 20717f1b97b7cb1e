"""Whether a text shows a reference: as a whole word, never as a part of a longer one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jdp_scraper.portal.vehicle_page import shows

TOKENS = st.from_regex(r"[A-Z0-9]{1,8}(-[A-Z0-9]{1,4})?", fullmatch=True)
WORD = st.characters(categories=["Lu", "Ll", "Nd"], include_characters="_-")
AROUND = st.sampled_from(["", " ", "\n", "\t", ":", "#", "(", ")", ",", ".", ";", "/", "\u00a0", '"'])


@pytest.mark.parametrize(
    ("text", "token", "shown"),
    [
        ("Reference Number\n165530\nVIN", "165530", True),
        ("Stock #165530, blue", "165530", True),
        ("165530A", "165530", False),
        ("A165530", "165530", False),
        ("165530-1", "165530", False),
        ("165530_1", "165530", False),
        ("1165530", "165530", False),
        ("165530A and 165530", "165530", True),
        ("165530\u00c4", "165530", False),
        ("AB  12\n34", "AB 12 34", True),
        ("AB 12", " AB  12 ", True),
        ("a+b", "a+b", True),
        ("aab", "a+b", False),
        ("", "165530", False),
    ],
)
def test_a_reference_is_shown_as_a_whole_word(text: str, token: str, shown: bool) -> None:
    assert shows(text, token) is shown


@given(TOKENS, AROUND, AROUND, st.text())
def test_a_word_by_itself_is_found_wherever_it_stands(token: str, before: str, after: str, text: str) -> None:
    assert shows(f"{text} {before}{token}{after} {text}", token)


@given(TOKENS, st.text(WORD, max_size=3), st.text(WORD, max_size=3))
def test_a_part_of_a_longer_word_is_never_found(token: str, before: str, after: str) -> None:
    assume(before or after)
    text = f"{before}{token}{after}"
    assume(token not in text.replace(token, "", 1))
    assert not shows(text, token)
