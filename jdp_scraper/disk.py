"""The one object through which every write of a run goes.

Whoever must not lose anything writes through a ``Disk`` and nothing else, so that the order of writing stands in one
place and a test can make any single operation fail, or never reach the disk. Calls block; the event loop's side wraps
them in threads.
"""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jdp_scraper import system
from jdp_scraper.errors import DiskFull, FolderNotWritable, StorageError

PRIVATE = 0o600
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
_LOOKS_AT_A_TREE = 10
_BETWEEN_LOOKS_S = 0.05
_SYNCS_AT_ONCE = 8
_TRIES = 20


class DiskFile(io.FileIO):
    """An unbuffered file opened by a ``Disk``; a write is either whole or an error."""

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        """Write all of ``data``; raises ``StorageError``."""
        view = memoryview(data)
        with storage_errors(str(self.name)):
            while view:
                view = view[super().write(view) :]
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Shorten to ``size`` bytes; raises ``StorageError``."""
        with storage_errors(str(self.name)):
            return super().truncate(size)

    def close(self) -> None:
        """Close; raises ``StorageError``, as some file systems tell of a failed write only now."""
        with storage_errors(str(self.name)):
            super().close()

    def sync(self) -> None:
        """Return once the content is on the disk; raises ``StorageError``."""
        with storage_errors(str(self.name)):
            os.fsync(self.fileno())


class Disk:
    """Writes, renames and removes files; raises ``StorageError`` and its kinds.

    The methods with an underscore and those of ``DiskFile`` are all that ever touches the disk: whoever overrides them
    sees each single operation of the others.
    """

    def make_folder(self, path: Path) -> None:
        """Make a folder and its parents, durable by name."""
        with storage_errors(str(path)):
            absent = list(itertools.takewhile(lambda one: not one.is_dir(), [path, *path.parents]))
            present = absent[-1].parent if absent else path
            # Whoever was cut off between making a folder and its fsync has left one that a power cut would take away.
            with contextlib.suppress(PermissionError):  # a folder above ours may be closed to us, and is not our making
                self._sync_folder(present.parent)
            for folder in reversed(absent):  # each durable before the next, so that one at most is left like that
                self._make_folder(folder)
                self._sync_folder(folder.parent)

    def open_new(self, path: Path, mode: int | None = None) -> DiskFile:
        """Open an empty file for writing, whatever was there before; ``mode`` holds from its first byte."""
        with storage_errors(str(path)):
            return self._open(path, "wb", None if mode is None else system.opener(mode))

    def open_append(self, path: Path) -> DiskFile:
        """Open a file for writing at its end."""
        with storage_errors(str(path)):
            return self._open(path, "ab")

    def rename(self, source: Path, target: Path) -> None:
        """Move ``source`` over ``target`` in one step, durable when this returns."""
        with storage_errors(str(target)):
            self._replace(source, target)
            self._sync_folder(target.parent)
            if source.parent != target.parent:
                self._sync_folder(source.parent)

    def remove(self, path: Path, *, durable: bool = False) -> None:
        """Remove a file if it is there, with ``durable`` so that no power cut brings it back."""
        with storage_errors(str(path)):
            self._unlink(path)
            if durable and path.parent.is_dir():
                self._sync_folder(path.parent)

    def remove_tree(self, path: Path) -> None:
        """Remove a folder with all that it holds, durable when this returns, if it is there."""
        with storage_errors(str(path)):
            for left in reversed(range(_LOOKS_AT_A_TREE)):
                try:
                    self._remove_tree(path)
                except FileNotFoundError:
                    return
                except OSError as error:
                    if error.errno != errno.ENOTEMPTY or not left:
                        raise
                    time.sleep(_BETWEEN_LOOKS_S)  # who wrote into it meanwhile, a browser that ends, is soon done
                else:
                    break
            self._sync_folder(path.parent)

    def make_private_folder(self, path: Path) -> None:
        """Make a folder that no other user may enter."""
        self.make_folder(path)
        with storage_errors(str(path)):
            system.make_private(path)

    def cut(self, path: Path, size: int) -> None:
        """Shorten a file to ``size`` bytes, durable when this returns."""
        with storage_errors(str(path)), self._open(path, "r+b") as file:
            file.truncate(size)
            file.sync()

    def settle(self, path: Path) -> None:
        """Make a file durable that is there already: whoever wrote it may have been cut off before that."""
        with storage_errors(str(path)):
            with self._open(path, system.SYNC_MODE) as file:
                file.sync()
            self._sync_folder(path.parent)

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

    def write_together(self, contents: Mapping[Path, bytes]) -> None:
        """Replace several files' contents, each in one step, and none before all of them are on the disk.

        Where that fails no part is left, as far as the disk answers.
        """
        parts = {path: path.with_name(path.name + ".tmp") for path in contents}
        try:
            for path, part in parts.items():
                with self.open_new(part) as file:
                    file.write(contents[path])
                    file.sync()
            for path, part in parts.items():
                self.rename(part, path)
        except BaseException:
            for part in parts.values():
                with contextlib.suppress(StorageError):
                    self.remove(part)
            raise

    def write_fresh(self, path: Path, data: bytes) -> None:
        """Write a file anew, never through a second name that it may have; not durable until ``settle_all``.

        There is always a whole one, also where others write there at the same time: the last one's.
        """
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        with storage_errors(str(path)):
            with self._open(part, "wb") as file:
                file.write(data)
            self._replace(part, path)

    def make_fresh_folder(self, path: Path) -> None:
        """Make a folder, if it is not there; not durable until ``settle_all``."""
        with storage_errors(str(path)):
            self._make_folder(path)

    def link(self, source: Path | str, target: Path | str) -> bool:
        """Give a file a second name, or copy it where that cannot be; not durable until ``settle_all``.

        Returns whether it is the same file.
        """
        with storage_errors(str(target)):
            for _ in range(_TRIES):
                with contextlib.suppress(FileExistsError):
                    return self._link(source, target)
                self._unlink(Path(target))  # somebody may write the same content there at the same time, and be quicker
            return self._link(source, target)

    def link_itself(self, source: Path, target: Path) -> None:
        """Give whatever is no folder a second name: a pipe, say; not durable until ``settle_all``."""
        with storage_errors(str(target)):
            self._link_itself(source, target)

    def copy_mode(self, source: Path, target: Path) -> None:
        """Let a folder be for those for whom another one is."""
        with storage_errors(str(target)):
            self._copy_mode(source, target)

    def settle_all(self, folder: Path, paths: Iterable[Path]) -> None:
        """Make files below a folder durable, and all names in it; many at once cost little more than one."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most starts settle no folder

        with storage_errors(str(folder)), ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
            for _ in pool.map(self._sync_file, paths):
                pass
            for _ in pool.map(self._sync_folder, (Path(one) for one, _, _ in os.walk(folder))):
                pass

    def swap_folder(self, new: Path, place: Path, aside: Path) -> Path | None:
        """Put a folder in place of another, in one step where the system can; durable when this returns.

        Returns where the one that was there lies now, for the caller to remove: nothing in it is needed any more.
        Where it cannot, the one that was there lies ``aside`` for a moment in which there is none: whoever finds it
        there and nothing in its place was cut off, and has to put it back. All three lie on one file system.
        """
        with storage_errors(str(place)):
            if not place.exists():
                self.rename(new, place)
                return None
            if self._exchange(new, place):
                self._sync_folder(place.parent)
                self._sync_folder(new.parent)
                return new
            self.rename(place, aside)
            try:
                self.rename(new, place)
            except StorageError:
                self.rename(aside, place)
                raise
            return aside

    # -- the single operations ---------------------------------------------------------------------------------------

    def _open(self, path: Path, mode: str, opener: Callable[[str, int], int] | None = None) -> DiskFile:
        return DiskFile(path, mode, opener=opener)

    def _make_folder(self, path: Path) -> None:
        path.mkdir(exist_ok=True)

    def _replace(self, source: Path, target: Path) -> None:
        system.replace(source, target)

    def _unlink(self, path: Path) -> None:
        system.unlink(path)

    def _remove_tree(self, path: Path) -> None:
        try:
            shutil.rmtree(path)
        except PermissionError:  # folders in it may be closed to their owner
            system.make_private(path)
            for folder, folders, _ in os.walk(path):
                for inner in (Path(folder, name) for name in folders):
                    if not inner.is_symlink():
                        system.make_private(inner)
            shutil.rmtree(path)

    def _sync_folder(self, path: Path) -> None:
        system.sync_folder(path)

    def _sync_file(self, path: Path) -> None:
        with self._open(path, system.SYNC_MODE) as file:
            file.sync()

    def _link(self, source: Path | str, target: Path | str) -> bool:
        return system.link_or_copy(source, target)

    def _link_itself(self, source: Path, target: Path) -> None:
        os.link(source, target, follow_symlinks=False)

    def _copy_mode(self, source: Path, target: Path) -> None:
        shutil.copymode(source, target)

    def _exchange(self, one: Path, other: Path) -> bool:
        return system.exchange(one, other)


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
