"""Jobs that end their worker in the middle of making a PDF's assets; each function is called in one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jdp_scraper.archive import asset_work
from jdp_scraper.disk import Disk

AGAIN = b"% fetched again\n%%EOF\n"
_MEANWHILE_S = 0.5  # in which others have been taken over


class _TornDisk(Disk):
    def _open(self, path: Path, mode: str, opener: Callable[[str, int], int] | None = None) -> Any:
        file = super()._open(path, mode, opener)
        file.write(b"RIFF")
        os._exit(9)


def killed_before_its_answer(source: str, *rest: Any) -> dict[str, Any]:
    """What it has written of a PDF that was fetched again is there, and nobody is told of it."""
    made = asset_work.make_asset(source, *rest)
    if Path(source).read_bytes().endswith(AGAIN):
        time.sleep(_MEANWHILE_S)
        os._exit(9)
    return made


def killed_while_it_writes(source: str, *rest: Any) -> dict[str, Any]:
    """The picture of a PDF that was fetched again is begun and not ended."""
    if Path(source).read_bytes().endswith(AGAIN):
        time.sleep(_MEANWHILE_S)
        asset_work.Disk = _TornDisk  # type: ignore[attr-defined]
    return asset_work.make_asset(source, *rest)
