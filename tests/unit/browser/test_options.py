"""How the browser is asked to start."""

from __future__ import annotations

import pytest

from jdp_scraper import system
from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.session import first_line


def test_nothing_is_blocked_unless_asked() -> None:
    flags = " ".join(BrowserOptions().flags())
    assert "imagesEnabled" not in flags and "remote-fonts" not in flags and "host-resolver" not in flags


def test_what_is_blocked_is_blocked_by_the_browser_s_own_means() -> None:
    flags = BrowserOptions(block_images=True, block_fonts=True, blocked_hosts=("*.ads.example", "b.example")).flags()
    assert "--blink-settings=imagesEnabled=false" in flags
    assert "--disable-remote-fonts" in flags
    assert "--host-resolver-rules=MAP *.ads.example ~NOTFOUND, MAP b.example ~NOTFOUND" in flags


def test_flags_of_the_caller_are_added() -> None:
    assert "--mine" in BrowserOptions(extra_flags=("--mine",)).flags()


def test_flags_of_the_caller_come_last_so_that_they_hold() -> None:
    assert BrowserOptions(extra_flags=("--renderer-process-limit=9",)).flags()[-1] == "--renderer-process-limit=9"


@pytest.mark.parametrize(("pages", "processes"), [(1, 2), (2, 2), (5, 2), (10, 4), (16, 6)])
def test_pages_share_processes(pages: int, processes: int) -> None:
    assert f"--renderer-process-limit={processes}" in BrowserOptions(pages=pages).flags()


def test_only_a_browser_that_nobody_sees_goes_without_graphics() -> None:
    assert "--disable-gpu" in BrowserOptions().flags()
    assert "--disable-gpu" not in BrowserOptions(headless=False).flags()


@pytest.mark.parametrize(
    ("setting", "root", "on"),
    [("auto", True, False), ("auto", False, True), ("on", True, True), ("off", False, False)],
)
def test_the_sandbox_is_off_only_for_root_or_at_the_user_s_word(
    setting: str, root: bool, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "is_root", lambda: root)
    assert BrowserOptions(sandbox=setting).use_sandbox is on


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("Page.goto: net::ERR_ABORTED at http://x\nCall log:\n  - there", "net::ERR_ABORTED at http://x"),
        ("Target page has been closed", "Target page has been closed"),
        ("", "RuntimeError"),
    ],
)
def test_an_error_s_first_line_is_told_without_the_call_that_met_it(message: str, line: str) -> None:
    assert first_line(RuntimeError(message)) == line
