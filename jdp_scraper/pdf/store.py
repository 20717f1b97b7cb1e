"""Gives a report its name, once it is proven to be its vehicle's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from jdp_scraper.disk import Disk
from jdp_scraper.errors import ReportBroken, StorageError, TaskLost
from jdp_scraper.pdf.parser import ParserPool, PdfText
from jdp_scraper.pdf.proof import ProofRule, prove
from jdp_scraper.pdf.stream import StreamedFile
from jdp_scraper.pdf.unbroken import in_thread
from jdp_scraper.vehicle import Vehicle


@dataclass(frozen=True, slots=True)
class PlacedReport:
    """A proven report in place; ``file`` is its name in the folder, ``size`` in bytes."""

    file: str
    size: int
    sha256: str


class ReportStore:
    """Keeps the folder of proven reports; ``longer`` is what ``longer_references`` gives for the whole inventory."""

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        parser: ParserPool,
        rule: ProofRule,
        longer: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._folder = folder
        self._disk = disk
        self._parser = parser
        self._rule = rule
        self._longer = longer or {}

    async def prove_and_place(
        self, streamed: StreamedFile, vehicle: Vehicle, final_name: str, still_mine: Callable[[], bool]
    ) -> PlacedReport:
        """Prove a streamed report and move it to ``final_name``, durable when this returns.

        Raises ``ReportBroken``, ``ReportMismatch``, ``ReportUnproven``, ``TaskLost`` if ``still_mine()`` is false by
        then, ``StorageError``; the streamed file is gone then, as it is when this is cancelled before the move.
        """
        if final_name in ("", "..") or Path(final_name).name != final_name:
            raise ValueError("final_name must be a file's name without a folder")
        try:
            found = await self._proven(streamed.path, vehicle)
            _check_kept(found, streamed, still_mine)
        except BaseException:
            await self._remove(streamed.path)
            raise
        try:
            await in_thread(self._disk.rename, streamed.path, self._folder / final_name)
        except StorageError:
            await self._remove(streamed.path)
            raise
        return PlacedReport(final_name, found.size, found.sha256)

    async def prove_file(self, path: Path, vehicle: Vehicle) -> PlacedReport:
        """Prove a file that lies in place already; it is left where it is.

        Raises ``ReportBroken``, ``ReportMismatch``, ``ReportUnproven``; what becomes of the file then is the caller's.
        """
        found = await self._proven(path, vehicle)
        return PlacedReport(path.name, found.size, found.sha256)

    async def _proven(self, path: Path, vehicle: Vehicle) -> PdfText:
        found = await self._parser.read(path)
        longer = self._longer.get(vehicle.reference, ())
        await asyncio.to_thread(prove, found.text, vehicle, self._rule, longer)
        return found

    async def _remove(self, path: Path) -> None:
        try:
            await in_thread(self._disk.remove, path)
        except StorageError:
            return  # an error is already on its way, and a part file is removed at the next start


def _check_kept(found: PdfText, streamed: StreamedFile, still_mine: Callable[[], bool]) -> None:
    if found.sha256 != streamed.sha256:
        raise ReportBroken("the file on the disk is not what was streamed")
    if not still_mine():
        raise TaskLost
