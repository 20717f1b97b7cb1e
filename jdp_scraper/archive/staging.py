"""The next archive, made beside the one that is served and put in its place as a whole.

Files that have not changed are taken over from the last archive under a second name, so that it costs next to nothing
to make a whole one. The archive that was replaced is what the next one is made of: most of its files are the served
ones already. What was cut off leaves the archive as it was, and its remains are removed by the next build.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from jdp_scraper.archive.addresses import ATOM, RSS, SITEMAP
from jdp_scraper.archive.asset import PDFS, PICTURES
from jdp_scraper.archive.cache import FileFacts
from jdp_scraper.archive.link_check import KnownLinks
from jdp_scraper.archive.pages import INDEX
from jdp_scraper.archive.rendering import VEHICLES
from jdp_scraper.archive.static_files import FOLDER
from jdp_scraper.catalog.sources import ARCHIVE_MARK
from jdp_scraper.catalog.stamps import storable
from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import ArchiveError, StorageError

FOLDERS = (PDFS, PICTURES, VEHICLES, FOLDER)
# What lies at the top of an archive and is made by builds; all else there is its owner's and stays.
_OURS = {*FOLDERS, INDEX, ATOM, RSS, ARCHIVE_MARK}
_MARK = b"Made by jdp_scraper. What is made by a build is replaced by the next one; other files beside it stay.\n"
_NEXT = "next"
_BEFORE = "before"
_SPARE = "last"
# A file's size, time of its last change, inode and device: equal ones are one file under two names.
_Facts: TypeAlias = tuple[int, int, int, int]
_NO_FILE: _Facts = (-1, -1, 0, 0)


def refuse_other_files(out: Path) -> None:
    """Raise ``ArchiveError`` where a folder holds what no archive does."""
    with storage_errors(str(out)):
        if out.exists() and not _is_archive(out):
            raise ArchiveError(f"{out} holds other files: name an empty folder, or one that is not there yet")


class Staging:
    """One build's folder ``next`` below ``state``, and the archive ``out`` that it takes the place of.

    ``known`` are the files of the last archive as they were put there. All calls block and raise ``StorageError``.
    """

    def __init__(self, out: Path, state: Path, disk: Disk, known: Mapping[str, FileFacts]) -> None:
        self._out = out
        self._disk = disk
        self._known = known
        self._aside = state / _BEFORE
        self._spare = state / _SPARE
        self._there: dict[str, _Facts] = {}
        self._replaced_files: dict[str, _Facts] | None = None
        self._fresh: list[Path] = []
        self._replaced: Path | None = None
        self.root = state / _NEXT
        self.files: dict[str, FileFacts] = {}

    def look(self) -> None:
        """Put back what a cut-off build has left aside, and see what the archive holds; raises ``ArchiveError``."""
        if not self._out.exists() and self._aside.exists():
            self._disk.rename(self._aside, self._out)
        refuse_other_files(self._out)
        with storage_errors(str(self._out)):
            self._there = dict(_files(self._out))

    def is_whole(self) -> bool:
        """Tell whether the archive is exactly as the last build has left it."""
        return bool(self._known) and self._there.keys() == self._known.keys() and all(map(self.is_intact, self._known))

    def is_intact(self, path: str) -> bool:
        """Tell whether a file of the archive is as the last build has left it."""
        known = self._known.get(path)
        return known is not None and self._there.get(path, _NO_FILE)[:2] == (known.size, known.mtime_ns)

    def last(self, path: str) -> Path | None:
        """Return where a file of the last build lies, if it is intact."""
        return self._out / path if self.is_intact(path) else None

    def is_made_from(self, path: str, made_from: str) -> bool:
        """Tell whether a page of the archive is intact and was made of the same."""
        return self.is_intact(path) and self._known[path].made_from == made_from

    def begin(self) -> None:
        """Make the folder ready: of the archive that was replaced last, or anew."""
        for path in (self.root, self._aside):
            self._disk.remove_tree(path)
        if self._spare.is_dir() and not self._spare.is_symlink():
            self._disk.rename(self._spare, self.root)
            with storage_errors(str(self.root)):
                strange = list(_strange_in(self.root))
            self._remove(strange)
        else:
            self._disk.make_folder(self.root)
        for name in FOLDERS:
            self._disk.make_fresh_folder(self.root / name)
        self.write(ARCHIVE_MARK, _MARK)

    def keep(self, path: str) -> None:
        """Take an intact file over from the archive."""
        known, there = self._known[path], self._there[path]
        if there[2] and self._in_root().get(path) == there:
            self.files[path] = known
            return
        # Texts and not paths, as there are thousands.
        if self._disk.link(f"{self._out}{os.sep}{path}", f"{self.root}{os.sep}{path}"):
            self.files[path] = known
        else:
            with storage_errors(str(self.root / path)):
                self.files[path] = known._replace(mtime_ns=storable((self.root / path).stat().st_mtime_ns))
            self._fresh.append(self.root / path)

    def link(self, path: str, source: Path) -> None:
        """Put a file of another folder here, under a second name where that can be."""
        self._disk.link(source, self.root / path)
        self.take_in(path)

    def write(self, path: str, content: bytes, made_from: str = "") -> None:
        """Write a file."""
        self._disk.write_fresh(self.root / path, content)
        self.take_in(path, made_from)

    def take_in(self, path: str, made_from: str = "") -> None:
        """Count a file in that lies here already."""
        with storage_errors(str(self.root / path)):
            told = (self.root / path).stat()
        self.files[path] = FileFacts(told.st_size, storable(told.st_mtime_ns), made_from)
        self._fresh.append(self.root / path)

    def known_links(self) -> dict[str, KnownLinks]:
        """Return the links of the pages that were taken over, as far as they are known."""
        return {path: KnownLinks(one.facts) for path, one in self.files.items() if one.facts}

    def tell_links(self, pages: Mapping[str, KnownLinks]) -> None:
        """Note the links of pages for the next build."""
        for path, page in pages.items():
            if path in self.files and self.files[path].facts != page.text:
                self.files[path] = self.files[path]._replace(facts=page.text)

    def publish(self) -> None:
        """Make all of it durable, and put it in the archive's place."""
        self._make_sure()
        self._take_over_what_is_not_ours(self._out, self.root)
        if self._out.is_dir():
            self._disk.copy_mode(self._out, self.root)
        self._disk.settle_all(self.root, dict.fromkeys(self._fresh))
        self._replaced = self._disk.swap_folder(self.root, self._out, self._aside)

    def clear_away(self) -> None:
        """Set the archive that was replaced aside, for the next build; what cannot be moved is of no harm.

        What its owner has put into it while it was replaced is taken over too.
        """
        if self._replaced is not None:
            self._take_over_what_is_not_ours(self._replaced, self._out)
            self._set_aside(self._replaced)

    def leave(self) -> None:
        """End without an archive, as there is nothing to change."""
        if self.root.exists():
            self._set_aside(self.root)

    def drop(self) -> None:
        """Remove what was made, where it is not to be published."""
        self._disk.remove_tree(self.root)

    def _in_root(self) -> dict[str, _Facts]:
        """Return what the replaced archive has left, when this is first asked; workers may write meanwhile."""
        if self._replaced_files is None:
            with storage_errors(str(self.root)):
                self._replaced_files = dict(_files(self.root))
        return self._replaced_files

    def _make_sure(self) -> None:
        """Let nothing lie here but the files of this archive, and each of them, whoever has written here meanwhile."""
        with storage_errors(str(self.root)):
            there = dict(_files(self.root))
        self._remove(there.keys() - self.files.keys())
        for path, known in self.files.items():
            if there.get(path, _NO_FILE)[:2] == (known.size, known.mtime_ns):
                continue
            if self.is_intact(path) and known[:2] == self._known[path][:2]:
                self._disk.link(self._out / path, self.root / path)
            self.take_in(path, known.made_from)
            self.files[path] = self.files[path]._replace(facts=known.facts)

    def _set_aside(self, folder: Path) -> None:
        with contextlib.suppress(StorageError):
            self._disk.remove_tree(self._spare)
            self._disk.rename(folder, self._spare)

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            one = self.root / path
            if one.is_dir() and not one.is_symlink():
                self._disk.remove_tree(one)
            else:
                self._disk.remove(one)

    def _take_over_what_is_not_ours(self, folder: Path, to: Path) -> None:
        if not folder.is_dir():
            return
        for one in folder.iterdir():
            if not _is_ours(one.name) and not os.path.lexists(to / one.name):
                self._take_over(one, to / one.name)

    def _take_over(self, one: Path, target: Path) -> None:
        with storage_errors(str(target)):
            if one.is_symlink():
                target.symlink_to(one.readlink())
            elif one.is_dir():
                self._disk.make_fresh_folder(target)
                for inner in one.iterdir():
                    self._take_over(inner, target / inner.name)
                self._disk.copy_mode(one, target)
            elif one.is_file():
                self._disk.link(one, target)
            else:
                self._disk.link_itself(one, target)


