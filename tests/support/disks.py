"""Disks for tests: one whose operations fail on request, and one that knows what a power cut may take away.

Both spoil the single operations of ``Disk`` alone, so that everything above them is the program's own.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeAlias

from jdp_scraper.disk import Disk, DiskFile, storage_errors

Opener: TypeAlias = Callable[[str, int], int] | None
# Returns a whole number from 0 to below the one given: a strategy of Hypothesis, or none of it.
Choose: TypeAlias = Callable[[int], int]


class PowerCut(BaseException):
    """The process, or the machine with it, has stopped dead."""


class FaultyDisk(Disk):
    """Counts its operations; from number ``fail_at`` on (or only then, where ``once``) they fail.

    A write that fails has put ``part`` of its data into the file before.
    """

    def __init__(self, fail_at: int = 0, error: BaseException | None = None, part: float = 0.5) -> None:
        self.fail_at = fail_at
        self.error = error or OSError(errno.ENOSPC, "No space left on device")
        self.part = part
        self.once = False
        self.count = 0
        self.syncs = 0
        self.lock = threading.RLock()  # one operation at a time, whichever thread it is of

    def operation(self) -> bool:
        self.count += 1
        return bool(self.fail_at) and (self.count == self.fail_at or (self.count > self.fail_at and not self.once))

    def check(self) -> None:
        if self.operation():
            self.fail()

    def fail(self) -> NoReturn:
        raise type(self.error)(*self.error.args)  # a new one each time, without the last one's traceback

    def _open(self, path: Path, mode: str, opener: Opener = None) -> DiskFile:
        with self.lock:
            self.check()
            return FaultyFile(self, path, mode, opener)

    def _make_folder(self, path: Path) -> None:
        with self.lock:
            self.check()
            super()._make_folder(path)

    def _replace(self, source: Path, target: Path) -> None:
        with self.lock:
            self.check()
            super()._replace(source, target)

    def _unlink(self, path: Path) -> None:
        with self.lock:
            self.check()
            super()._unlink(path)

    def _sync_folder(self, path: Path) -> None:
        with self.lock:
            self.check()
            super()._sync_folder(path)


class FaultyFile(DiskFile):
    def __init__(self, disk: FaultyDisk, path: Path, mode: str, opener: Opener) -> None:
        super().__init__(path, mode, opener=opener)
        self._disk = disk

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        with self._disk.lock, storage_errors(str(self.name)):
            if self._disk.operation():
                super().write(bytes(data)[: int(len(data) * self._disk.part)])
                self._disk.fail()
            return super().write(data)

    def truncate(self, size: int | None = None) -> int:
        with self._disk.lock, storage_errors(str(self.name)):
            self._disk.check()
            return super().truncate(size)

    def sync(self) -> None:
        with self._disk.lock, storage_errors(str(self.name)):
            self._disk.check()
            self._disk.syncs += 1
            self.settle()

    def settle(self) -> None:
        super().sync()


# -- what a power cut may take away ------------------------------------------------------------------------------------


@dataclass
class _Change:
    """A write of ``data`` at ``offset``, or a cut to ``offset`` bytes where there is none, that no fsync has covered.

    ``lost``: its fsync has failed. The system does not try such bytes again, whatever later fsyncs say.
    """

    offset: int
    data: bytes | None
    lost: bool = False


@dataclass(eq=False)
class _File:
    size: int = 0
    durable: bytes = b""
    pending: list[_Change] = field(default_factory=list)


@dataclass(eq=False)
class _Folder:
    """``names`` are those that a program sees, ``durable`` those that are on the disk for certain."""

    names: dict[str, _File | _Folder] = field(default_factory=dict)
    durable: dict[str, _File | _Folder] = field(default_factory=dict)


# What one operation does to the names of each folder that is not fsynced since.
_Naming: TypeAlias = dict[_Folder, list[tuple[str, "_File | _Folder | None"]]]


class ModelDisk(FaultyDisk):
    """Works on real files below ``root``, and tracks what of them is durable.

    A file's bytes are durable by its fsync, its name by its folder's. A rename is one step, durable by the fsyncs of
    both folders. ``power_cut`` leaves below ``root`` what such a disk may hold then. Nothing is really fsynced.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self._top = _Folder()
        self._namings: list[_Naming] = []

    def take_in(self) -> None:
        """Take what lies below ``root`` already for durable."""
        self._top = _durable(self.root)

    def arm(self, fail_at: int, error: BaseException, *, once: bool = False, part: float = 0.5) -> None:
        """From its operation number ``fail_at`` from now on the disk fails."""
        self.count, self.fail_at, self.error, self.once, self.part = 0, fail_at, error, once, part

    def disarm(self) -> None:
        self.count = self.fail_at = 0

    def power_cut(self, choose: Choose) -> None:
        """Let the machine go off and on: of what was not durable ``choose`` tells what had reached the disk."""
        for naming in self._namings:
            if choose(2):
                self._name(naming)
        self._namings.clear()
        _wipe(self.root)
        self._lay_out(self._top, self.root, choose)

    # -- the single operations -------------------------------------------------------------------------------------

    def _open(self, path: Path, mode: str, opener: Opener = None) -> DiskFile:
        with self.lock:
            self.check()
            folder, node = self._find(path.parent), None
            with suppress(KeyError):
                node = folder.names[path.name]
            real = ModelFile(self, path, mode, opener)
            if node is None:
                node = _File()
                self._change(folder, (path.name, node))
            assert isinstance(node, _File)
            real.node = node
            if mode == "wb" and node.size:
                real.changed(0, None)
            return real

    def _make_folder(self, path: Path) -> None:
        with self.lock:
            there = path.is_dir()
            super()._make_folder(path)
            if not there:
                self._change(self._find(path.parent), (path.name, _Folder()))

    def _replace(self, source: Path, target: Path) -> None:
        with self.lock:
            super()._replace(source, target)
            old, new = self._find(source.parent), self._find(target.parent)
            node = old.names[source.name]
            if old is new:
                self._change(old, (source.name, None), (target.name, node))
            else:
                naming: _Naming = {old: [(source.name, None)], new: [(target.name, node)]}
                self._namings.append(naming)
                del old.names[source.name]
                new.names[target.name] = node

    def _unlink(self, path: Path) -> None:
        with self.lock:
            super()._unlink(path)
            if path.parent.is_dir() and path.name in self._find(path.parent).names:
                self._change(self._find(path.parent), (path.name, None))

    def _sync_folder(self, path: Path) -> None:
        with self.lock:
            self.check()
            if path == self.root or self.root in path.parents:
                folder = self._find(path)
                for naming in self._namings:
                    self._name({folder: naming.pop(folder, [])})
                self._namings = [naming for naming in self._namings if naming]

    # -- within ----------------------------------------------------------------------------------------------------

    def _find(self, path: Path) -> _Folder:
        node: _File | _Folder = self._top
        for name in path.relative_to(self.root).parts:
            assert isinstance(node, _Folder)
            node = node.names[name]
        assert isinstance(node, _Folder)
        return node

    def _change(self, folder: _Folder, *changes: tuple[str, _File | _Folder | None]) -> None:
        self._namings.append({folder: list(changes)})
        _apply(folder.names, changes)

    def _name(self, naming: _Naming) -> None:
        for folder, changes in naming.items():
            _apply(folder.durable, changes)

    def _lay_out(self, folder: _Folder, path: Path, choose: Choose) -> None:
        folder.names = dict(folder.durable)
        for name, node in sorted(folder.durable.items()):
            if isinstance(node, _Folder):
                (path / name).mkdir()
                self._lay_out(node, path / name, choose)
            else:
                node.durable = _survivor(node, choose)
                node.size, node.pending = len(node.durable), []
                (path / name).write_bytes(node.durable)


