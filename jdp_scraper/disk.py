"""The one object through which every write of a run goes.

Whoever must not lose anything writes through a ``Disk`` and nothing else, so that the order of writing stands in one
place and a test can make any single operation fail. Calls block; the event loop's side wraps them in threads.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jdp_scraper import system
from jdp_scraper.errors import DiskFull, FolderNotWritable, StorageError

PRIVATE = 0o600
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


class DiskFile(io.FileIO):
    """An unbuffered file opened by a ``Disk``; a write is either whole or an error."""

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        """Write all of ``data``; raises ``StorageError``."""
        view = memoryview(data)
        with storage_errors(str(self.name)):
            while view:
                view = view[super().write(view) :]
        return len(data)

    def close(self) -> None:
        """Close; raises ``StorageError``, as some file systems tell of a failed write only now."""
        with storage_errors(str(self.name)):
            super().close()

    def sync(self) -> None:
        """Return once the content is on the disk; raises ``StorageError``."""
        with storage_errors(str(self.name)):
            os.fsync(self.fileno())


class Disk:
    """Writes, renames and removes files; raises ``StorageError`` and its kinds."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and its parents, durable by name."""
        with storage_errors(str(path)):
            missing = [path, *path.parents]
            missing = missing[: next(at for at, one in enumerate(missing) if one.is_dir())]
            path.mkdir(parents=True, exist_ok=True)
            for made in missing:
                system.sync_folder(made.parent)

    def open_new(self, path: Path, mode: int | None = None) -> DiskFile:
        """Open an empty file for writing, whatever was there before; ``mode`` holds from its first byte."""
        with storage_errors(str(path)):
            return DiskFile(path, "wb", opener=None if mode is None else system.opener(mode))

    def open_append(self, path: Path) -> DiskFile:
        """Open a file for writing at its end."""
        with storage_errors(str(path)):
            return DiskFile(path, "ab")

    def rename(self, source: Path, target: Path) -> None:
        """Move ``source`` over ``target`` in one step, durable when this returns."""
        with storage_errors(str(target)):
            source.replace(target)
            system.sync_folder(target.parent)
            if source.parent != target.parent:
                system.sync_folder(source.parent)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        with storage_errors(str(path)):
            path.unlink(missing_ok=True)

    def remove_tree(self, path: Path) -> None:
        """Remove a folder with all that it holds, durable when this returns, if it is there."""
        with storage_errors(str(path)):
            try:
                shutil.rmtree(path)
            except FileNotFoundError:
                return
            system.sync_folder(path.parent)

    def make_private_folder(self, path: Path) -> None:
        """Make a folder that no other user may enter."""
        self.make_folder(path)
        with storage_errors(str(path)):
            system.make_private(path)

    def cut(self, path: Path, size: int) -> None:
        """Shorten a file to ``size`` bytes, durable when this returns."""
        with storage_errors(str(path)), path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())

    def write_whole(self, path: Path, data: bytes, mode: int | None = None) -> None:
        """Replace a file's content in one step: whoever reads it sees all of the old or all of the new."""
        self.write_with(path, lambda file: file.write(data), mode)

    def write_with(self, path: Path, fill: Callable[[DiskFile], object], mode: int | None = None) -> None:
        """As ``write_whole``, with the content written by ``fill``; nothing is left where that raises."""
        part = path.with_name(path.name + ".tmp")
        try:
            with self.open_new(part, mode) as file:
                fill(file)
                file.sync()
        except StorageError:
            raise  # the disk itself may not answer: what is left is of no harm, and the next write replaces it
        except BaseException:
            self.remove(part)
            raise
        self.rename(part, path)


@contextmanager
def storage_errors(where: str) -> Iterator[None]:
    """Map the system's error to the one line that tells a user what to do."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(f"the disk is full: {where}: make room and start again, the run goes on") from error
        if error.errno in _READ_ONLY:
            raise FolderNotWritable(
                f"cannot write {where}: {error.strerror}: correct its rights or set DOWNLOAD_FOLDER"
            ) from error
        raise StorageError(f"cannot write {where}: {error.strerror or error}") from error
