"""The settings of one run: read once, typed, frozen, secrets masked.

A command-line option overrides the environment, the environment overrides ``.env``, that overrides the default. The
table in docs/settings.md and ``.env.example`` hold every name; a test compares the three.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from jdp_scraper.errors import SettingsError
from jdp_scraper.loopback import is_loopback
from jdp_scraper.system import usable_cpus

# The settings that have an option of their own, beside --headed, which can say no wrong value.
OPTIONS = {
    "max_downloads": "--max",
    "concurrent_contexts": "--pages",
    "portal": "--portal",
    "portal_url": "--portal-url",
    "download_folder": "--download-folder",
}
LOCK_WAIT_S = 330.0
HARD_CAP_FACTOR = 5
MOST_WORKERS = 8


class Settings(BaseSettings):
    """All settings; the field ``jd_user`` is the variable ``JD_USER`` and so on. Times are in seconds."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    jd_user: str = Field("", description="user name at the portal")
    jd_pass: SecretStr = Field(SecretStr(""), description="password at the portal; never printed, logged or written")
    portal: str = Field("jdpower", description="a built-in site profile's name or the path of a profile file")
    portal_url: str = Field("", description="another origin for the profile, for tests and proxies")
    headless: bool = Field(True, description="false shows the browser's window")
    block_resources: bool = Field(True, description="false loads pictures, fonts and all else the profile blocks")
    max_downloads: int = Field(0, ge=0, description="only the first n vehicles of the inventory; 0: all")
    concurrent_contexts: int = Field(5, ge=1, le=64, description="how many pages work at once in the one context")
    download_folder: Path = Field(Path("downloads"), description="where the run folders are made")
    task_timeout_s: float = Field(
        180, ge=1, allow_inf_nan=False, description="a vehicle may go this long without a sign of progress"
    )
    step_timeout_s: float = Field(30, ge=1, allow_inf_nan=False, description="one step on a page may take this long")
    max_retries: int = Field(2, ge=0, le=100, description="how often a failed vehicle is tried again")
    retry_wait_s: float = Field(
        2, ge=0, allow_inf_nan=False, description="first back-off before a vehicle is tried again; it doubles"
    )
    max_per_minute: int = Field(0, ge=0, description="vehicles begun a minute over all pages, evenly spaced; 0: off")
    portal_down_wait_s: float = Field(
        900, ge=0, allow_inf_nan=False, description="how long a failing portal is waited for without any report"
    )
    lock_wait_s: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="how long to wait for an account in use; default 330 at a terminal or for our own session, else 0",
    )
    stop_wait_s: float = Field(
        5, ge=0, allow_inf_nan=False, description="how long vehicles in hand may finish after Ctrl-C"
    )
    browser_path: Path | None = Field(None, description="the browser's program; default: found by itself")
    browser_sandbox: Literal["auto", "on", "off"] = Field(
        "auto", description="Chromium's sandbox; auto: off only for root, where it cannot work"
    )
    trace: Literal["off", "on-failure"] = Field(
        "off", description="on-failure: a vehicle that finally fails leaves a Playwright trace"
    )
    extract_values: bool = Field(True, description="false reads no values out of the PDFs after a run")
    extract_batch: int = Field(8, ge=1, le=256, description="PDFs whose values are being read at once")
    publish_archive: bool = Field(False, description="true builds the archive after each start that fetched reports")
    optimize_pdf: bool = Field(False, description="true shows smaller copies of the PDFs in the archive where it can")
    max_workers: int | None = Field(
        None, ge=1, le=64, description="worker processes at once; default: one a processor, at most 8"
    )
    parallel: bool = Field(True, description="false does everything that follows the run one after the other")
    parallel_assets: bool = Field(True, description="false makes the archive's pictures and copies one after the other")
    archive_url: str = Field(
        "http://localhost:8000/", description="the archive's address, for its sitemap and its feeds"
    )
    minify: bool = Field(True, description="false leaves the archive's styles and scripts as they are written")
    parallel_postprocess: bool = Field(
        True, description="false makes the archive's sitemap, feeds, search index and link check one after the other"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what goes into run.log")

    @field_validator("log_level", "browser_sandbox", "trace", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("portal_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        more = parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None
        if parts.scheme not in {"http", "https"} or not parts.hostname or more or not _has_good_port(parts):
            raise ValueError("is no origin; write it like https://portal.example or http://127.0.0.1:8000")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("must be https: reports are fetched over http from this machine only")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("archive_url")
    @classmethod
    def _folder_address(cls, value: str) -> str:
        parts = urlsplit(value)
        more = parts.query or parts.fragment or parts.username is not None or not value.isascii() or " " in value
        if parts.scheme not in {"http", "https"} or not parts.hostname or more or not _has_good_port(parts):
            raise ValueError("is no address of a folder; write it like https://cars.example/values/")
        return value if value.endswith("/") else f"{value}/"

    @property
    def workers(self) -> int:
        """How many worker processes may be at work at once."""
        return self.max_workers or min(MOST_WORKERS, usable_cpus())

    @property
    def hard_cap_s(self) -> float:
        """The longest that one attempt at a vehicle may take, whatever its progress."""
        return self.task_timeout_s * HARD_CAP_FACTOR

    def lock_wait(self, *, at_terminal: bool) -> float:
        """Return how long to wait for an account that somebody else uses, in seconds."""
        if self.lock_wait_s is not None:
            return self.lock_wait_s
        return LOCK_WAIT_S if at_terminal else 0.0

    @property
    def own_lock_wait(self) -> float:
        """How long to wait for an account that a lost session of this program keeps in use, in seconds."""
        return LOCK_WAIT_S if self.lock_wait_s is None else self.lock_wait_s

    def require_credentials(self) -> None:
        """Raise ``SettingsError`` where the user name or the password is missing."""
        missing = [
            name
            for name, value in (("JD_USER", self.jd_user), ("JD_PASS", self.jd_pass.get_secret_value()))
            if not value
        ]
        if missing:
            raise SettingsError(
                f"{' and '.join(missing)} not set: put them into .env (see .env.example), or start a run with --demo"
            )


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings; ``overrides`` are command-line options by field name, ``None`` where not given.

    Raises ``SettingsError`` with one line that names every bad value.
    """
    settings, faults = read_settings(overrides)
    if faults:
        raise bad_values(faults)
    return settings


def bad_values(faults: Mapping[str, str]) -> SettingsError:
    """Return the error that names all of what ``read_settings`` found wrong."""
    return SettingsError(f"settings: {'; '.join(faults.values())}; see docs/settings.md")


def read_settings(overrides: Mapping[str, Any] | None = None) -> tuple[Settings, dict[str, str]]:
    """Read the settings with the default in place of each bad value, and what is wrong with those, by field name.

    Raises ``SettingsError`` where ``.env`` cannot be read at all.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return Settings(**given), {}
    except ValidationError as error:
        bad = error.errors(include_input=True, include_url=False)
        faults = {str(fault["loc"][0]): _fault(fault, given) for fault in bad}
        return Settings(**given | {name: Settings.model_fields[name].default for name in faults}), faults
    except UnicodeDecodeError as error:
        raise SettingsError(f"settings: .env is not UTF-8 text ({error.reason} at byte {error.start})") from None


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _fault(fault: Any, given: Mapping[str, Any]) -> str:
    field = str(fault["loc"][0])
    name = OPTIONS[field] if field in given and field in OPTIONS else field.upper()
    message = _expected(field) or str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    shown = field != "jd_pass" and isinstance(fault.get("input"), (str, int, float))
    return f"{name} {fault['input']!r} {message}" if shown else f"{name} {message}"


def _expected(name: str) -> str | None:
    """Return what a number or a yes-or-no setting must be, in full, whichever part of it a value has missed."""
    field = Settings.model_fields[name]
    if field.annotation is bool:
        return "must be true or false"
    if field.annotation not in (int, int | None, float, float | None):
        return None
    kind = "a whole number" if field.annotation in (int, int | None) else "a number"
    least = next(one.ge for one in field.metadata if hasattr(one, "ge"))
    most = next((one.le for one in field.metadata if hasattr(one, "le")), None)
    return f"must be {kind} " + (f"of at least {least}" if most is None else f"from {least} to {most}")
