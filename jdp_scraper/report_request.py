"""The request for a report: learned on a page, sent by the HTTP client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report's address and how the page would have asked for it (content type, referer), cookies aside."""

    url: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
