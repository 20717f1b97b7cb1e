from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.checkpoint.inventory_file import from_csv, to_csv
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.run_folder import RunFolder, parse_name
from jdp_scraper.disk import Disk
from jdp_scraper.errors import FolderNotWritable, InventoryError, StorageError
from jdp_scraper.vehicle import Vehicle, assign_keys
from tests.support.disks import FaultyDisk

TODAY = date(2025, 3, 1)
LOT = [Vehicle("165530", "1FTFW1E50NFA00001", 2022, "Ford", "F-150", 12000), Vehicle("165530A"), Vehicle("A/B 12")]
TOLD = st.none() | st.text(st.characters(codec=None), min_size=1)
NUMBER = st.none() | st.integers(0, 10**7)


@given(st.lists(st.builds(Vehicle, st.text(st.characters(codec=None)), TOLD, NUMBER, TOLD, TOLD, NUMBER)))
def test_any_inventory_comes_back_as_it_was(vehicles: list[Vehicle]) -> None:
    assert from_csv(to_csv(vehicles)) == vehicles


@pytest.mark.parametrize("reference", ["\x00", "\r", "a\r\nb", '"', "'", " a ", ",", "\ufeff", "=1+1", "\ud800", ""])
def test_a_hostile_reference_comes_back_as_it_was(reference: str) -> None:
    assert from_csv(to_csv([Vehicle(reference)])) == [Vehicle(reference)]


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"\xff", to_csv(LOT) + b"1,2\n", to_csv(LOT)[:-2]])
def test_an_inventory_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(InventoryError):
        from_csv(content)


async def test_the_inventory_is_known_by_its_hash(tmp_path: Path) -> None:
    folder = await RunFolder.create(tmp_path, TODAY, Disk())
    sha256 = await folder.save_inventory(LOT, Disk())
    assert await folder.load_inventory(sha256) == LOT
    folder.inventory.write_bytes(folder.inventory.read_bytes().replace(b"12000", b"12001"))
    with pytest.raises(InventoryError, match="not as the run wrote it"):
        await folder.load_inventory(sha256)
    folder.inventory.unlink()
    with pytest.raises(InventoryError, match="cannot be read"):
        await folder.load_inventory()


async def test_a_day_has_as_many_runs_as_were_begun(tmp_path: Path) -> None:
    downloads = tmp_path / "not" / "there yet"
    first = await RunFolder.create(downloads, TODAY, Disk())
    assert first.path == downloads / "2025-03-01"
    assert first.pdfs.is_dir()
    assert first.failures.is_dir()
    assert await RunFolder.create(downloads, TODAY, Disk()) == first
    (first.data / "checkpoint.journal").touch()
    second = await RunFolder.create(downloads, TODAY, Disk())
    assert second.path.name == "2025-03-01-2"
    (second.pdfs / "1.pdf").touch()
    (downloads / "2025-03-01-3").touch()
    assert (await RunFolder.create(downloads, TODAY, Disk())).path.name == "2025-03-01-4"


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderNotWritable):
        await RunFolder.create(tmp_path, TODAY, ReadOnly())
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        await RunFolder.create(tmp_path / "file", TODAY, Disk())


class ReadOnly(Disk):
    def make_folder(self, path: Path) -> None:
        raise FolderNotWritable(f"cannot write {path}")


async def test_tracking_finds_every_key_in_inventory_order(tmp_path: Path) -> None:
    folder = await RunFolder.create(tmp_path, TODAY, Disk())
    names = assign_file_names(assign_keys(LOT))
    await folder.write_tracking(names, {"165530A", "A/B 12"}, Disk())
    told = json.loads(folder.tracking.read_text("ascii"))
    assert list(told.items()) == [("165530", None), ("165530A", "165530A.pdf"), ("A/B 12", names["A/B 12"])]
    with pytest.raises(StorageError):
        await folder.write_tracking(names, set(names), FaultyDisk(2))
    assert json.loads(folder.tracking.read_text("ascii")) == told


def test_only_run_folders_names_are_taken_for_such() -> None:
    assert parse_name("2025-03-01") == (TODAY, 1)
    assert parse_name("2025-03-01-12") == (TODAY, 12)
    for name in ("2025-02-30", "2025-03-01-0", "2025-03-01-", "2025-03-01 copy", "x", ".session", "2025-03-01\n"):
        assert parse_name(name) is None


def test_a_failures_folder_has_the_pdfs_stem(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).failure("a~12345678.pdf") == tmp_path / "run_data" / "failures" / "a~12345678"
