"""Where settings come from, and what is said of one that cannot be used."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from jdp_scraper.errors import SettingsError
from jdp_scraper.settings import Settings, load_settings, read_settings

SECRET = "tr0ub4dor&3"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and none of the settings in the environment."""
    monkeypatch.chdir(tmp_path)
    names = {name.upper() for name in Settings.model_fields}
    for name in [name for name in os.environ if name.upper() in names]:
        monkeypatch.delenv(name)
    return tmp_path


def write_env(folder: Path, text: str, encoding: str = "utf-8") -> None:
    (folder / ".env").write_text(text, encoding=encoding)


def refused(**given: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(given)
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings()
    assert (settings.portal, settings.concurrent_contexts, settings.max_downloads) == ("jdpower", 5, 0)
    assert settings.headless and settings.block_resources
    assert settings.download_folder == Path("downloads")
    assert settings.browser_path is None


def test_an_option_overrides_the_environment_overrides_the_file_overrides_the_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_env(folder, "MAX_DOWNLOADS=1\nMAX_RETRIES=1\nCONCURRENT_CONTEXTS=1\n")
    monkeypatch.setenv("MAX_DOWNLOADS", "2")
    monkeypatch.setenv("MAX_RETRIES", "3")
    settings = load_settings({"max_downloads": 4})
    assert (settings.max_downloads, settings.max_retries, settings.concurrent_contexts) == (4, 3, 1)
    assert settings.stop_wait_s == 5


def test_an_option_that_was_not_given_overrides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_DOWNLOADS", "2")
    assert load_settings({"max_downloads": None}).max_downloads == 2


def test_an_option_that_says_false_or_zero_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_DOWNLOADS", "2")
    monkeypatch.setenv("HEADLESS", "true")
    settings = load_settings({"max_downloads": 0, "headless": False})
    assert (settings.max_downloads, settings.headless) == (0, False)


def test_names_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("max_downloads", "9")
    assert load_settings().max_downloads == 9


@pytest.mark.parametrize("where", ["file", "environment"])
def test_an_empty_value_is_as_unset(where: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name.upper() for name in Settings.model_fields]
    if where == "file":
        write_env(folder, "".join(f"{name}=\n" for name in names))
    else:
        for name in names:
            monkeypatch.setenv(name, "")
    assert load_settings() == Settings.model_construct()


def test_an_empty_value_in_the_environment_leaves_the_file_its_say(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_env(folder, "JD_USER=from the file\n")
    monkeypatch.setenv("JD_USER", "")
    assert load_settings().jd_user == "from the file"


def test_the_file_may_hold_names_of_others(folder: Path) -> None:
    write_env(folder, "SOMETHING_ELSE=1\nMAX_DOWNLOADS=3\n")
    assert load_settings().max_downloads == 3


def test_the_file_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    write_env(folder, "MAX_DOWNLOADS=3\n", encoding="utf-8-sig")
    assert load_settings().max_downloads == 3


def test_a_file_that_is_no_utf8_is_one_line(folder: Path) -> None:
    (folder / ".env").write_bytes(b"JD_USER=J\xfcrgen\n")
    assert refused().startswith("settings: .env is not UTF-8 text")


BAD = [
    ("HEADLESS", "maybe"),
    ("BLOCK_RESOURCES", "2"),
    ("MAX_DOWNLOADS", "-1"),
    ("MAX_DOWNLOADS", "ten"),
    ("MAX_DOWNLOADS", "1.5"),
    ("CONCURRENT_CONTEXTS", "0"),
    ("CONCURRENT_CONTEXTS", "65"),
    ("TASK_TIMEOUT_S", "0.5"),
    ("TASK_TIMEOUT_S", "nan"),
    ("STEP_TIMEOUT_S", "0"),
    ("STEP_TIMEOUT_S", "soon"),
    ("MAX_RETRIES", "-1"),
    ("MAX_RETRIES", "101"),
    ("RETRY_WAIT_S", "-0.1"),
    ("LOCK_WAIT_S", "-1"),
    ("STOP_WAIT_S", "-1"),
    ("BROWSER_SANDBOX", "perhaps"),
    ("LOG_LEVEL", "loud"),
    ("PORTAL_URL", "portal.example"),
    ("PORTAL_URL", "ftp://portal.example"),
    ("PORTAL_URL", "https://"),
    ("PORTAL_URL", "https://portal.example/app"),
    ("PORTAL_URL", "https://portal.example?x=1"),
    ("PORTAL_URL", "http://[::1"),
    ("PORTAL_URL", "http://portal.example"),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=str)
def test_a_bad_value_is_one_line_that_names_the_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    line = refused()
    assert line.startswith(f"settings: {name} ")
    assert repr(value) in line
    assert "\n" not in line
    assert "docs/settings.md" in line


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("HEADLESS", "maybe", "true or false"),
        ("MAX_DOWNLOADS", "ten", "a whole number of at least 0"),
        ("MAX_DOWNLOADS", "1.5", "a whole number of at least 0"),
        ("CONCURRENT_CONTEXTS", "0", "a whole number from 1 to 64"),
        ("STEP_TIMEOUT_S", "0.5", "a number of at least 1"),
        ("LOCK_WAIT_S", "soon", "a number of at least 0"),
        ("RETRY_WAIT_S", "inf", "a number of at least 0"),
    ],
)
def test_whichever_way_a_value_is_bad_it_is_said_what_is_expected(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert refused() == f"settings: {name} {value!r} must be {expected}; see docs/settings.md"


def test_a_bad_value_of_an_option_is_told_by_the_option_s_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCURRENT_CONTEXTS", "3")
    monkeypatch.setenv("MAX_RETRIES", "often")
    line = refused(concurrent_contexts="many")
    assert "--pages 'many' must be" in line and "MAX_RETRIES 'often' must be" in line
    assert "CONCURRENT_CONTEXTS" not in line


def test_what_can_be_used_is_read_although_other_values_are_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_RETRIES", "often")
    monkeypatch.setenv("MAX_DOWNLOADS", "4")
    settings, faults = read_settings({"portal_url": "nowhere", "concurrent_contexts": "3"})
    assert (settings.max_retries, settings.portal_url) == (2, "")
    assert (settings.max_downloads, settings.concurrent_contexts) == (4, 3)
    assert set(faults) == {"max_retries", "portal_url"}


@pytest.mark.parametrize("name", ["TASK_TIMEOUT_S", "STEP_TIMEOUT_S"])
def test_a_time_without_end_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "inf")
    assert name in refused()


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADLESS", "maybe")
    monkeypatch.setenv("MAX_RETRIES", "many")
    line = refused()
    assert "HEADLESS 'maybe'" in line and "MAX_RETRIES 'many'" in line


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://portal.example", "https://portal.example"),
        ("https://portal.example/", "https://portal.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("HTTPS://portal.example:8443", "https://portal.example:8443"),
    ],
)
def test_the_portal_s_address_is_taken_as_an_origin(given: str, origin: str) -> None:
    assert load_settings({"portal_url": given}).portal_url == origin


