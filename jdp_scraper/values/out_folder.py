"""The folder that values are written to: held by one process at a time, and written only where something is new."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import FolderNotWritable, ValuesError
from jdp_scraper.values.cache import NAME, ValueCache
from jdp_scraper.values.changes import Change
from jdp_scraper.values.files import contents, digest_of, lie_there, write_all
from jdp_scraper.values.table import Table

if TYPE_CHECKING:
    from jdp_scraper.values.workbook import Book

LOCK = ".values.lock"


class OutLock:
    """An async context manager that holds a folder for this process, making it, and lends what is remembered there.

    Entering raises ``ValuesError`` where another process holds it, or ``StorageError``.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        # Taken and let go by whichever thread is free, hence not bound to one.
        self._lock = FileLock(folder / LOCK, timeout=0, thread_local=False)

    async def __aenter__(self) -> ValueCache:
        return await asyncio.to_thread(self._acquire)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._lock.release)

    def _acquire(self) -> ValueCache:
        self._disk.make_folder(self._folder)
        with storage_errors(str(self._folder / LOCK)):
            try:
                self._lock.acquire()
            except Timeout:  # caught first: it is an OSError too
                raise ValuesError(
                    f"another process writes values to {self._folder}: wait for its end, or name --out"
                ) from None
            except NotImplementedError as error:
                raise FolderNotWritable(f"{self._folder} lies on a file system without locks: name --out") from error
        return ValueCache.load(self._folder / NAME)


def put_in_place(
    folder: Path,
    table: Table,
    changed: Sequence[Change] | None,
    cache: ValueCache,
    disk: Disk,
    *,
    book: Book | None = None,
) -> dict[str, str | None]:
    """Write the files, but where the same lie there untouched, and save the cache; blocks, raises ``StorageError``.

    ``book`` is as for ``contents``. Return the SHA-256 of each file by its name, as ``write_all``.
    """
    digest = digest_of(table, changed)
    made = contents(table, changed, book)
    hashes = cache.written.get("sha256")
    if cache.written.get("digest") != digest or not isinstance(hashes, dict) or not lie_there(folder, hashes):
        hashes = write_all(folder, made, disk)
    cache.save(disk, {"digest": digest, "sha256": hashes})
    return hashes
