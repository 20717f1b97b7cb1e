"""A field's rule as a worker holds it.

The profile has proven it (``pdf/value_rules.py``), so that no worker needs the library that does so: importing that
would take longer than reading thirty reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Self


class Rule(NamedTuple):
    """The fields of a ``FieldRule``, with their meaning."""

    type: str
    labels: tuple[str, ...]
    at: Literal["any", "beside", "below"]
    cross: tuple[tuple[str, ...], ...]
    pattern: str | None

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return the rule that ``ValueRules.to_json`` told."""
        cross = tuple(tuple(labels) for labels in told["cross"])
        return cls(told["type"], tuple(told["labels"]), told["at"], cross, told["pattern"])
