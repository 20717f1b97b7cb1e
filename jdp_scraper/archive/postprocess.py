"""What is made of a whole archive: sitemap, feeds, search index and link check, at the same time.

Link check and search index are work for a processor, and threads of one interpreter would only take turns at it: they
go to worker processes where there are some, the check in many jobs. The others are small; they run in threads beside
the event loop. Measured with 2,000 vehicles on four processors: 1.0 s one after the other, 1.1 s in threads, 0.33 s so.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jdp_scraper.archive.addresses import ATOM, RSS, SITEMAP
from jdp_scraper.archive.feed_entries import Entry, News, news_of
from jdp_scraper.archive.feeds import atom_entry, atom_feed, rss_feed, rss_item
from jdp_scraper.archive.link_check import (
    BrokenLink,
    KnownLinks,
    LinkCheck,
    check_document,
    check_links,
    files_below,
    pages_of,
    read_pages,
)
from jdp_scraper.archive.model import Archive
from jdp_scraper.archive.parts import Parts
from jdp_scraper.archive.rendering import page_path
from jdp_scraper.archive.search_index import (
    Search,
    changed_search_index,
    search_index,
    search_index_in_worker,
)
from jdp_scraper.archive.sitemap import sitemap_files
from jdp_scraper.errors import JobFailed, StorageError, UnusableError
from jdp_scraper.interpreter import quick_turns

LINK_CHECK = "link check"
SEARCH_INDEX = "search index"
_WORTH_A_WORKER = 100_000  # bytes of pages; fewer are read before a worker has been asked
_PAGES_A_JOB = 250
Write = Callable[[str, bytes], object]


class Workers(Protocol):
    """Worker processes that run a function by its name, given as ``module:function``."""

    async def run(self, function: str, /, *arguments: Any) -> Any:
        """Return what the function returned."""


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """How one task went; ``error`` is one line, or ``None``."""

    name: str
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Postprocessed:
    """How all of it went; ``broken`` has each link that leads nowhere, in the order of their pages' paths.

    ``pages`` are the links of each page by its path, for the next build.
    """

    outcomes: tuple[TaskOutcome, ...]
    wall_s: float
    links: int
    broken: tuple[BrokenLink, ...]
    pages: Mapping[str, KnownLinks] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[TaskOutcome, ...]:
        """The tasks that did not end well."""
        return tuple(one for one in self.outcomes if one.error is not None)


@dataclass(frozen=True, slots=True)
class Work:
    """What every task is given: ``root`` holds all pages and assets, ``base`` is the archive's address.

    ``write`` takes a path from ``root`` and its content; it blocks, is called in threads, and may raise. ``known`` are
    the links of pages that are as they were in the last build, ``parts`` what vehicles add to the feeds, ``last_index``
    the last search index where it may be changed to the new one: the texts of which it was made, and its file.
    ``search`` is what is searched, where that is known already. ``there`` are the paths of the files that belong to
    this archive, where others may lie in ``root`` too; by default all that lie there.
    """

    archive: Archive
    root: Path
    base: str
    write: Write
    workers: Workers | None = None
    known: Mapping[str, KnownLinks] = field(default_factory=dict)
    parts: Parts = field(default_factory=Parts)
    last_index: tuple[Sequence[str], Path] | None = None
    search: Search | None = None
    there: frozenset[str] | None = None


async def get_ready(workers: Workers) -> None:
    """Let a worker import what it will read links with: that takes longer than to read a few pages."""
    with contextlib.suppress(JobFailed, UnusableError):  # whoever needs it tells
        await workers.run(_name(read_pages), "", [])


async def postprocess(work: Work, *, parallel: bool = True) -> Postprocessed:
    """Do all tasks, at the same time or one after the other; one that fails stops none of the others.

    A search index that lies there already, from an earlier build of the same texts, is not made again. Raises
    ``StorageError`` once all have ended where one could not write: a disk that is full fails them all alike.
    """
    began = time.perf_counter()
    searched = await asyncio.to_thread(Search.of, work.archive) if work.search is None else work.search
    search = searched.path
    # Looked at once: threads that ask the system at the same time wait for the interpreter after each question.
    there = await asyncio.to_thread(files_below, work.root) if work.there is None else work.there
    made: set[str] = set()
    checked: list[LinkCheck] = []
    broken: list[BrokenLink] = []
    unwritten: list[StorageError] = []

    def put(files: Mapping[str, bytes]) -> None:
        for path, content in files.items():
            work.write(path, content)
            made.add(path)

    def put_documents(files: Mapping[str, bytes]) -> None:
        put(files)
        for path, content in files.items():
            broken.extend(check_document(content, path, work.base, there | files.keys()))

    async def links() -> None:
        checked.append(await _check(work, there, (ATOM, RSS, SITEMAP, search), apart=parallel))

    async def index() -> None:
        if search in there:
            made.add(search)
        else:
            content = await _index(searched.texts, work, apart=parallel)
            await asyncio.to_thread(put, {search: content})

    async def sitemap() -> None:
        await asyncio.to_thread(lambda: put_documents(sitemap_files(work.archive, work.base)))

    news: asyncio.Future[list[News]] | None = None  # of both feeds, whichever asks first

    def feed(
        path: str, make: Callable[[Archive, list[str], str], bytes], make_one: Callable[[Entry, str], str]
    ) -> Callable[[], Awaitable[None]]:
        def one_of(told: News) -> str:
            name = f"{path} {told.at} {told.new} {work.base}"
            return work.parts.get(page_path(told.vehicle), name, lambda: make_one(told.entry, work.base))

        async def run() -> None:
            nonlocal news
            if news is None:
                news = asyncio.ensure_future(asyncio.to_thread(news_of, work.archive))
            found = await asyncio.shield(news)
            await asyncio.to_thread(
                lambda: put_documents({path: make(work.archive, list(map(one_of, found)), work.base)})
            )

        return run

    tasks: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (  # the longest job first
        (SEARCH_INDEX, index),
        (LINK_CHECK, links),
        ("Atom feed", feed(ATOM, atom_feed, atom_entry)),
        ("RSS feed", feed(RSS, rss_feed, rss_item)),
        ("sitemap", sitemap),
    )
    if parallel:
        with quick_turns():
            outcomes = await asyncio.gather(*(_outcome(name, run, unwritten) for name, run in tasks))
    else:
        outcomes = [await _outcome(name, run, unwritten) for name, run in tasks]
    if unwritten:
        raise unwritten[0]
    for one in checked:  # by now it is known which of the files that others make are there
        broken += one.broken
        broken += (link for path, links in one.awaited.items() if path not in made for link in links())
    wall_s = time.perf_counter() - began
    pages = {path: page for one in checked for path, page in one.pages.items()}
    return Postprocessed(tuple(outcomes), wall_s, sum(one.links for one in checked), tuple(sorted(broken)), pages)


async def _outcome(
    name: str, run: Callable[[], Awaitable[None]], unwritten: MutableSequence[StorageError]
) -> TaskOutcome:
    began, error = time.perf_counter(), None
    try:
        await run()
    except StorageError as caught:
        unwritten.append(caught)
        error = str(caught)
    except Exception as caught:
        error = " ".join(str(caught).split()) or type(caught).__name__
    return TaskOutcome(name, time.perf_counter() - began, error)


async def _check(work: Work, there: frozenset[str], awaited: Sequence[str], *, apart: bool) -> LinkCheck:
    known = dict(work.known)
    if apart and work.workers is not None:
        unknown = [path for path in pages_of(there) if path not in known]
        if await asyncio.to_thread(_bytes, work.root, unknown) > _WORTH_A_WORKER:
            jobs = (unknown[first : first + _PAGES_A_JOB] for first in range(0, len(unknown), _PAGES_A_JOB))
            for read in await asyncio.gather(*(_read(work.root, job, work.workers) for job in jobs)):
                known |= read
    return await asyncio.to_thread(check_links, work.root, awaited, known, there)


def _bytes(root: Path, paths: Iterable[str]) -> int:
    return sum((root / path).stat().st_size for path in paths)


async def _read(root: Path, paths: Sequence[str], workers: Workers) -> dict[str, KnownLinks]:
    """Return the links of pages; a worker has its limits, also of what it may answer: then whoever checks reads."""
    try:
        told: dict[str, str] = await workers.run(_name(read_pages), str(root), paths)
    except JobFailed:
        return {}
    return {path: KnownLinks(text) for path, text in told.items()}


async def _index(texts: Sequence[str], work: Work, *, apart: bool) -> bytes:
    if work.last_index is not None and (found := await asyncio.to_thread(_changed_index, texts, *work.last_index)):
        return found
    if apart and work.workers is not None:
        with contextlib.suppress(JobFailed):
            told: str = await work.workers.run(_name(search_index_in_worker), texts)
            return told.encode("ascii")
    return await asyncio.to_thread(search_index, texts)


def _changed_index(texts: Sequence[str], before: Sequence[str], script: Path) -> bytes | None:
    if len(before) != len(texts):
        return None
    try:
        return changed_search_index(script.read_bytes(), before, texts)
    except (OSError, ValueError, TypeError):  # what was changed by hand is made anew
        return None


def _name(function: Callable[..., object]) -> str:
    return f"{function.__module__}:{function.__qualname__}"
