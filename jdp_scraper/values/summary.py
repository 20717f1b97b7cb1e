"""What is told of a pass in the end, without its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from jdp_scraper.values.table import Table

SHOWN = 20
NAMED = 3


@dataclass(slots=True)
class Summary:
    """``failed`` counts the files by reason; ``examples`` are the first of them by the reasons that are shown.

    ``flagged`` holds the first flags with their files, ``flags`` is the number of all. ``missing`` tells for each
    folder that was written to in how many files each field was not found.
    """

    failed: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    flagged: list[tuple[str, str]] = field(default_factory=list)
    flags: int = 0
    missing: dict[Path, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Mapping[Path, Table], failed: Counter[str]) -> Self:
        """Return the summary of the tables by the folder that they are written to."""
        rows = [row for table in tables.values() for row in table.rows]
        flagged = [one for table in tables.values() for one in table.flagged()]
        examples = {
            reason: [str(row.values["file"]) for row in rows if row.error == reason][:NAMED]
            for reason, _ in failed.most_common(SHOWN)
        }
        missing = {out: table.not_found() for out, table in tables.items()}
        return cls(failed, examples, flagged[:SHOWN], len(flagged), missing)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "failed": dict(self.failed),
            "examples": self.examples,
            "flagged": self.flagged,
            "flags": self.flags,
            "missing": {str(out): counts for out, counts in self.missing.items()},
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what ``to_json`` told."""
        return cls(
            Counter(told["failed"]),
            dict(told["examples"]),
            [(file, flag) for file, flag in told["flagged"]],
            told["flags"],
            {Path(out): counts for out, counts in told["missing"].items()},
        )
