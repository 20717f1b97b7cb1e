"""30 vehicles on two pages; as a script: ``python tests/test_parallel_30.py``, headed with HEADLESS=false."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as a script this file's own folder is first

from tests.support.parallel import run_parallel, script

VEHICLES = 30


async def test_30_vehicles_on_two_pages(tmp_path: Path) -> None:
    await run_parallel(tmp_path, VEHICLES)


if __name__ == "__main__":
    raise SystemExit(script(VEHICLES))
