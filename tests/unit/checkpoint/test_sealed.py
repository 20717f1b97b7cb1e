from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.checkpoint.sealed import dump, read_sealed, seal, unseal

LINE = seal(7, dump({"kind": "task", "key": "165530A", "text": "caf\u00e9 \ud800 \u2028"}))


def test_a_sealed_line_says_what_was_sealed() -> None:
    entry = unseal(LINE.rstrip(b"\n"))
    assert entry is not None
    assert entry["seq"] == 7
    assert entry["text"] == "caf\u00e9 \ud800 \u2028"
    assert LINE.isascii()
    assert LINE.count(b"\n") == 1


@given(st.integers(0, len(LINE) - 2), st.integers(1, 255))
def test_a_flipped_byte_breaks_the_seal(place: int, flip: int) -> None:
    damaged = bytearray(LINE[:-1])
    damaged[place] ^= flip
    assert unseal(bytes(damaged)) is None


@given(st.binary(max_size=200))
def test_a_file_of_anything_is_read_without_an_error_and_told(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "journal"
    path.write_bytes(content)
    reading = read_sealed(path)
    assert reading.lines == {}
    assert reading.fault is not None


def test_a_good_last_line_without_its_end_is_kept_and_told(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(LINE + LINE[:-1])
    reading = read_sealed(tmp_path / "journal")
    assert list(reading.lines) == [7]
    assert reading.fault == "ends in a half-written line"
    assert not reading.must_be_kept


def test_what_cannot_be_read_is_told_and_not_raised(tmp_path: Path) -> None:
    assert read_sealed(tmp_path / "none").fault == "is missing"
    assert "cannot be read" in str(read_sealed(tmp_path).fault)
