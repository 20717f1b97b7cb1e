"""The search index: each word, and the rows in which it stands."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.archive.search_index import (
    MAX_TEXT,
    Search,
    changed_search_index,
    search_index,
    search_index_in_worker,
    words_of,
)
from tests.support.archives import sample_archive


def lines(texts: list[str]) -> list[str]:
    script = search_index(texts).decode("ascii")
    told: str = json.loads(script.removeprefix("globalThis.reportText=").removesuffix(";\n"))
    return told.split("\n") if told else []


def read(texts: list[str]) -> dict[str, list[int]]:
    """Read the index as the page's script does."""
    found: dict[str, list[int]] = {}
    for line in lines(texts):
        word, *runs = line.split(" ")
        at = 0
        rows: list[int] = []
        for run in runs:
            gap, _, more = run.partition("+")
            at += int(gap, 36)
            end = at + int(more or "0", 36)
            rows += range(at, end + 1)
            at = end + 1
        found[word] = rows
    return found


def test_words_have_one_spelling() -> None:
    assert words_of("Coup\u00e9, C-Class $24,350 \u212b") == {"coupe", "c", "class", "24350", "a"}


def test_a_lone_surrogate_and_a_word_without_end_do_no_harm() -> None:
    assert read(["a\ud800b " + "x" * 10_000]) == {"ab": [0]}


@given(st.lists(st.text(alphabet="abc\u00e9\U0001d7d8 ,1", max_size=30), max_size=60))
def test_every_word_leads_to_all_of_its_rows_and_to_no_other(texts: list[str]) -> None:
    found = read(texts)
    expected: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        for word in words_of(text):
            expected.setdefault(word, []).append(row)
    assert found == expected


WORDS = st.text(alphabet="abc\u00e9\U0001d7d8\uffe9 ,1", max_size=12)


@given(st.lists(WORDS, min_size=10, max_size=40), st.data())
def test_an_index_that_follows_changes_is_the_one_that_is_made_anew(before: list[str], data: st.DataObject) -> None:
    texts = list(before)
    for row in data.draw(st.lists(st.integers(0, len(before) - 1), max_size=len(before) // 10)):
        texts[row] = data.draw(WORDS)
    assert changed_search_index(search_index(before), before, texts) == search_index(texts)


def test_an_index_of_which_much_has_changed_is_made_anew() -> None:
    before = [f"word{row}" for row in range(20)]
    assert changed_search_index(search_index(before), before, ["another"] * 3 + before[3:]) is None


@pytest.mark.parametrize("script", [b"", b"<html>", b"globalThis.reportText={};\n", b'globalThis.reportText="\xff'])
def test_what_is_no_search_index_is_not_followed(script: bytes) -> None:
    with pytest.raises((ValueError, TypeError), match=r"index|ascii|Expecting"):
        changed_search_index(script, ["a"] * 20, ["b"] + ["a"] * 19)


@given(st.lists(st.text(max_size=20), max_size=20))
def test_lines_stand_in_the_order_in_which_a_script_compares_them(texts: list[str]) -> None:
    words = [line.split(" ")[0].encode("utf-16-be") for line in lines(texts)]
    assert words == sorted(words)


def test_reference_vin_description_and_the_reports_text_are_found() -> None:
    archive = sample_archive(3)
    found = read(list(Search.of(archive).texts))
    vehicle = archive.vehicles[1]
    assert vehicle.vin is not None
    assert vehicle.make is not None
    assert found[vehicle.vin.lower()] == [1]
    assert found[vehicle.reference.lower()] == [1]
    assert 1 in found[vehicle.make.lower().split("-")[0]]
    assert found["valuation"] == [0, 1, 2]


def test_its_name_changes_with_any_text_and_with_nothing_else() -> None:
    archive = sample_archive(3)
    first, *others = archive.vehicles
    other_text = replace(archive, vehicles=(replace(first, text=first.text + " more"), *others))
    other_values = replace(archive, vehicles=(replace(first, mileage=1), *others), title="another")
    assert Search.of(archive).path == Search.of(other_values).path
    assert Search.of(archive).path != Search.of(other_text).path


def test_a_huge_report_is_cut() -> None:
    archive = sample_archive(1)
    huge = replace(archive.vehicles[0], text="word " * MAX_TEXT)
    assert len(Search.of(replace(archive, vehicles=(huge,))).texts[0]) < MAX_TEXT + 200


def test_a_worker_makes_the_same() -> None:
    texts = list(Search.of(sample_archive(5)).texts)
    assert search_index_in_worker(texts).encode() == search_index(texts)
