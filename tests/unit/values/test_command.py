from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from jdp_scraper.batch.in_order import BatchProgress
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.checkpoint.checkpoint import Checkpoint
from jdp_scraper.checkpoint.names import assign_file_names
from jdp_scraper.checkpoint.records import Goal, RunHeader, TaskRecord, TaskState
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk, DiskFile, storage_errors
from jdp_scraper.errors import DiskFull, ProfileError, RunFolderError, ValuesError
from jdp_scraper.pdf.whole import MAX_BYTES
from jdp_scraper.values import cache as cache_module
from jdp_scraper.values import last_pass, reading
from jdp_scraper.values.command import ValuesOptions, extract, values
from jdp_scraper.values.extract import file_sha256
from jdp_scraper.values.files import defused
from jdp_scraper.values.out_folder import LOCK
from jdp_scraper.values.reading import LIMITS
from jdp_scraper.values.table import Row, Table
from jdp_scraper.values.workbook import Book
from jdp_scraper.vehicle import Vehicle, assign_keys
from tests.unit.pdf.reports import drawn

COLUMNS = (
    "reference,vin,year,make,model,trim,mileage,rough_trade_in,average_trade_in,clean_trade_in,clean_loan,"
    "clean_retail,report_date,file,sha256,error"
)
START = datetime(2026, 11, 15, 12, tzinfo=UTC)


def report(reference: str, retail: str = "$20,000", **more: str) -> bytes:
    lines = {"Stock #": reference, "Clean Retail": retail, "Report Date": "11/15/2026"} | more

    def draw(canvas: Any) -> None:
        for place, (label, value) in enumerate(lines.items()):
            canvas.drawString(60, 700 - 20 * place, f"{label}: {value}")

    return drawn(draw)


async def make_run(
    downloads: Path,
    day: int,
    reports: Mapping[str, bytes],
    others: tuple[str, ...] = (),
    account: str = "a",
    goal: Goal | None = None,
) -> RunFolder:
    """Make a run with these reports by reference, and vehicles whose reports were not fetched."""
    disk = Disk()
    keyed = assign_keys([Vehicle(reference, make="Ford") for reference in (*reports, *others)])
    names = assign_file_names(keyed)
    folder = await RunFolder.create(downloads, date(2026, 11, day), disk)
    sha256 = await folder.save_inventory(keyed.values(), disk)
    started = START + timedelta(days=day)
    header = RunHeader("jdpower", "https://one.example", account, started, goal or Goal(), inventory_sha256=sha256)
    checkpoint = await Checkpoint.create(folder.data, header, keyed, disk)
    for reference, data in reports.items():
        await asyncio.to_thread((folder.pdfs / names[reference]).write_bytes, data)
        digest = hashlib.sha256(data).hexdigest()
        await checkpoint.record(reference, TaskRecord(TaskState.DONE, 1, names[reference], len(data), digest))
    return folder


def options(downloads: Path, *named: Path, **more: Any) -> ValuesOptions:
    return replace(ValuesOptions(downloads, named, portal="jdpower", parallel=Parallel(2)), **more)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def csv_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


async def test_a_run_gets_its_tables_in_its_own_folder_in_the_order_of_its_inventory(tmp_path: Path) -> None:
    folder = await make_run(tmp_path, 1, {"B2": report("B2"), "A1": report("A1", Make="Dodge", Year="2020")})
    assert await values(options(tmp_path), at_terminal=False) == 0
    assert (folder.data / "values.csv").read_text("utf-8").splitlines()[0] == COLUMNS
    first, second = rows(folder.data / "values.jsonl")
    assert list(first) == [*COLUMNS.split(","), "flags"]
    assert (first["reference"], first["clean_retail"], first["file"]) == ("B2", "20000.00", "pdfs/B2.pdf")
    assert second["year"] == 2020
    assert second["flags"] == ["make: the report says 'Dodge', the inventory 'Ford'"]
    assert not (folder.data / "changes.csv").exists()


