"""A profile to begin with, and ways to change it."""

from __future__ import annotations

import copy
import tomllib
from importlib import resources
from typing import Any

from jdp_scraper.portal.profile import SiteProfile


def table_of(name: str) -> dict[str, Any]:
    """Return a built-in profile as it stands in its file."""
    return tomllib.loads((resources.files("jdp_scraper.portal") / "profiles" / f"{name}.toml").read_text("utf-8"))


def changed(table: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a table with one value replaced; ``None`` takes it away."""
    result = copy.deepcopy(table)
    *way, last = path.split(".")
    inner = result
    for name in way:
        inner = inner.setdefault(name, {})
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return result


def profile_of(name: str = "jdpower", **values: Any) -> SiteProfile:
    """Return a profile; ``inventory__grid__state="page"`` replaces ``inventory.grid.state``."""
    table = table_of(name)
    for path, value in values.items():
        table = changed(table, path.replace("__", "."), value)
    return SiteProfile.model_validate(table)
