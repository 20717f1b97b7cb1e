"""The lines at the end of a start say what they count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.report_text import report_lines
from jdp_scraper.run_report import RunReport


def line(name: str, **values: Any) -> str | None:
    """Return what the report of a start with these counts says under a name."""
    report = RunReport(RunFolder(Path("downloads/2026-11-22")), begun=True, seconds=60.0, **values)
    return next((text[13:] for text in report_lines(report) if text[2:13].rstrip() == name), None)


def test_a_start_without_a_run_folder_has_no_report() -> None:
    assert list(report_lines(RunReport())) == []
    assert list(report_lines(RunReport(RunFolder(Path("downloads/2026-11-22"))))) == []


def test_pages_are_told_where_any_was_opened_anew() -> None:
    assert line("pages") is None
    assert line("pages", pages_replaced=2) == "2 closed and opened anew, as an attempt on them had failed"


def test_what_a_start_was_not_asked_for_is_told_as_left() -> None:
    assert line("vehicles", wanted=2, done=2) == "2 wanted, 2 done, 0 failed, 0 left"
    assert line("vehicles", wanted=2, done=2, others_left=3) == (
        "2 wanted, 2 done, 0 failed, 0 left; others left of this run: 3"
    )


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"wanted": 3, "done": 3, "fetched": 3, "sign_ins": 1}, "1 sign-in, signed out"),
        ({"wanted": 3, "done": 3, "fetched": 3, "sign_ins": 2, "signed_out": False}, "2 sign-ins, NOT signed out"),
        ({"wanted": 3, "done": 3, "fetched": 1}, "no sign-in was needed, signed out"),
        ({"wanted": 3, "done": 2, "failed": {"1": "why"}}, "no sign-in was needed, signed out"),
        ({"wanted": 3, "done": 3}, "no sign-in was needed"),
        ({"wanted": 3, "done": 3, "signed_out": False}, "no sign-in was needed, NOT signed out"),
        ({"wanted": 3, "done": 2}, "no sign-in"),
    ],
)
def test_the_session_is_told_as_it_was(counts: dict[str, Any], text: str) -> None:
    assert line("session", **counts) == text