async def test_what_has_changed_since_the_run_before_of_the_same_portal_and_account(tmp_path: Path) -> None:
    await make_run(tmp_path, 1, {"1": report("1", "$10,000"), "2": report("2"), "gone": report("gone")}, ("late",))
    await make_run(tmp_path, 2, {"1": report("1", "$1")}, account="another")
    folder = await make_run(
        tmp_path, 3, {"1": report("1", "$9,500.50"), "2": report("2"), "new": report("new")}, ("late",)
    )
    await extract(options(tmp_path, tmp_path))
    told = [list(row.values()) for row in csv_rows(folder.data / "changes.csv")]
    assert told == [
        ["2026-11-03", "1", "", "changed", "clean_retail", "10000.00", "9500.50", "-499.50"],
        ["2026-11-03", "new", "", "new", "", "", "", ""],
        ["2026-11-03", "gone", "", "gone", "", "", "", ""],
    ]
    before = (folder.data / "changes.csv").read_bytes()
    await extract(options(tmp_path, Path("2026-11-03")))  # by what the run before has written
    assert (folder.data / "changes.csv").read_bytes() == before


async def test_a_run_of_a_few_vehicles_in_between_does_not_hide_what_changed_of_the_others(tmp_path: Path) -> None:
    few = {"1": report("1", "$10,000")}
    await make_run(tmp_path, 1, {**few, "2": report("2", "$5,000")})
    await make_run(tmp_path, 2, few, ("2",), goal=Goal(only=("1",)))
    folder = await make_run(tmp_path, 3, {**few, "2": report("2", "$6,000")})
    await extract(options(tmp_path, tmp_path))
    told = [(row["reference"], row["difference"]) for row in csv_rows(folder.data / "changes.csv")]
    assert told == [("2", "1000.00")]
    small = csv_rows(tmp_path / "2026-11-02" / "run_data" / "changes.csv")
    assert small == []
    only = await make_run(tmp_path, 4, {"2": report("2", "$7,000")}, ("1",), goal=Goal(only=("2",)))
    await extract(options(tmp_path, tmp_path))
    assert [row["difference"] for row in csv_rows(only.data / "changes.csv")] == ["1000.00"]


async def test_a_pdf_in_another_s_place_brings_no_values_under_a_wrong_vehicle(tmp_path: Path) -> None:
    folder = await make_run(tmp_path, 1, {"1": report("1", "$10,000"), "2": report("2", "$20,000")})
    (folder.pdfs / "1.pdf").write_bytes((folder.pdfs / "2.pdf").read_bytes())
    assert await values(options(tmp_path), at_terminal=False) == 1
    first, second = rows(folder.data / "values.jsonl")
    assert first["error"] == "it has changed since it was proven: run the command verify"
    assert (first["reference"], first["clean_retail"], first["sha256"]) == (None, None, second["sha256"])
    assert (second["reference"], second["clean_retail"], second["error"]) == ("2", "20000.00", None)


