"""Find a browser that can be launched: the one set, Playwright's own, or one of the system's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jdp_scraper import system
from jdp_scraper.errors import BrowserMissing, SettingsError

HOW_TO_GET_ONE = (
    "no browser was found: run 'playwright install chromium' (on Debian: apt-get install chromium-headless-shell), "
    "install Chrome, or set BROWSER_PATH to a browser's program"
)

_SHELLS = ("chromium-headless-shell", "chrome-headless-shell", "headless_shell")
_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
_MAC_APPLICATIONS = ("Chromium", "Google Chrome", "Microsoft Edge")
_WINDOWS_PROGRAMS = (
    r"Google\Chrome\Application\chrome.exe",
    r"Chromium\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
)


@dataclass(frozen=True, slots=True)
class FoundBrowser:
    """A browser's program, and where it comes from in words."""

    program: Path
    source: str


def find_browser(setting: Path | None, headless: bool, playwright_chromium: Path) -> FoundBrowser:
    """Return the browser to launch: the setting's, else Playwright's own, else the system's.

    ``playwright_chromium`` is the path at which Playwright would look for its Chromium, there or not. A headless run
    takes the headless shell where there is one, since it is the fastest. Raises ``SettingsError`` for a setting that
    names no program, ``BrowserMissing`` where nothing is found.
    """
    if setting is not None:
        if not _is_program(setting):
            raise SettingsError(f"BROWSER_PATH {str(setting)!r} is no program: correct it or leave it empty")
        return FoundBrowser(setting, "BROWSER_PATH")
    found = next(_candidates(headless, playwright_chromium, os.environ), None)
    if found is None:
        raise BrowserMissing(HOW_TO_GET_ONE)
    return found


def _candidates(headless: bool, playwright_chromium: Path, environ: Mapping[str, str]) -> Iterator[FoundBrowser]:
    if headless:
        for program in _playwright_shells(playwright_chromium):
            yield FoundBrowser(program, "Playwright's headless shell")
    if _is_program(playwright_chromium):
        yield FoundBrowser(playwright_chromium, "Playwright's Chromium")
    for name in (*(_SHELLS if headless else ()), *_BROWSERS):
        if path := shutil.which(name, path=environ.get("PATH")):
            yield FoundBrowser(Path(path), "the system's")
    for program in _application_paths(environ):
        if _is_program(program):
            yield FoundBrowser(program, "the system's")


def _playwright_shells(playwright_chromium: Path) -> Iterator[Path]:
    """Playwright keeps its shell beside its Chromium: ``<root>/chromium_headless_shell-<same build>/*/<program>``."""
    for folder in playwright_chromium.parents:
        kind, dash, build = folder.name.partition("-")
        if kind == "chromium" and dash:
            for name in _SHELLS:
                yield from filter(_is_program, folder.parent.glob(f"chromium_headless_shell-{build}/*/{name}*"))
            return


def _application_paths(environ: Mapping[str, str]) -> Iterator[Path]:
    if system.MAC:
        for name in _MAC_APPLICATIONS:
            yield Path("/Applications") / f"{name}.app" / "Contents" / "MacOS" / name
    if system.WINDOWS:
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            for program in _WINDOWS_PROGRAMS if environ.get(variable) else ():
                yield Path(environ[variable]) / program


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
