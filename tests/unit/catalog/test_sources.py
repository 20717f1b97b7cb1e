"""What is indexed: runs, folders of PDFs, and neither archives nor what belongs to another source."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdp_scraper.catalog.sources import ARCHIVE_MARK, Source, find_sources, pdfs_below
from jdp_scraper.errors import RunFolderError


def put(path: Path, content: bytes = b"%PDF-") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_run(folder: Path) -> Path:
    put(folder / "run_data" / "checkpoint.json")
    put(folder / "run_data" / "unproven" / "1.pdf")
    put(folder / "pdfs" / "1.pdf")
    return folder


def told(sources: list[Source], root: Path) -> list[tuple[str, bool, str]]:
    return [(one.path.relative_to(root).as_posix(), one.is_run, one.name) for one in sources]


def test_without_names_all_runs_of_the_download_folder_are_meant_oldest_first(tmp_path: Path) -> None:
    for name in ("2026-11-22", "2026-11-15", "2026-11-22-2"):
        make_run(tmp_path / name)
    (tmp_path / "2026-11-23" / "run_data").mkdir(parents=True)  # nothing was begun there
    put(tmp_path / "other" / "1.pdf")
    found = find_sources(tmp_path, ())
    assert [one.name for one in found] == ["2026-11-15", "2026-11-22", "2026-11-22-2"]
    assert not any(one.named for one in found)


def test_a_run_may_be_named_by_its_name_alone_or_by_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "downloads" / "2026-11-22")
    make_run(tmp_path / "kept" / "old")
    monkeypatch.chdir(tmp_path)
    found = find_sources(Path("downloads"), [Path("2026-11-22"), Path("kept/old"), Path("downloads/2026-11-22")])
    assert told(found, tmp_path) == [("downloads/2026-11-22", True, "2026-11-22"), ("kept/old", True, "old")]
    assert all(one.named for one in found)


def test_a_folder_is_taken_with_its_sub_folders(tmp_path: Path) -> None:
    for name in ("b.pdf", "a.PDF", "deep/er/c.pdf", ".hidden/d.pdf", ".e.pdf", "notes.txt"):
        put(tmp_path / "lot" / name)
    (source,) = find_sources(tmp_path, [Path("lot")])
    assert not source.is_run
    assert [path.relative_to(source.path).as_posix() for path in pdfs_below(source)] == [
        "a.PDF",
        "b.pdf",
        "deep/er/c.pdf",
    ]


def test_runs_within_a_folder_are_runs_and_only_their_proven_pdfs_count(tmp_path: Path) -> None:
    make_run(tmp_path / "kept" / "2025" / "2025-03-01")
    put(tmp_path / "kept" / "loose.pdf")
    found = find_sources(tmp_path, [Path("kept")])
    assert told(found, tmp_path) == [("kept/2025/2025-03-01", True, "2025-03-01"), ("kept", False, "kept")]
    assert [path.name for path in pdfs_below(found[1])] == ["loose.pdf"]


def test_an_archive_is_no_folder_of_pdfs_and_neither_is_where_it_is_built(tmp_path: Path) -> None:
    put(tmp_path / "lot" / "1.pdf")
    put(tmp_path / "lot" / "published" / ARCHIVE_MARK)
    put(tmp_path / "lot" / "published" / "pdfs" / "2.pdf")
    put(tmp_path / "lot" / "out" / "3.pdf")
    (source,) = find_sources(tmp_path, [Path("lot")], [tmp_path / "lot" / "out"])
    assert [path.name for path in pdfs_below(source)] == ["1.pdf"]


def test_a_folder_within_another_one_counts_once(tmp_path: Path) -> None:
    put(tmp_path / "lot" / "1.pdf")
    put(tmp_path / "lot" / "new" / "2.pdf")
    whole, part = find_sources(tmp_path, [Path("lot"), Path("lot/new")])
    assert [path.name for path in pdfs_below(whole)] == ["1.pdf"]
    assert [path.name for path in pdfs_below(part)] == ["2.pdf"]


def test_equal_names_are_told_apart_by_the_folders_above(tmp_path: Path) -> None:
    for name in ("a/new", "b/new", "c"):
        put(tmp_path / name / "1.pdf")
    found = find_sources(tmp_path, [Path("a/new"), Path("b/new"), Path("c")])
    assert [one.name for one in found] == ["a/new", "b/new", "c"]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "lot" / "1.pdf")
    (tmp_path / "lot" / "again").symlink_to(tmp_path / "lot")
    (source,) = find_sources(tmp_path, [Path("lot")])
    assert len(list(pdfs_below(source))) == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [("nothing", "neither a run nor a folder"), ("a.pdf", "neither a run nor a folder"), ("empty", "holds no PDFs")],
)
def test_what_cannot_be_used_is_told_in_one_line(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "empty").mkdir()
    put(tmp_path / "a.pdf")
    with pytest.raises(RunFolderError, match=why):
        find_sources(tmp_path, [Path(name)])


def test_a_download_folder_without_runs_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no runs in"):
        find_sources(tmp_path / "downloads", ())
