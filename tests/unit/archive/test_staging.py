"""The archive that is served is a whole one at every moment, wherever a build is cut off."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.archive.cache import FileFacts
from jdp_scraper.archive.staging import Staging
from jdp_scraper.disk import Disk, DiskFile
from jdp_scraper.errors import ArchiveError
from tests.support.disks import PowerCut
from tests.support.run_folders import files_of

OLD = {"index.html": b"old", "vehicles/1.html": b"one", "vehicles/2.html": b"two", "pdfs/1.ab.pdf": b"%PDF-1"}
NEW = {"index.html": b"new", "vehicles/1.html": b"one", "vehicles/3.html": b"three", "pdfs/1.ab.pdf": b"%PDF-1"}
OPERATIONS = ("_open", "_make_folder", "_replace", "_unlink", "_remove_tree", "_link", "_exchange", "_sync_file")


class CutDisk(Disk):
    """Ends at its n-th operation, before or after it was done; without ``exchange`` as on a system that has none."""

    def __init__(self, cut_at: int = 0, *, done: bool = False, exchange: bool = True) -> None:
        self._cut_at = cut_at
        self._numbers = itertools.count(1)  # counts rightly in several threads, too
        for name in OPERATIONS:
            setattr(self, name, self._counted(getattr(self, name), done))
        if not exchange:
            self._exchange = lambda one, other: False  # type: ignore[method-assign]

    def _counted(self, operation: Callable[..., Any], done: bool) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            if next(self._numbers) != self._cut_at:
                return operation(*arguments)
            if done:
                with contextlib.suppress(OSError):  # it may have nothing to do, such as to remove what is not there
                    result = operation(*arguments)
                    if isinstance(result, DiskFile):
                        result.close()
            raise PowerCut

        return counted


def facts_of(out: Path) -> dict[str, FileFacts]:
    found = {}
    for path in files_of(out):
        told = (out / path).stat()
        found[path] = FileFacts(told.st_size, told.st_mtime_ns, f"of {path}")
    return found


def build(folder: Path, content: dict[str, bytes], disk: Disk | None = None) -> Staging:
    """Build as the archive's build does: keep what is the same, write the rest."""
    out = folder / "archive"
    staging = Staging(out, folder / ".archive.build", disk or Disk(), facts_of(out))
    staging.look()
    staging.begin()
    for path, data in content.items():
        if staging.is_intact(path) and (out / path).read_bytes() == data:
            staging.keep(path)
        else:
            staging.write(path, data)
    staging.publish()
    staging.clear_away()
    return staging


def served(folder: Path) -> dict[str, bytes]:
    found = files_of(folder / "archive")
    found.pop(".archive", None)
    return found


def test_what_changed_is_written_what_did_not_is_the_same_file_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    build(tmp_path, OLD)
    kept = (tmp_path / "archive" / "vehicles" / "1.html").stat().st_ino
    build(tmp_path, NEW)
    assert served(tmp_path) == NEW
    assert (tmp_path / "archive" / "vehicles" / "1.html").stat().st_ino == kept
    assert [path.name for path in (tmp_path / ".archive.build").iterdir()] == ["last"]


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("done", [True, False])
def test_a_build_that_is_cut_off_at_any_operation_leaves_a_whole_archive(
    tmp_path: Path, exchange: bool, done: bool
) -> None:
    """Without an exchange in one step the next build, which looks first, puts the archive back."""
    seen = set()
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        folder.mkdir()
        build(folder, OLD)
        try:
            build(folder, NEW, CutDisk(number, done=done, exchange=exchange))
        except PowerCut:
            pass
        else:
            break
        if not exchange:
            Staging(folder / "archive", folder / ".archive.build", Disk(), {}).look()
        found = served(folder)
        assert found in (OLD, NEW)
        seen.add(found["index.html"])
        build(folder, NEW)
        assert served(folder) == NEW
        assert [path.name for path in (folder / ".archive.build").iterdir()] == ["last"]
    assert seen == {b"old", b"new"}
    assert number > 20


def test_the_first_build_that_is_cut_off_leaves_no_archive_or_a_whole_one(tmp_path: Path) -> None:
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            build(folder, NEW, CutDisk(number))
        except PowerCut:
            assert not (folder / "archive").exists() or served(folder) == NEW
        else:
            break
    assert number > 20


