"""A run's folder, ``DOWNLOAD_FOLDER/<YYYY-MM-DD>[-n]/``: where everything lies, its inventory and its tracking file."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jdp_scraper.checkpoint.inventory_file import from_csv, to_csv
from jdp_scraper.checkpoint.names import stem_of
from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import InventoryError
from jdp_scraper.vehicle import Vehicle

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-([1-9]\d{0,5}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of one run."""

    path: Path

    @property
    def pdfs(self) -> Path:
        """The folder of the proven PDFs, and of nothing else but their unfinished parts."""
        return self.path / "pdfs"

    @property
    def data(self) -> Path:
        """The folder of everything else; the checkpoint lies here."""
        return self.path / "run_data"

    @property
    def inventory(self) -> Path:
        """The run's own inventory."""
        return self.data / "inventory.csv"

    @property
    def tracking(self) -> Path:
        """Key to file name, or null."""
        return self.data / "tracking.json"

    @property
    def metrics(self) -> Path:
        """Totals, time a step, each vehicle's attempts."""
        return self.data / "metrics.json"

    @property
    def log(self) -> Path:
        """The run's log, a JSON object a line."""
        return self.data / "run.log"

    @property
    def license(self) -> Path:
        """The text of the license that was accepted."""
        return self.data / "license.txt"

    @property
    def failures(self) -> Path:
        """The folder of the evidence, a folder a failed vehicle."""
        return self.data / "failures"

    @property
    def quarantine(self) -> Path:
        """The folder of files that lay under a vehicle's name without being its proven PDF; made when needed."""
        return self.data / "quarantine"

    @property
    def unproven(self) -> Path:
        """The folder of PDFs that do not show whose they are, by their vehicles' file names; made when needed."""
        return self.data / "unproven"

    def failure(self, file_name: str) -> Path:
        """Return the folder of a vehicle's evidence, by the file name that its PDF would have."""
        return self.failures / stem_of(file_name)

    def failures_kept(self) -> set[Path]:
        """Return the folders of evidence that lie there; blocks."""
        return set(self.failures.iterdir()) if self.failures.is_dir() else set()

    @classmethod
    async def create(cls, download_folder: Path, today: date, disk: Disk) -> RunFolder:
        """Make today's next folder; one in which no run was ever begun is used again; raises ``StorageError``.

        Only the holder of the ``DownloadLock`` may call this.
        """
        return await asyncio.to_thread(_create, download_folder, today, disk)

    async def save_inventory(self, vehicles: Iterable[Vehicle], disk: Disk) -> str:
        """Write the run's inventory whole and return its SHA-256 in hex for the header; raises ``StorageError``."""
        content = to_csv(vehicles)
        await asyncio.to_thread(disk.write_whole, self.inventory, content)
        return hashlib.sha256(content).hexdigest()

    async def load_inventory(self, sha256: str = "") -> list[Vehicle]:
        """Read the run's inventory; raises ``InventoryError``, also where it is not the one of ``sha256``."""
        try:
            content = await asyncio.to_thread(self.inventory.read_bytes)
        except OSError as error:
            raise InventoryError(f"{self.inventory} cannot be read: {error.strerror}: use --new") from error
        if sha256 and hashlib.sha256(content).hexdigest() != sha256:
            raise InventoryError(f"{self.inventory} is not as the run wrote it: put it back, or use --new")
        return from_csv(content)

    async def write_tracking(self, names: Mapping[str, str], done: Container[str], disk: Disk) -> None:
        """Write ``tracking.json`` whole, in the order of ``names``: each file name, or null where it is not done."""
        content = json.dumps({key: name if key in done else None for key, name in names.items()}, indent=2) + "\n"
        await asyncio.to_thread(disk.write_whole, self.tracking, content.encode("ascii"))


def parse_name(name: str) -> tuple[date, int] | None:
    """Return a run folder's date and number (1 for the day's first), or ``None`` for another folder's name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return date.fromisoformat(found[1]), int(found[2] or 1)
    except ValueError:
        return None


def was_begun(folder: RunFolder) -> bool:
    """Tell whether a folder holds any trace of a checkpoint or a PDF; blocks, raises ``OSError``.

    One that is closed to us does: whoever opens it is told of that.
    """
    try:
        return _holds_a_trace(folder)
    except PermissionError:
        return True


def _holds_a_trace(folder: RunFolder) -> bool:
    data = (name for name in _names(folder.data) if not name.endswith(".tmp"))  # a part that was never put in place
    return bool(_names(folder.pdfs)) or any(name.startswith("checkpoint.") for name in data)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - of thousands of PDFs, each a path otherwise
    except (FileNotFoundError, NotADirectoryError):
        return []


def _create(download_folder: Path, today: date, disk: Disk) -> RunFolder:
    number = 1
    with storage_errors(str(download_folder)):
        while _is_taken(folder := _numbered(download_folder, today, number)):
            number += 1
    for path in (download_folder, folder.path, folder.pdfs, folder.data, folder.failures):
        disk.make_folder(path)
    return folder


def _is_taken(folder: RunFolder) -> bool:
    return folder.path.exists() and (not folder.path.is_dir() or was_begun(folder))


def _numbered(download_folder: Path, today: date, number: int) -> RunFolder:
    suffix = "" if number == 1 else f"-{number}"
    return RunFolder(download_folder / f"{today.isoformat()}{suffix}")
