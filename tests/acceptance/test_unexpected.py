"""A fault of the program is not hidden, and its lines tell no secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jdp_scraper import cli
from jdp_scraper.errors import ScraperError
from jdp_scraper.run import Run

PASSWORD = "p@ss\"w<rd&%41'"


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A run that fails in a way that nobody foresaw, as a call of Playwright's does with its arguments in its log."""

    async def execute(_: Run) -> None:
        raise KeyError("unforeseen") from RuntimeError(f"Locator.fill: failed\nCall log:\n  - fill({PASSWORD!r})")

    for name, value in {"JD_USER": "user", "JD_PASS": PASSWORD, "DEBUG": "pw:*"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Run, "execute", execute)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("faulty")
def test_an_unforeseen_error_is_told_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run"]) == ScraperError.exit_code
    said = capsys.readouterr()
    assert "error: unexpected KeyError" in said.err
    assert "fill('[removed]')" in said.err.replace("\\", "")
    assert "w<rd" not in said.err + said.out


@pytest.mark.usefixtures("faulty", "capsys")
def test_no_child_process_and_no_core_dump_gets_the_password() -> None:
    resource = pytest.importorskip("resource")
    cli.main(["run"])
    assert "JD_PASS" not in os.environ
    assert "DEBUG" not in os.environ
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


@pytest.mark.usefixtures("faulty", "capsys")
def test_a_password_in_small_letters_is_read_and_taken_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JD_PASS")
    monkeypatch.setenv("jd_pass", PASSWORD)
    assert cli.main(["run"]) == ScraperError.exit_code  # and not that of a missing password
    assert "jd_pass" not in os.environ
