"""What a benchmark found: tables for people, figures and single runs for programs; saved under ``results/``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.measured import Outcome
from tests.benchmarks.places import RESULTS
from tests.benchmarks.table import Table

DOCS = Path(__file__).resolve().parents[2] / "docs"


@dataclass(frozen=True)
class Part:
    """One benchmark's findings; ``figures`` are its own, ``outcomes`` the runs that they come from."""

    name: str
    tables: Sequence[Table]
    figures: Mapping[str, Any]
    outcomes: Sequence[Outcome] = ()


def save(parts: Sequence[Part], machine: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Write JSON and Markdown, named by the time, and return the path of the Markdown file."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}"
    content = {
        "machine": machine,
        "parts": [asdict(part) | {"tables": [t.title for t in part.tables]} for part in parts],
    }
    (folder / f"{stem}.json").write_text(json.dumps(content, default=_plain) + "\n", "ascii")
    path = folder / f"{stem}.md"
    path.write_text(markdown(parts, machine), "ascii")
    return path


def markdown(parts: Sequence[Part], machine: Mapping[str, Any]) -> str:
    """Return all tables, with what they depend on above them."""
    told = ", ".join(f"{name} {value}" for name, value in machine.items())
    tables = [table.markdown() for part in parts for table in part.tables]
    return "\n".join([f"Measured on: {told}.\n", *tables])


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(type(value).__name__)
