"""Cleans a Playwright trace of cookies, passwords and authorization; what is left opens in Playwright's viewer.

A trace is a zip: ``*.trace`` and ``*.network`` hold a JSON object a line, ``resources/`` the bodies of answers.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from jdp_scraper.redact import LEAST_COOKIE, Secrets

_HEADERS = {"cookie", "set-cookie", "authorization", "proxy-authorization"}
_LINES = (".trace", ".network", ".stacks")


def learn_cookies(raw: Path, secrets: Secrets) -> None:
    """Add the cookies that a trace tells of: a page, also of a later trace, may show one that no one else has read.

    Raises ``zipfile.BadZipFile``.
    """
    with zipfile.ZipFile(raw) as source:
        for name in source.namelist():
            if name.endswith(_LINES):
                for entry in _entries(source, name):
                    _learn(entry, secrets)


def scrub(raw: Path, out: IO[bytes], secrets: Secrets) -> None:
    """Write the trace ``raw`` to ``out`` without its cookies and without what is known to be secret.

    Raises ``zipfile.BadZipFile``.
    """
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name.endswith(_LINES):
                lines = (json.dumps(secrets.clean_json(_bare(entry))) + "\n" for entry in _entries(source, name))
                with target.open(name, "w") as member:
                    for line in lines:
                        member.write(line.encode("ascii"))
            else:
                target.writestr(name, secrets.clean_bytes(source.read(name)))


def _entries(source: zipfile.ZipFile, name: str) -> Iterator[Any]:
    """Yield the lines of a member; one that is torn is left out, as the viewer could not read it either."""
    with source.open(name) as member:
        for line in member:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _learn(content: Any, secrets: Secrets) -> None:
    """Add every cookie value that stands in a header or a list of cookies."""
    if isinstance(content, list):
        for one in content:
            _learn(one, secrets)
    elif isinstance(content, dict):
        if isinstance(cookies := content.get("cookies"), list):
            secrets.add_cookies(one for one in cookies if isinstance(one, dict))
        if _is_secret_header(content):
            for value in _header_values(str(content.get("value", ""))):
                secrets.add(value, LEAST_COOKIE)
        for one in content.values():
            _learn(one, secrets)


def _header_values(header: str) -> Iterator[str]:
    """Yield what stands behind the names in a header; of a Set-Cookie its attributes too, but for common ones."""
    for line in header.splitlines():
        for part in line.split(";"):
            name, equals, value = part.strip().partition("=")
            if equals and name.lower() not in {"path", "domain", "expires", "max-age", "samesite"}:
                yield value.strip('"')


def _bare(content: Any) -> Any:
    """Return an entry without its secret headers and lists of cookies."""
    if isinstance(content, list):
        return [_bare(one) for one in content if not _is_secret_header(one)]
    if isinstance(content, dict):
        return {
            name: [] if name == "cookies" and isinstance(value, list) else _bare(value)
            for name, value in content.items()
            if not (name.lower() in _HEADERS and isinstance(value, str))
        }
    return content


def _is_secret_header(content: Any) -> bool:
    return isinstance(content, dict) and str(content.get("name", "")).lower() in _HEADERS and "value" in content
