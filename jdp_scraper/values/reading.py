"""Reads many files on worker processes, a window of them at once; a bad one costs nothing but its own row."""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

from jdp_scraper.batch.in_order import BatchProgress, Tell, in_order
from jdp_scraper.batch.workers import Lent, Limits
from jdp_scraper.errors import JobFailed
from jdp_scraper.fingerprint import fingerprint_of
from jdp_scraper.pdf.whole import MAX_BYTES, TOO_LARGE
from jdp_scraper.values.cache import Stamp, Told, ValueCache, stamp_of
from jdp_scraper.values.extract import pdf_sha256

# By its name, as a worker alone needs what its module imports.
MODULES = ("jdp_scraper.values.extract",)
# All modules that this one imports: another version of one of them may read something else.
DECIDING = {
    "values": (
        *("around", "below", "beside", "crossing", "extract", "finding", "labelling"),
        *("layout", "rule", "texts", "typed", "vin"),
    ),
    "pdf": ("labels", "opening", "plain_text", "raised", "whole"),
}
_EXTRACT = f"{MODULES[0]}:extract_file"
_CHANGED = "it has changed since it was proven: run the command verify"
# A report takes some milliseconds and 60 MiB.
LIMITS = Limits(memory_bytes=512 << 20, cpu_s=5, wall_s=30)


@dataclass(frozen=True, slots=True)
class ToRead:
    """A file, the rules for it as JSON text, and where is remembered what was read in it.

    ``sha256`` is that of the content that was proven to be its vehicle's, where that is known.
    """

    path: Path
    rules: str
    cache: ValueCache
    sha256: str | None = None


@dataclass(slots=True)
class Counts:
    """How reading went: files, those of them that were known before, and those that failed, by their reason.

    ``unsure`` are those that another pass may find otherwise although they have not changed.
    """

    files: int = 0
    from_cache: int = 0
    unsure: int = 0
    failed: Counter[str] = field(default_factory=Counter)


@lru_cache(maxsize=8)
def rules_version(rules: str) -> str:
    """Return what tells two ways of reading apart; ``rules`` is the JSON text that ``extract_file`` is given."""
    return hashlib.sha256(f"{_machinery()} {rules}".encode()).hexdigest()


@cache
def _machinery() -> str:
    """Return what decides on a value beside the rules: this program's own sources, and what they build upon."""
    package = Path(__file__).parent.parent
    sources = [package / folder / f"{name}.py" for folder, names in DECIDING.items() for name in names]
    return f"{fingerprint_of(sources)} {version('pypdfium2')} {unicodedata.unidata_version}"


async def read_files(
    files: Sequence[ToRead],
    workers: Lent,
    *,
    size: int,
    counts: Counts,
    tell: Tell | None = None,
) -> AsyncGenerator[Told, None]:
    """Yield what ``extract_file`` tells of each file, in their order, with at most ``size`` files under way.

    ``tell`` is awaited for each file, and at least every 10 s while none is done. Raises ``UnusableError`` where no
    worker process can be started; all else that can go wrong is the ``fault`` of its file.
    """
    stamps, known = await asyncio.to_thread(_known, files)
    missing = [(file, stamps[number]) for number, file in enumerate(files) if number not in known]

    async def read(one: tuple[ToRead, Stamp | None]) -> tuple[Told, bool]:
        file, stamp = one
        path, cache, recipe = file.path, file.cache, rules_version(file.rules)
        if stamp is not None and stamp[0] > MAX_BYTES:  # its stamp tells when that changes, and it has no hash
            return {"fault": TOO_LARGE}, False
        if stamp is not None and not cache.was_empty:
            sha256 = await asyncio.to_thread(pdf_sha256, str(path))
            if sha256 is not None and (told := cache.by_content(path, recipe, stamp, sha256)) is not None:
                return told, True
        told = await _read_anew(file, workers)
        again = told.pop("again", False)
        counts.unsure += again or told.get("sha256") is None
        if not again:
            cache.keep(path, recipe, stamp, told)
        return told, False

    async def tell_of_all(progress: BatchProgress) -> None:
        if tell is not None:
            done = len(known) + progress.done
            await tell(BatchProgress(done, progress.under_way, len(files), progress.seconds))

    await tell_known(len(known), len(files), tell)
    async with aclosing(in_order(missing, read, size=size, tell=None if tell is None else tell_of_all)) as results:
        for number in range(len(files)):
            told, from_cache = (known[number], True) if number in known else await anext(results)
            told = _as_proven(files[number], told)
            counts.files += 1
            counts.from_cache += from_cache
            if (fault := told.get("fault")) is not None:
                counts.failed[str(fault)] += 1
            yield told
        async for _ in results:
            pass  # nothing is left; this waits until all has been told


async def tell_known(known: int, files: int, tell: Tell | None) -> None:
    """Tell of each file that need not be read."""
    if tell is not None:
        for done in range(1, known + 1):
            await tell(BatchProgress(done, 0, files, 0.0))


def _as_proven(file: ToRead, told: Told) -> Told:
    """Return what was told, but nothing of another content than the proven one: it may be another vehicle's."""
    sha256 = told.get("sha256")
    if sha256 is None or file.sha256 in {None, sha256}:
        return told
    return {"sha256": sha256, "fault": _CHANGED}


def _known(files: Sequence[ToRead]) -> tuple[list[Stamp | None], dict[int, Told]]:
    """Return each file's stamp, and by number what is known of those that have not changed."""
    stamps = [stamp_of(file.path) for file in files]
    told = (file.cache.unchanged(file.path, rules_version(file.rules), stamps[n]) for n, file in enumerate(files))
    return stamps, {number: one for number, one in enumerate(told) if one is not None}


async def _read_anew(file: ToRead, workers: Lent) -> Told:
    path = file.path
    try:
        told: Told = await workers.run(_EXTRACT, str(path), file.rules)
    except JobFailed as error:  # not remembered: another time there may be more memory or time
        return {"fault": str(error), "sha256": await asyncio.to_thread(pdf_sha256, str(path)), "again": True}
    return told
