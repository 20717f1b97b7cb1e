"""Which browser is taken, out of programs that are only names here."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdp_scraper import system
from jdp_scraper.browser.find import FoundBrowser, find_browser
from jdp_scraper.errors import BrowserMissing, SettingsError

pytestmark = pytest.mark.skipif(system.WINDOWS, reason="a program is told by its mode here")

NONE = Path("nowhere") / "chromium-1200" / "chrome-linux" / "chrome"


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder on PATH, empty at first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder in which Playwright keeps its browsers."""
    return tmp_path / "ms-playwright"


def chromium_of(store: Path, build: int = 1200) -> Path:
    return store / f"chromium-{build}" / "chrome-linux64" / "chrome"


def shell_of(store: Path, build: int = 1200, name: str = "chrome-headless-shell") -> Path:
    return store / f"chromium_headless_shell-{build}" / "chrome-headless-shell-linux64" / name


@pytest.mark.parametrize("headless", [True, False])
def test_the_setting_is_taken_before_anything_else(
    headless: bool, tmp_path: Path, store: Path, search_path: Path
) -> None:
    program(chromium_of(store))
    program(shell_of(store))
    program(search_path / "chromium")
    mine = program(tmp_path / "my browser")
    assert find_browser(mine, headless, chromium_of(store)) == FoundBrowser(mine, "BROWSER_PATH")


@pytest.mark.parametrize("kind", ["missing", "folder", "no program"])
def test_a_setting_that_names_no_program_is_told_even_where_others_are(
    kind: str, tmp_path: Path, search_path: Path
) -> None:
    program(search_path / "chromium")
    path = tmp_path / "browser"
    if kind == "folder":
        path.mkdir()
    elif kind == "no program":
        path.write_text("text")
        path.chmod(0o644)
    with pytest.raises(SettingsError, match="BROWSER_PATH") as caught:
        find_browser(path, True, NONE)
    assert str(path) in str(caught.value)


def test_headless_takes_the_shell_of_playwrights_own_build(store: Path, search_path: Path) -> None:
    program(chromium_of(store))
    program(search_path / "chromium-headless-shell")
    shell = program(shell_of(store))
    assert find_browser(None, True, chromium_of(store)).program == shell


def test_the_shell_is_taken_where_playwright_has_only_that(store: Path) -> None:
    shell = program(shell_of(store, name="headless_shell"))
    assert find_browser(None, True, chromium_of(store)).program == shell


def test_a_shell_of_another_build_is_left_alone(store: Path) -> None:
    program(shell_of(store, build=1100))
    chromium = program(chromium_of(store))
    assert find_browser(None, True, chromium).program == chromium


def test_headed_never_takes_a_shell(store: Path, search_path: Path) -> None:
    program(shell_of(store))
    program(search_path / "chromium-headless-shell")
    with pytest.raises(BrowserMissing):
        find_browser(None, False, chromium_of(store))
    chromium = program(chromium_of(store))
    assert find_browser(None, False, chromium).program == chromium


@pytest.mark.parametrize(
    ("headless", "there", "taken"),
    [
        (True, ["chromium", "chromium-headless-shell"], "chromium-headless-shell"),
        (False, ["chromium", "chromium-headless-shell"], "chromium"),
        (True, ["google-chrome", "headless_shell"], "headless_shell"),
        (True, ["google-chrome", "chromium-browser"], "chromium-browser"),
        (False, ["google-chrome", "microsoft-edge"], "google-chrome"),
        (True, ["microsoft-edge"], "microsoft-edge"),
        (False, ["microsoft-edge-stable"], "microsoft-edge-stable"),
    ],
)
def test_on_the_path_a_headless_run_prefers_a_shell_and_a_headed_one_chromium(
    headless: bool, there: list[str], taken: str, search_path: Path
) -> None:
    for name in there:
        program(search_path / name)
    assert find_browser(None, headless, NONE) == FoundBrowser(search_path / taken, "the system's")


def test_playwrights_chromium_comes_before_the_system_s(store: Path, search_path: Path) -> None:
    program(search_path / "chromium-headless-shell")
    chromium = program(chromium_of(store))
    assert find_browser(None, True, chromium) == FoundBrowser(chromium, "Playwright's Chromium")


@pytest.mark.parametrize("headless", [True, False])
def test_where_there_is_none_the_message_says_how_to_get_one(headless: bool) -> None:
    with pytest.raises(BrowserMissing) as caught:
        find_browser(None, headless, NONE)
    message = str(caught.value)
    assert "playwright install chromium" in message and "BROWSER_PATH" in message and "\n" not in message


def test_a_file_on_the_path_that_is_no_program_is_passed_over(search_path: Path) -> None:
    (search_path / "chromium").write_text("text")
    chrome = program(search_path / "google-chrome")
    assert find_browser(None, True, NONE).program == chrome