async def test_a_profile_that_cannot_be_read_is_told_and_none_of_its_name_takes_its_place(tmp_path: Path) -> None:
    await make_run(tmp_path, 1, {"1": report("1")})
    profile = Path("jdp_scraper/portal/profiles/jdpower.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(profile + '\n[values.fields.color]\nlabel = ["Color"]\n', "utf-8")
    with pytest.raises(ProfileError, match=r"own\.toml.*color"):
        await extract(options(tmp_path, portal=str(own)))
    own.write_text(profile + '\n[values.fields.color]\nlabels = ["Color"]\n', "utf-8")
    (out,) = (await extract(options(tmp_path, portal=str(own)))).outs
    assert (out / "values.csv").read_text("utf-8").splitlines()[0] == f"{COLUMNS},color"
    await extract(options(tmp_path, portal="plain"))  # another portal's: the run's own is a built-in one


async def test_the_tables_are_held_until_they_are_written_also_when_cut_off(tmp_path: Path) -> None:
    writing, go_on = threading.Event(), threading.Event()

    class Slow(Disk):
        def _replace(self, source: Path, target: Path) -> None:
            writing.set()
            assert go_on.wait(60)
            super()._replace(source, target)

    (tmp_path / "a.pdf").write_bytes(report("a"))
    under_way = asyncio.ensure_future(extract(options(tmp_path, tmp_path), disk=Slow()))
    await asyncio.to_thread(writing.wait, 30)
    under_way.cancel()
    await asyncio.sleep(0)
    with pytest.raises(ValuesError, match="another process writes"):
        await extract(options(tmp_path, tmp_path))
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    await extract(options(tmp_path, tmp_path))


async def test_what_failed_is_told_with_its_reason_and_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.pdf").write_bytes(b"<html>")
    assert await values(options(tmp_path, tmp_path), at_terminal=False) == 1
    out = capsys.readouterr().out
    assert "failed   4 of 4: it is not a PDF: a.pdf, b.pdf, c.pdf and 1 more\n" in out


async def test_several_folders_with_sub_folders_make_one_table_where_out_is_given(tmp_path: Path) -> None:
    for name in ("one/a.pdf", "one/deep/b.PDF", "two/a.pdf", "two/no.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(report(name))
    out = tmp_path / "out"
    await extract(options(tmp_path, tmp_path / "one", tmp_path / "two", out=out))
    assert [row["file"] for row in rows(out / "values.jsonl")] == ["one/a.pdf", "one/deep/b.PDF", "two/a.pdf"]
    await extract(options(tmp_path, tmp_path / "one", tmp_path / "two"))
    assert [row["file"] for row in rows(tmp_path / "two" / "values.jsonl")] == ["a.pdf"]


async def test_a_file_that_vanishes_is_an_error_row(tmp_path: Path) -> None:
    folder = await make_run(tmp_path, 1, {"1": report("1"), "2": report("2")})
    (folder.pdfs / "1.pdf").unlink()
    assert await values(options(tmp_path), at_terminal=False) == 1
    first, second = rows(folder.data / "values.jsonl")
    assert (first["file"], first["error"]) == ("pdfs/1.pdf", "cannot be read: No such file or directory")
    assert (first["reference"], first["sha256"], second["error"]) == (None, None, None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
async def test_a_pipe_by_the_name_of_a_pdf_is_an_error_row_and_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a"))
    os.mkfifo(tmp_path / "b.pdf")
    async with asyncio.timeout(LIMITS.wall_s / 2):
        for _ in range(2):  # the second time what is known is asked first
            assert await values(options(tmp_path, tmp_path), at_terminal=False) == 1
    assert [row["error"] for row in rows(tmp_path / "values.jsonl")] == [None, "cannot be read: it is no file"]


async def test_a_huge_file_is_an_error_row_and_is_not_read_and_does_not_cost_the_next_pass_its_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a"))
    with (tmp_path / "b.pdf").open("wb") as file:
        file.truncate(40 << 30)
    for name in ("a", "b"):
        os.utime(tmp_path / f"{name}.pdf", (1, 1))
    monkeypatch.setattr(cache_module, "TICK_NS", 0)
    monkeypatch.setattr(last_pass, "TICK_NS", 0)
    async with asyncio.timeout(LIMITS.wall_s / 2):
        for _ in range(2):  # the second time what is known is asked first
            told = await extract(options(tmp_path, tmp_path))
    assert (told.counts.failed.total(), told.workers.tasks) == (1, 0)
    assert told.counts.from_cache == 2  # known by the last pass
    _, huge = rows(tmp_path / "values.jsonl")
    assert (huge["error"], huge["sha256"]) == (f"it is larger than {MAX_BYTES} bytes", None)


def test_what_has_grown_too_large_meanwhile_has_no_hash(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"x" * 1000)
    assert file_sha256(str(path), 1000) == file_sha256(str(path)) == hashlib.sha256(b"x" * 1000).hexdigest()
    assert file_sha256(str(path), 999) is None


async def test_a_second_pass_reads_only_what_has_changed_in_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"{name}.pdf").write_bytes(report(name))
        os.utime(tmp_path / f"{name}.pdf", (1, 1))
    monkeypatch.setattr(cache_module, "TICK_NS", 0)
    first = await extract(options(tmp_path, tmp_path))
    assert (first.counts.from_cache, first.workers.tasks) == (0, 4)
    (tmp_path / "a.pdf").touch()
    (tmp_path / "b.pdf").write_bytes(report("other"))
    (tmp_path / "c.pdf").rename(tmp_path / "e.pdf")
    second = await extract(options(tmp_path, tmp_path))
    assert (second.counts.files, second.counts.from_cache, second.workers.tasks) == (4, 3, 1)
    assert [row["reference"] for row in rows(tmp_path / "values.jsonl")] == ["a", "other", "d", "c"]


async def test_a_first_pass_leaves_all_hashing_to_its_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(reading, "pdf_sha256", hashed.append)
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.pdf").write_bytes(report(name))
    await extract(options(tmp_path, tmp_path, parallel=Parallel(1)))
    assert hashed == []
    (tmp_path / "a.pdf").write_bytes(report("another"))
    await extract(options(tmp_path, tmp_path))
    assert str(tmp_path / "a.pdf") in hashed


async def test_a_change_that_no_time_stamp_shows_is_seen_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(report("111"))
    stamp = path.stat()
    await extract(options(tmp_path, tmp_path))
    path.write_bytes(report("222"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    await extract(options(tmp_path, tmp_path))
    assert [row["reference"] for row in rows(tmp_path / "values.jsonl")] == ["222"]


@pytest.mark.parametrize("spoiled", [b"", b"[]", b'{"format": 1}', b"\xff"])
async def test_a_damaged_cache_is_none(spoiled: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a"))
    (tmp_path / cache_module.NAME).write_bytes(spoiled)
    assert (await extract(options(tmp_path, tmp_path))).workers.tasks == 1


async def test_other_rules_read_anew_and_a_user_s_fields_come_last(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a", Color="=red"))
    await extract(options(tmp_path, tmp_path))
    profile = Path("jdp_scraper/portal/profiles/jdpower.toml").read_text("utf-8")
    (tmp_path / "own.toml").write_text(profile + '\n[values.fields.color]\nlabels = ["Color"]\n', "utf-8")
    again = await extract(options(tmp_path, tmp_path, rules_from=str(tmp_path / "own.toml")))
    assert again.workers.tasks == 1
    assert rows(tmp_path / "values.jsonl")[0]["color"] == "=red"
    head, line = (tmp_path / "values.csv").read_text("utf-8").splitlines()
    assert head == f"{COLUMNS},color"
    assert line.endswith(",'=red")


def test_all_that_decides_on_a_value_is_part_of_the_rules_version() -> None:
    code = (
        f"import sys, {reading.MODULES[0]}; print(*(name for name in sys.modules if name.startswith('jdp_scraper.')))"
    )
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    deciding = {f"jdp_scraper.{folder}.{name}" for folder, ones in reading.DECIDING.items() for name in ones}
    assert deciding | {f"jdp_scraper.{folder}" for folder in reading.DECIDING} == set(names)


async def test_what_another_version_has_read_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a"))
    await extract(options(tmp_path, tmp_path))
    assert (await extract(options(tmp_path, tmp_path))).counts.from_cache == 1
    monkeypatch.setattr(reading, "_machinery", lambda: "another")
    monkeypatch.setattr(last_pass, "_FORMAT", 0)
    reading.rules_version.cache_clear()
    assert (await extract(options(tmp_path, tmp_path))).counts.from_cache == 0
    reading.rules_version.cache_clear()


async def test_the_workbook_has_a_frozen_head_filters_and_numbers_and_no_formula(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a", Make="=HYPERLINK(1)"))
    await extract(options(tmp_path, tmp_path))
    with zipfile.ZipFile(tmp_path / "values.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        strings = book.read("xl/sharedStrings.xml").decode()
    assert 'state="frozen"' in sheet
    assert "<autoFilter " in sheet
    assert "<v>20000</v>" in sheet
    assert "<f>" not in sheet
    assert "=HYPERLINK(1)" in strings


async def test_parquet_has_decimals_and_dates(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "a.pdf").write_bytes(report("a"))
    await extract(options(tmp_path, tmp_path))
    (row,) = (await asyncio.to_thread(parquet.read_table, tmp_path / "values.parquet")).to_pylist()
    assert (str(row["clean_retail"]), row["report_date"]) == ("20000.00", date(2026, 11, 15))


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "\uff1d1"])
def test_what_a_spreadsheet_would_calculate_is_defused(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("end", [";", "; ", "\t", ";\t ", "\n"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d"])
def test_what_is_a_formula_where_a_spreadsheet_splits_elsewhere_is_defused(end: str, sign: str) -> None:
    assert defused(f'165530{end}{sign}HYPERLINK("http://x");{sign}1') == (
        f"165530{end}'{sign}HYPERLINK(\"http://x\");'{sign}1"
    )
    assert defused(f"{sign}1{end}{sign}2") == f"'{sign}1{end}'{sign}2"


async def test_a_name_with_a_line_break_is_one_cell_of_one_row(tmp_path: Path) -> None:
    (tmp_path / "a\r=1+1,b\n.pdf").write_bytes(report("a"))
    await extract(options(tmp_path, tmp_path))
    text = io.StringIO((tmp_path / "values.csv").read_bytes().decode("utf-8"), newline="")
    assert [row["file"] for row in csv.DictReader(text)] == ["a\r'=1+1,b\n.pdf"]


def test_a_day_that_no_spreadsheet_counts_is_written_as_text() -> None:
    row = Row(dict.fromkeys(("report_date", "file"), "0001-01-01") | {"error": None})
    with zipfile.ZipFile(io.BytesIO(Book(Table({"report_date": "date", "file": "text"}, [row])).content(None))) as book:
        assert "<v>-" not in book.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize("value", ["-499.50", "165530A", "4x4; 4WD", "a - b", 7, None])
def test_numbers_and_other_texts_stay_as_they_are(value: object) -> None:
    assert defused(value) == value


async def test_progress_is_told_for_each_file_also_of_those_from_the_cache(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.pdf").write_bytes(report(name))
        os.utime(tmp_path / f"{name}.pdf", (1, 1))
    for _ in range(2):
        told: list[BatchProgress] = []

        async def tell(progress: BatchProgress, told: list[BatchProgress] = told) -> None:
            told.append(progress)

        await extract(options(tmp_path, tmp_path), tell=tell)
        assert [(one.done, one.total) for one in told] == [(1, 3), (2, 3), (3, 3)]


async def test_a_folder_without_pdfs_a_run_without_reports_and_a_folder_in_use_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunFolderError, match="holds no PDFs"):
        await extract(options(tmp_path, tmp_path / "empty"))
    with pytest.raises(RunFolderError, match="no runs in"):
        await extract(options(tmp_path / "empty"))
    folder = await make_run(tmp_path, 1, {}, ("1",))
    with pytest.raises(ValuesError, match="holds no report yet"):
        await extract(options(tmp_path))
    assert not (folder.data / "values.csv").exists()
    (tmp_path / "x.pdf").write_bytes(report("x"))
    with FileLock(tmp_path / LOCK), pytest.raises(ValuesError, match="another process"):
        await extract(options(tmp_path, tmp_path, out=tmp_path))


@pytest.mark.parametrize("write", range(1, 5))
async def test_a_full_disk_leaves_tables_that_agree(write: int, tmp_path: Path) -> None:
    class File(DiskFile):
        def sync(self) -> None:
            Filling.syncs += 1
            with storage_errors(str(self.name)):
                if Filling.syncs == write:
                    raise OSError(28, "No space left on device")
                super().sync()

    class Filling(Disk):
        syncs = 0

        def _open(self, path: Path, mode: str, opener: Callable[[str, int], int] | None = None) -> DiskFile:
            return File(path, mode, opener=opener)

    for name in ("a", "b"):
        (tmp_path / f"{name}.pdf").write_bytes(report(name))
        if name == "a":
            await extract(options(tmp_path, tmp_path))
            before = {path.name: path.read_bytes() for path in tmp_path.glob("values.*")}
    with pytest.raises(DiskFull, match="the disk is full"):
        await extract(options(tmp_path, tmp_path), disk=Filling())
    after = {path.name: path.read_bytes() for path in tmp_path.glob("values.*")}
    assert (after == before) == (write <= len(before))  # the last one is the cache's
    assert not list(tmp_path.glob("values.*.tmp"))


async def test_a_full_disk_leaves_each_table_whole(tmp_path: Path) -> None:
    class Full(Disk):
        def _replace(self, source: Path, target: Path) -> None:
            if target.name == "values.xlsx":
                raise OSError(28, "No space left on device")
            super()._replace(source, target)

    (tmp_path / "a.pdf").write_bytes(report("a"))
    await extract(options(tmp_path, tmp_path))
    before = (tmp_path / "values.xlsx").read_bytes()
    (tmp_path / "b.pdf").write_bytes(report("b"))
    with pytest.raises(DiskFull, match="the disk is full"):
        await extract(options(tmp_path, tmp_path), disk=Full())
    assert (tmp_path / "values.xlsx").read_bytes() == before
    await extract(options(tmp_path, tmp_path))  # what was written by halves is written again
    assert (tmp_path / "values.xlsx").read_bytes() != before


async def test_tables_that_are_as_they_should_be_are_not_written_again(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(report("a"))
    await extract(options(tmp_path, tmp_path))
    path = tmp_path / "values.csv"
    before = path.stat().st_ino
    await extract(options(tmp_path, tmp_path))
    assert path.stat().st_ino == before
    path.write_text("spoiled", "ascii")
    await extract(options(tmp_path, tmp_path))
    assert path.read_text("ascii") != "spoiled"