def test_a_file_that_somebody_has_changed_or_removed_does_not_count_as_intact(tmp_path: Path) -> None:
    build(tmp_path, OLD)
    known = facts_of(tmp_path / "archive")
    (tmp_path / "archive" / "vehicles" / "1.html").write_bytes(b"spoilt")
    (tmp_path / "archive" / "vehicles" / "2.html").unlink()
    staging = Staging(tmp_path / "archive", tmp_path / ".archive.build", Disk(), known)
    staging.look()
    assert not staging.is_whole()
    assert [path for path in OLD if not staging.is_intact(path)] == ["vehicles/1.html", "vehicles/2.html"]
    assert staging.is_made_from("index.html", "of index.html")
    assert not staging.is_made_from("index.html", "of something else")


def test_an_untouched_archive_is_whole_and_one_with_a_foreign_page_among_ours_is_not(tmp_path: Path) -> None:
    build(tmp_path, OLD)
    known = facts_of(tmp_path / "archive")

    def is_whole() -> bool:
        staging = Staging(tmp_path / "archive", tmp_path / ".archive.build", Disk(), known)
        staging.look()
        return staging.is_whole()

    assert is_whole()
    (tmp_path / "archive" / "vehicles" / "x.html").touch()
    assert not is_whole()


def test_what_is_the_owner_s_stays(tmp_path: Path) -> None:
    build(tmp_path, OLD)
    (tmp_path / "archive" / "robots.txt").write_bytes(b"all")
    (tmp_path / "archive" / "own" / "deep").mkdir(parents=True)
    (tmp_path / "archive" / "own" / "deep" / "logo.svg").write_bytes(b"logo")
    (tmp_path / "archive" / "link").symlink_to("own")
    build(tmp_path, NEW)
    assert served(tmp_path) == NEW | {"robots.txt": b"all", "own/deep/logo.svg": b"logo"}
    assert (tmp_path / "archive" / "link").readlink() == Path("own")


@pytest.mark.parametrize("name", ["notes.txt", "pdfs/1.pdf"])
def test_a_folder_with_other_files_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "archive" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(ArchiveError, match="holds other files"):
        build(tmp_path, NEW)
    assert files_of(tmp_path / "archive") == {name: b"mine"}


def test_an_empty_folder_is_taken_and_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    build(tmp_path, NEW)
    assert served(tmp_path) == NEW
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "archive").write_bytes(b"mine")
    with pytest.raises(ArchiveError):
        Staging(tmp_path / "other" / "archive", tmp_path / "other" / ".build", Disk(), {}).look()


def test_a_pdf_becomes_a_second_name_and_a_copy_where_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "1.pdf"
    source.write_bytes(b"%PDF-")
    staging = Staging(tmp_path / "archive", tmp_path / ".archive.build", Disk(), {})
    staging.look()
    staging.begin()
    staging.link("pdfs/a.pdf", source)
    assert (staging.root / "pdfs/a.pdf").samefile(source)

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    staging.link("pdfs/b.pdf", source)
    assert not (staging.root / "pdfs/b.pdf").samefile(source)
    assert (staging.root / "pdfs/b.pdf").read_bytes() == b"%PDF-"


def test_where_files_have_no_second_names_what_was_taken_over_is_intact_in_the_next_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    build(tmp_path, OLD)
    staging = build(tmp_path, OLD)
    again = Staging(tmp_path / "archive", tmp_path / ".archive.build", Disk(), staging.files)
    again.look()
    assert again.is_whole()
    assert all(again.is_intact(path) for path in OLD)


def test_a_file_that_is_served_is_never_written_through_its_second_name(tmp_path: Path) -> None:
    build(tmp_path, OLD)
    staging = Staging(tmp_path / "archive", tmp_path / ".archive.build", Disk(), facts_of(tmp_path / "archive"))
    staging.look()
    staging.begin()
    staging.keep("index.html")
    staging.write("index.html", b"new")
    assert served(tmp_path)["index.html"] == b"old"
    assert (staging.root / "index.html").read_bytes() == b"new"
