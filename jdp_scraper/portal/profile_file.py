"""Read a site profile: a built-in one by its name, any other by its path."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jdp_scraper.errors import ProfileError
from jdp_scraper.portal.profile import SiteProfile

_BUILT_IN = resources.files("jdp_scraper.portal") / "profiles"


def built_in_names() -> list[str]:
    """Return the names of the built-in profiles."""
    return sorted(entry.name.removesuffix(".toml") for entry in _BUILT_IN.iterdir() if entry.name.endswith(".toml"))


def load_profile(name_or_path: str) -> SiteProfile:
    """Read and check a profile; raises ``ProfileError`` that lists every fault as ``path.to.field: message``."""
    if name_or_path in built_in_names():
        where, text = name_or_path, (_BUILT_IN / f"{name_or_path}.toml").read_text(encoding="utf-8")
    else:
        where, text = name_or_path, _read(Path(name_or_path))
    try:
        return SiteProfile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"profile {where}: is no TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(_fault(fault) for fault in error.errors(include_url=False))
        raise ProfileError(f"profile {where}: {faults}; see docs/profiles.md") from error


def profile_named(name: str, first: str) -> SiteProfile | None:
    """Return the profile of a portal's name: the one that ``first`` names or leads to, or a built-in one."""
    for one in (first, *(built_in for built_in in built_in_names() if built_in == name)):
        try:
            profile = load_profile(one)
        except ProfileError:
            continue  # PORTAL may be another portal's, and is not what was asked about
        if profile.name == name:
            return profile
    return None


def _read(path: Path) -> str:
    if not path.suffix and not path.exists():
        raise ProfileError(
            f"PORTAL {str(path)!r} is neither a built-in profile ({', '.join(built_in_names())}) nor a profile file"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ProfileError(f"profile {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"profile {path}: is not UTF-8 text") from error


def _fault(fault: Any) -> str:
    path = ".".join(str(part) for part in fault["loc"]) or "profile"
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "is no key of a profile; misspelled?"
    return f"{path}: {message}"
