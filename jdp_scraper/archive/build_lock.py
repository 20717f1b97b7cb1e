"""Keeps two builds of one archive apart; the system lets go of the lock when its process dies."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import ArchiveBusy, FolderNotWritable

LOCK = "lock"
_DYING_S = 0.5


class BuildLock:
    """An async context manager that holds an archive's build for this process, making the folder ``state``.

    Entering raises ``ArchiveBusy`` or ``StorageError``.
    """

    def __init__(self, out: Path, state: Path, disk: Disk) -> None:
        self._out = out
        self._state = state
        self._disk = disk
        # Taken and let go by whichever thread is free, hence not bound to one. A build that was killed while it started
        # a worker lets go a moment later, with that.
        self._lock = FileLock(state / LOCK, timeout=_DYING_S, thread_local=False)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._acquire)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._lock.release)

    def _acquire(self) -> None:
        self._disk.make_private_folder(self._state)  # whoever serves what lies beside the archive serves none of it
        with storage_errors(str(self._state / LOCK)):
            try:
                self._lock.acquire()
            except Timeout:  # caught first: it is an OSError too
                raise ArchiveBusy(
                    f"another build of {self._out} is under way: wait for its end, or name --out"
                ) from None
            except NotImplementedError as error:
                raise FolderNotWritable(f"{self._state} lies on a file system without locks: name --out") from error
