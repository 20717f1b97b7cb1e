"""Keeps two runs out of one download folder; the system lets go of the lock when its process dies."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import FolderNotWritable, RunFolderBusy

LOCK = ".running.lock"
PID = ".running.pid"


class DownloadLock:
    """An async context manager that holds a download folder for this process, making it where there is none.

    Entering raises ``RunFolderBusy`` with the other's process id where it is known, or ``StorageError``.
    """

    def __init__(self, download_folder: Path, disk: Disk) -> None:
        self._folder = download_folder
        self._disk = disk
        # Taken and let go by whichever thread is free, hence not bound to one.
        self._lock = FileLock(download_folder / LOCK, timeout=0, thread_local=False)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._acquire)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._release)

    def _acquire(self) -> None:
        self._disk.make_folder(self._folder)
        with storage_errors(str(self._folder / LOCK)):
            self._lock_file()
        try:
            self._disk.write_whole(self._folder / PID, b"%d\n" % os.getpid())
        except BaseException:
            self._lock.release()
            raise

    def _lock_file(self) -> None:
        try:
            self._lock.acquire()
        except Timeout:  # caught first: it is an OSError too
            whose = _whose(self._folder)
            raise RunFolderBusy(
                f"another run works in {self._folder}{whose}: wait for its end or set another DOWNLOAD_FOLDER"
            ) from None
        except NotImplementedError as error:
            raise FolderNotWritable(
                f"{self._folder} lies on a file system without locks: set another DOWNLOAD_FOLDER"
            ) from error

    def _release(self) -> None:
        try:
            self._disk.remove(self._folder / PID)
        finally:
            self._lock.release()


def refuse_if_busy(download_folder: Path) -> None:
    """Raise ``RunFolderBusy`` where a run is at work in a folder, without holding a start up; blocks.

    Where no run has left its process id, not even the lock is looked at: a folder that cannot be written will do.
    """
    if not (download_folder / PID).exists():
        return
    lock = FileLock(download_folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunFolderBusy(f"a run works in {download_folder}{_whose(download_folder)}: wait for its end") from None
    except (OSError, NotImplementedError):
        return
    lock.release()


def _whose(folder: Path) -> str:
    try:
        return f" (process {int((folder / PID).read_text('ascii'))})"
    except (OSError, ValueError):
        return ""