def _is_archive(folder: Path) -> bool:
    return folder.is_dir() and ((folder / ARCHIVE_MARK).is_file() or not any(folder.iterdir()))


def _is_ours(name: str) -> bool:
    stem, _, ending = SITEMAP.partition(".")
    return name in _OURS or (name.startswith(stem) and name.endswith(ending))


def _strange_in(root: Path) -> Iterator[str]:
    """Yield what is not ours in an archive, and what is no file or folder where ours is one."""
    for entry in os.scandir(root):
        if entry.name in FOLDERS and entry.is_dir(follow_symlinks=False):
            for inner in os.scandir(entry.path):
                if not inner.is_file(follow_symlinks=False):
                    yield f"{entry.name}/{inner.name}"
        elif entry.name in FOLDERS or not _is_ours(entry.name) or not entry.is_file(follow_symlinks=False):
            yield entry.name


def _files(out: Path) -> Iterator[tuple[str, _Facts]]:
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(out):
            if entry.name in FOLDERS and entry.is_dir(follow_symlinks=False):
                for inner in os.scandir(entry.path):
                    yield f"{entry.name}/{inner.name}", _facts(inner)
            elif _is_ours(entry.name):
                yield entry.name, _facts(entry)


def _facts(entry: os.DirEntry[str]) -> _Facts:
    try:
        told = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return _NO_FILE
    if not stat.S_ISREG(told.st_mode):
        return _NO_FILE
    # Windows tells no inode here: then no two files are known to be one.
    return told.st_size, storable(told.st_mtime_ns), told.st_ino, told.st_dev
