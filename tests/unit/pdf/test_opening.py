"""A file is read whole, whatever its length was told to be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jdp_scraper.pdf import whole
from jdp_scraper.pdf.opening import Refused, load

CONTENT = b"%PDF-1.4\n" + b"x" * 5_000 + b"\n%%EOF\n"


@pytest.mark.parametrize("told", [0, 100, len(CONTENT), len(CONTENT) + 100])
def test_a_file_that_grows_or_shrinks_while_it_is_opened_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: int
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(CONTENT)
    size = os.stat_result((0, 0, 0, 0, 0, 0, told, 0, 0, 0))
    monkeypatch.setattr(os, "fstat", lambda _: size)
    assert load(path) == CONTENT


@pytest.mark.parametrize("more", [0, 1, 100])
def test_a_file_is_refused_from_one_byte_too_many_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(whole, "MAX_BYTES", len(CONTENT))
    path = tmp_path / "a.pdf"
    path.write_bytes(CONTENT + b" " * more)
    if not more:
        assert load(path) == CONTENT
        return
    with pytest.raises(Refused, match="larger than"):
        load(path)
