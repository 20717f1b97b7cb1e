"""Gives a report its name, once it is proven to be its vehicle's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from jdp_scraper.disk import Disk
from jdp_scraper.errors import ReportBroken, ReportMismatch, ReportUnproven, StorageError, TaskLost
from jdp_scraper.pdf.circumstances import Circumstances, prove_by
from jdp_scraper.pdf.parser import ParserPool, PdfText
from jdp_scraper.pdf.proof import ProofRule, prove
from jdp_scraper.pdf.stream import StreamedFile
from jdp_scraper.pdf.unbroken import in_thread
from jdp_scraper.vehicle import Vehicle

# An ordinary report is proven in less time than a trip to a thread takes, so a short text is proven in the event loop.
# The worst that was found for one of this length, labels with forty separators each, holds the loop up for 25 ms.
# Longer references are compared at each of those separators, fifty of them for 90 ms: such a proof goes to a thread.
_SHORT_TEXT = 4_000  # characters


@dataclass(frozen=True, slots=True)
class PlacedReport:
    """A proven report in place; ``file`` is its name in the folder, ``size`` in bytes.

    ``flags`` tell what it holds beside its pages; ``proven_by`` tells how it came, where it has no text of its own.
    """

    file: str
    size: int
    sha256: str
    flags: tuple[str, ...] = ()
    proven_by: str | None = None


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file that was read again; ``unproven`` is why its text does not prove its vehicle, ``None`` where it does."""

    found: PdfText
    unproven: str | None


class ReportStore:
    """Keeps the folder of proven reports; ``longer`` is what ``longer_references`` gives for the whole inventory.

    A report that does not show whose it is goes into the folder ``unproven``, where there is one, and stays there until
    a later try brings a proven one.
    """

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        parser: ParserPool,
        rule: ProofRule,
        longer: Mapping[str, Collection[str]] | None = None,
        *,
        unproven: Path | None = None,
    ) -> None:
        self._folder = folder
        self._disk = disk
        self._parser = parser
        self._rule = rule
        self._longer = longer or {}
        self._unproven = unproven

    async def ready(self) -> None:
        """Return once reports can be proven; raises ``UnusableError`` where they cannot, before one is asked for."""
        await self._parser.start()

    async def prove_and_place(
        self,
        streamed: StreamedFile,
        vehicle: Vehicle,
        final_name: str,
        still_mine: Callable[[], bool],
        *,
        page_shown: bool = False,
    ) -> PlacedReport:
        """Prove a streamed report and move it to ``final_name``, durable when this returns.

        ``page_shown``: the page on which it was asked for had shown the vehicle's reference and VIN. Raises
        ``ReportBroken``, ``ReportMismatch``, ``ReportUnproven``, ``TaskLost`` if ``still_mine()`` is false by then,
        ``StorageError``; the streamed file is gone then, as it is when this is cancelled before the move.
        """
        if final_name in ("", "..") or Path(final_name).name != final_name:
            raise ValueError("final_name must be a file's name without a folder")
        came = Circumstances(page_shown, streamed.address, streamed.file_name)
        try:
            found = await self._parser.read(streamed.path)
            proven_by = await self._prove(found, vehicle, came)
            _check_kept(found, streamed, still_mine)
        except ReportUnproven as error:
            kept = await self._keep_apart(streamed.path, final_name, still_mine)
            raise ReportUnproven(f"{error}{kept}") from error
        except BaseException:
            await self._remove(streamed.path)
            raise
        await in_thread(self._place, streamed.path, final_name)
        return PlacedReport(final_name, found.size, found.sha256, found.flags, proven_by)

    def _place(self, source: Path, name: str) -> None:
        """Move a proven report into the folder, and remove the unproven one that an earlier try may have left."""
        try:
            self._disk.rename(source, self._folder / name)
        except StorageError:
            self._remove_part(source)
            raise
        if self._unproven is not None:
            self._disk.remove(self._unproven / name)

    async def prove_file(self, path: Path, vehicle: Vehicle) -> PlacedReport:
        """Prove a file that lies in place already, by its own text alone; it is left where it is.

        Raises ``ReportBroken``, ``ReportMismatch``, ``ReportUnproven``; what becomes of the file then is the caller's.
        """
        found = await self._parser.read(path)
        await self._prove(found, vehicle)
        return PlacedReport(path.name, found.size, found.sha256, found.flags)

    async def inspect(self, path: Path, vehicle: Vehicle) -> Inspected:
        """Say all that a file tells of itself and of its vehicle; raises ``ReportBroken``."""
        found = await self._parser.read(path)
        try:
            await self._prove(found, vehicle)
        except (ReportMismatch, ReportUnproven) as error:
            return Inspected(found, str(error))
        return Inspected(found, None)

    async def _prove(self, found: PdfText, vehicle: Vehicle, came: Circumstances | None = None) -> str | None:
        """Return ``None`` for a PDF that proves itself, or how one without any text is proven by how it came."""
        longer = self._longer.get(vehicle.reference, ())
        if came is not None and found.textless:
            return prove_by(came, vehicle, self._rule, longer)
        text = found.text
        if self._rule.pattern is None and not longer and len(text) <= _SHORT_TEXT:
            prove(text, vehicle, self._rule, longer)
        else:
            await asyncio.to_thread(prove, text, vehicle, self._rule, longer)
        return None

    async def _keep_apart(self, path: Path, name: str, still_mine: Callable[[], bool]) -> str:
        """Move an unproven report out of the way and return where it is, in words; removed where it is not kept."""
        if self._unproven is None or not still_mine():
            await self._remove(path)
            return ""
        try:
            await in_thread(self._disk.make_folder, self._unproven)
            await in_thread(self._disk.rename, path, self._unproven / name)
        except BaseException:
            await self._remove(path)
            raise
        return f"; kept apart as {self._unproven.parent.name}/{self._unproven.name}/{name}"

    async def _remove(self, path: Path) -> None:
        await in_thread(self._remove_part, path)

    def _remove_part(self, path: Path) -> None:
        with contextlib.suppress(StorageError):  # an error is on its way, and the next start removes a part file
            self._disk.remove(path)


def _check_kept(found: PdfText, streamed: StreamedFile, still_mine: Callable[[], bool]) -> None:
    if found.sha256 != streamed.sha256:
        raise ReportBroken("the file on the disk is not what was streamed")
    if not still_mine():
        raise TaskLost
