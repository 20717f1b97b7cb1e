"""Reads the text of PDFs in child processes, so that a hostile or broken file can cost one of them and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from jdp_scraper.batch.idle import Idle
from jdp_scraper.batch.process import ChildEnded, WorkerProcess, python_module
from jdp_scraper.errors import ReportBroken, UnusableError
from jdp_scraper.pdf.unbroken import unbroken

_STOP_S = 5.0
_COMMAND = python_module("jdp_scraper.pdf.parser_child")


@dataclass(frozen=True, slots=True)
class PdfText:
    """The text of a PDF, a string for each page, each line in the spelling of ``plain``.

    ``size`` (bytes) and ``sha256`` are of the very bytes that were parsed. ``flags`` tell what the PDF holds beside its
    pages, as words for people. ``textless``: there is no text in it at all, as in a scan.
    """

    pages: tuple[str, ...]
    size: int
    sha256: str
    flags: tuple[str, ...] = ()
    textless: bool = False

    @property
    def text(self) -> str:
        """All pages, one below the other."""
        return "\n".join(self.pages)


class ParserPool:
    """Lends ``size`` parser processes, started when they are first needed; an async context manager.

    A file gets ``deadline_s`` seconds and ``max_pages`` pages. ``command`` replaces the child's command line.
    """

    def __init__(
        self, size: int = 2, deadline_s: float = 20.0, max_pages: int = 200, command: Sequence[str] | None = None
    ) -> None:
        self._deadline_s = deadline_s
        self._max_pages = max_pages
        self._processes = [WorkerProcess(command or _COMMAND, "the PDF parser's process") for _ in range(size)]
        self._idle = Idle(self._processes)
        self._starts = asyncio.Lock()
        self._is_started = False
        self._others: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        await unbroken(self._close())

    async def _close(self) -> None:
        if self._others is not None:
            self._others.cancel()
            await asyncio.wait([self._others], timeout=_STOP_S)
        await asyncio.gather(*(process.close() for process in self._processes))

    async def launch(self) -> None:
        """Launch the first process without waiting until it is ready; raises ``UnusableError``."""
        await self._processes[0].launch()

    async def start(self) -> None:
        """Return once one process is ready; raises ``UnusableError``. Any number of tasks may wait for it.

        The others get ready meanwhile, in turn: at its begin a run has better work for the processors.
        """
        async with self._starts:
            if self._is_started:
                return
            waiting = await self._idle.take_all()
            try:
                for process in waiting[:1]:
                    await process.start()
            except BaseException:
                self._give_back(waiting)
                raise
            self._is_started = True
            self._give_back(waiting[:1])
            if waiting[1:]:
                self._others = asyncio.create_task(self._start_in_turn(waiting[1:]), name="start PDF parsers")

    async def _start_in_turn(self, waiting: list[WorkerProcess]) -> None:
        """Lend out each of these when it is ready; one that does not start is done without, as the first is there."""
        try:
            while waiting:
                with contextlib.suppress(UnusableError):
                    await waiting[0].start()
                    self._idle.give_back(waiting[0])
                waiting.pop(0)
        finally:
            self._give_back(waiting)

    def _give_back(self, processes: Sequence[WorkerProcess]) -> None:
        for process in reversed(processes):
            self._idle.give_back(process)

    async def read(self, path: Path) -> PdfText:
        """Return the text of a file; waits for a free process.

        Raises ``ReportBroken`` where the file is not a whole readable PDF, has too many pages, takes longer than the
        deadline or ends the process; ``UnusableError`` where no process can be started.
        """
        if self._closed:
            raise RuntimeError("the parser pool is closed")
        process = await self._idle.take()
        try:
            return await self._read(process, path)
        finally:
            self._idle.give_back(process)

    async def _read(self, process: WorkerProcess, path: Path) -> PdfText:
        await process.start()
        request = {"path": str(path), "max_pages": self._max_pages, "seconds": self._deadline_s}
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await process.ask(request)
        except TimeoutError as error:
            raise ReportBroken(f"the PDF could not be read within {self._deadline_s:g} s") from error
        except ChildEnded as error:
            raise ReportBroken(f"the PDF ended the process that read it: {error}") from error
        if "fault" in answer:
            raise ReportBroken(f"the PDF cannot be used: {answer['fault']}")
        flags = tuple(answer["flags"])
        return PdfText(tuple(answer["pages"]), answer["size"], answer["sha256"], flags, answer["textless"])