@pytest.mark.parametrize("given", ["http://127.0.0.1:eighty", "http://127.0.0.1:99999", "https://me:pw@portal.example"])
def test_a_portal_s_address_that_no_request_can_go_to_is_refused(given: str) -> None:
    assert refused(portal_url=given).startswith(f"settings: --portal-url {given!r} is no origin")


@pytest.mark.parametrize(("given", "level"), [("DEBUG", "debug"), ("Warning", "warning")])
def test_words_are_read_in_any_case(given: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", given)
    monkeypatch.setenv("BROWSER_SANDBOX", "OFF")
    settings = load_settings()
    assert (settings.log_level, settings.browser_sandbox) == (level, "off")


def test_the_password_shows_in_no_text_of_the_settings(folder: Path) -> None:
    write_env(folder, f"JD_PASS='{SECRET}'\n")
    settings = load_settings()
    assert settings.jd_pass.get_secret_value() == SECRET
    for text in (repr(settings), str(settings), f"{settings}", str(settings.model_dump()), settings.model_dump_json()):
        assert SECRET not in text


def test_the_password_shows_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JD_PASS", SECRET)
    monkeypatch.setenv("HEADLESS", "maybe")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_password_of_a_wrong_kind_is_named_without_its_value() -> None:
    line = refused(jd_pass=8675309)
    assert "JD_PASS" in line
    assert "8675309" not in line


def test_settings_do_not_change() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.max_downloads = 7  # type: ignore[misc]


def test_missing_credentials_are_named() -> None:
    load_settings({"jd_user": "me", "jd_pass": SecretStr("pw")}).require_credentials()
    for given, missing in (
        ({}, "JD_USER and JD_PASS not set"),
        ({"jd_user": "me"}, "JD_PASS not set"),
        ({"jd_pass": "pw"}, "JD_USER not set"),
    ):
        with pytest.raises(SettingsError, match=f"^{missing}"):
            load_settings(given).require_credentials()


@pytest.mark.parametrize(
    ("setting", "at_terminal", "seconds"), [(None, True, 330), (None, False, 0), (0, True, 0), (7, False, 7)]
)
def test_how_long_to_wait_for_an_account_in_use(setting: float | None, at_terminal: bool, seconds: float) -> None:
    assert load_settings({"lock_wait_s": setting}).lock_wait(at_terminal=at_terminal) == seconds


def test_the_hard_cap_is_five_times_the_time_of_silence() -> None:
    assert load_settings({"task_timeout_s": 10}).hard_cap_s == 50
