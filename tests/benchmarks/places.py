"""Where benchmarks write: below this folder, on a real disk, and out of the project's own files."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """Lend an empty folder, removed at the end; the system's own may be in memory, where fsync costs nothing."""
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="work-", ignore_cleanup_errors=True) as name:
        yield Path(name)
