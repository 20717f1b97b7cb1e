"""Chooses from a browser's cookies those that a request to the portal carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from jdp_scraper.loopback import is_loopback

Cookies = Mapping[str, str] | Iterable[Mapping[str, Any]]


def cookie_header(cookies: Cookies, url: httpx.URL) -> str:
    """Return the value of the Cookie header for ``url``, empty if none fits.

    ``cookies`` is name to value (all are sent), or a browser's list: ``name`` and ``value``, and where they are there
    ``domain``, ``path`` and ``secure``, which choose as a browser would. The longer path comes first.
    """
    if isinstance(cookies, Mapping):
        return "; ".join(f"{name}={value}" for name, value in cookies.items())
    fitting = [cookie for cookie in cookies if _fits(cookie, url)]
    fitting.sort(key=lambda cookie: -len(cookie.get("path") or "/"))
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in fitting)


def _fits(cookie: Mapping[str, Any], url: httpx.URL) -> bool:
    if cookie.get("secure") and url.scheme != "https" and not is_loopback(url.host):
        return False
    return _fits_domain(str(cookie.get("domain") or ""), url.host) and _fits_path(
        str(cookie.get("path") or "/"), url.path
    )


def _fits_domain(domain: str, host: str) -> bool:
    if domain.startswith("."):
        return host == domain[1:] or host.endswith(domain)
    return domain in ("", host)


def _fits_path(path: str, wanted: str) -> bool:
    return wanted == path or wanted.startswith(path if path.endswith("/") else path + "/")