class ModelFile(FaultyFile):
    node: _File

    def changed(self, offset: int, data: bytes | None) -> None:
        """Take note of what the file sees now and the disk may not have yet."""
        if data is None:
            # Bytes that are written anew are the file's again, whatever became of their first fsync.
            self.node.pending = [change for change in self.node.pending if not change.lost or change.offset < offset]
        self.node.pending.append(_Change(offset, data))
        self.node.size = offset if data is None else max(self.node.size, offset + len(data))

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        with self._disk.lock:
            offset = self.node.size if "a" in self.mode else self.tell()
            before = Path(str(self.name)).stat().st_size if self._disk.fail_at else 0
            try:
                written = super().write(data)
            except BaseException:
                torn = max(0, Path(str(self.name)).stat().st_size - before)
                self.changed(offset, bytes(data)[:torn])
                raise
            self.changed(offset, bytes(data))
            return written

    def truncate(self, size: int | None = None) -> int:
        with self._disk.lock:
            result = super().truncate(size)
            self.changed(result, None)
            return result

    def sync(self) -> None:
        with self._disk.lock:
            try:
                super().sync()
            except Exception:
                for change in self.node.pending:
                    change.lost = True
                raise

    def settle(self) -> None:
        content = bytearray(self.node.durable)
        for change in self.node.pending:
            if not change.lost:
                _write(content, change.offset, change.data)
        self.node.durable = bytes(content)
        self.node.pending = [change for change in self.node.pending if change.lost]


def _apply(names: dict[str, _File | _Folder], changes: Iterable[tuple[str, _File | _Folder | None]]) -> None:
    for name, node in changes:
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def _write(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
    else:
        content.extend(b"\0" * (offset - len(content)))
        content[offset : offset + len(data)] = data


def _survivor(file: _File, choose: Choose) -> bytes:
    """Return what a file may hold after a power cut: any of its changes, writes whole, torn, zeroed or spoiled."""
    content = bytearray(file.durable)
    for change in file.pending:
        if change.data is None:
            if choose(2):
                _write(content, change.offset, None)
        elif change.data and choose(2):
            _write(content, change.offset, _torn(change.data, choose))
    return bytes(content)


def _torn(data: bytes, choose: Choose) -> bytes:
    size = len(data)
    kind = choose(5)
    if kind == 4:
        return data
    at = choose(size + 1)
    spoiled = (b"\xa5\n{" * size)[:size]
    return (data[:at], data[:at] + b"\0" * (size - at), data[:at] + spoiled[at:], b"\0" * at + data[at:])[kind]


def _durable(path: Path) -> _Folder:
    folder = _Folder()
    for inner in path.iterdir():
        content = b"" if inner.is_dir() else inner.read_bytes()
        folder.durable[inner.name] = _durable(inner) if inner.is_dir() else _File(len(content), content)
    folder.names = dict(folder.durable)
    return folder


def _wipe(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            _wipe(path)
            path.rmdir()
        else:
            path.unlink()
