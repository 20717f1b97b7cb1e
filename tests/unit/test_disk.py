"""The disk: whole or an error, and every error of the system is one of three lines."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from jdp_scraper.disk import Disk, storage_errors
from jdp_scraper.errors import DiskFull, FolderNotWritable, StorageError
from tests.support.disks import FaultyDisk, ModelDisk, PowerCut


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EACCES, FolderNotWritable),
        (errno.EPERM, FolderNotWritable),
        (errno.EROFS, FolderNotWritable),
        (errno.EIO, StorageError),
    ],
)
def test_an_error_of_the_system_becomes_ours_with_the_path(number: int, kind: type[StorageError]) -> None:
    cause = OSError(number, os.strerror(number))
    with pytest.raises(StorageError, match="the/place") as caught, storage_errors("the/place"):
        raise cause
    assert type(caught.value) is kind
    assert caught.value.__cause__ is cause


def test_an_error_that_is_ours_already_stays_as_it_is() -> None:
    with pytest.raises(DiskFull, match=r"^inner$"), storage_errors("outer"):
        raise DiskFull("inner")


def test_writing_whole_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    disk = Disk()
    disk.write_whole(path, b"old")
    disk.write_whole(path, b"new and longer", mode=0o600)
    assert path.read_bytes() == b"new and longer"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    class NoRename(Disk):
        def rename(self, source: Path, target: Path) -> None:
            raise DiskFull

    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(DiskFull):
        NoRename().write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_files_that_are_written_together_are_all_there_or_none_and_leave_nothing_else(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    counting = FaultyDisk()
    counting.write_together(dict.fromkeys(paths, b"old"))
    assert counting.count == 3 * (1 + 2) + 3 * 2  # opened, written, synced; renamed, the folder synced
    for number in range(1, counting.count + 1):
        for path in paths:
            path.write_bytes(b"old")
        disk = FaultyDisk(number)
        disk.once = True
        with pytest.raises(DiskFull):
            disk.write_together(dict.fromkeys(paths, b"new"))
        assert sorted(tmp_path.iterdir()) == paths
        found = [path.read_bytes() for path in paths]
        assert found == [b"old"] * 3 or number > 3 * 3


def test_folders_are_made_with_their_parents_and_may_be_there(tmp_path: Path) -> None:
    deep = tmp_path / "one" / "two" / "three"
    Disk().make_folder(deep)
    Disk().make_folder(deep)
    assert deep.is_dir()


def test_a_folder_that_an_earlier_start_left_undurable_is_made_durable(tmp_path: Path) -> None:
    disk = ModelDisk(tmp_path)
    disk.arm(3, PowerCut())  # after the folder is made, before its fsync
    with pytest.raises(PowerCut):
        disk.make_folder(tmp_path / "one" / "two")
    assert (tmp_path / "one").is_dir()
    disk.disarm()
    disk.make_folder(tmp_path / "one")
    disk.power_cut(lambda choices: 0)
    assert (tmp_path / "one").is_dir()


def test_a_folder_below_one_that_is_closed_to_us_is_used_all_the_same(tmp_path: Path) -> None:
    class Closed(Disk):
        def _sync_folder(self, path: Path) -> None:
            if path == tmp_path.parent:
                raise PermissionError(errno.EACCES, "Permission denied")
            super()._sync_folder(path)

    Closed().make_folder(tmp_path)
    Closed().make_folder(tmp_path / "new")
    assert (tmp_path / "new").is_dir()


def test_a_file_that_another_process_left_is_settled_with_its_name(tmp_path: Path) -> None:
    disk = ModelDisk(tmp_path)
    with disk.open_new(tmp_path / "part") as file:
        file.write(b"content")
    disk.arm(2, PowerCut())  # renamed, and cut off before the folder's fsync
    with pytest.raises(PowerCut):
        disk.rename(tmp_path / "part", tmp_path / "file")
    disk.disarm()
    disk.settle(tmp_path / "file")
    disk.power_cut(lambda choices: 0)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"content")]


def test_a_file_in_the_way_of_a_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(StorageError):
        Disk().make_folder(tmp_path / "taken" / "below")


def test_appending_goes_to_the_end_and_cutting_takes_it_away(tmp_path: Path) -> None:
    path, disk = tmp_path / "file", Disk()
    for part in (b"one,", b"two"):
        with disk.open_append(path) as file:
            assert file.write(part) == len(part)
            file.sync()
    assert path.read_bytes() == b"one,two"
    disk.cut(path, 4)
    assert path.read_bytes() == b"one,"


def test_opening_anew_empties_and_removing_twice_is_fine(tmp_path: Path) -> None:
    path, disk = tmp_path / "file", Disk()
    path.write_bytes(b"old")
    disk.open_new(path).close()
    assert path.read_bytes() == b""
    disk.remove(path)
    disk.remove(path)
    assert not path.exists()


class WithAWriter(Disk):
    """A disk on which another process writes into a folder while it is being removed, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def _remove_tree(self, path: Path) -> None:
        if self.times:
            self.times -= 1
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        super()._remove_tree(path)


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_folder_that_is_still_written_to_is_removed_in_the_end(times: int, tmp_path: Path) -> None:
    (tmp_path / "traces" / "below").mkdir(parents=True)
    WithAWriter(times).remove_tree(tmp_path / "traces")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_stays_in_use_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "traces").mkdir()
    with pytest.raises(StorageError, match="not empty"):
        WithAWriter(1000).remove_tree(tmp_path / "traces")
