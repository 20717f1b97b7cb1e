"""The catalog says what the runs say, reads what has changed and nothing else, and can be thrown away."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.catalog import catalog as module
from jdp_scraper.catalog import reading
from jdp_scraper.catalog.catalog import Catalog, Refreshed
from jdp_scraper.catalog.entries import ReportEntry, RunEntry, VehicleEntry
from jdp_scraper.catalog.sources import find_sources
from jdp_scraper.catalog.stamps import storable
from jdp_scraper.checkpoint.records import Goal
from jdp_scraper.checkpoint.run_folder import RunFolder
from jdp_scraper.disk import Disk
from jdp_scraper.errors import RunFolderError
from jdp_scraper.pdf import whole
from tests.support.run_folders import STARTED, demo_vehicles, make_run, replace_pdf, values_row, write_values

WEEK = timedelta(days=7)
REAL = "https://portal.example"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names the sources that are read."""
    found: list[str] = []
    read = reading.read_source

    def note(source: object, *rest: object) -> object:
        found.append(source.name)  # type: ignore[attr-defined]
        return read(source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "read_source", note)
    return found


@asynccontextmanager
async def catalog_of(folder: Path) -> AsyncIterator[Catalog]:
    async with Catalog.open(folder / ".state" / "catalog.sqlite", Disk()) as catalog:
        yield catalog


Known = tuple[Refreshed, list[RunEntry], list[VehicleEntry]]


async def known(folder: Path, named: Sequence[Path] = ()) -> Known:
    async with catalog_of(folder) as catalog:
        refreshed = await catalog.refresh(await asyncio.to_thread(find_sources, folder, named))
        return refreshed, await catalog.runs(), await catalog.vehicles()


def age(folder: Path) -> None:
    """Let all files have been written a while ago, as they are in life."""
    for path in folder.rglob("*"):
        if path.is_file():
            told = path.stat()
            os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns - 10_000_000_000 + 1))


async def test_vehicles_have_their_history_over_the_runs_with_values(tmp_path: Path) -> None:
    lot = demo_vehicles(4)
    await make_run(tmp_path, lot[:3])
    await make_run(tmp_path, lot[1:], started=STARTED + WEEK, failed={lot[2].reference: "the portal answered 500"})
    refreshed, runs, vehicles = await known(tmp_path)
    assert refreshed.problems == refreshed.skipped == ()
    assert [run.name for run in runs] == ["2026-11-15", "2026-11-22"]
    assert [one.reference for one in vehicles] == [lot[number].reference for number in (1, 2, 3, 0)]
    assert [len(one.reports) for one in vehicles] == [2, 2, 1, 1]
    (_, first), (_, last) = vehicles[1].reports
    assert (first.status, first.file) == ("done", f"pdfs/{lot[2].reference}.pdf")
    assert (last.status, last.error, last.file) == ("failed", "the portal answered 500", None)
    assert first.values["clean_retail"].endswith(".00")  # type: ignore[union-attr]
    assert next(iter(first.values)) == "rough_trade_in"
    assert (vehicles[1].vin, vehicles[1].trim) == (lot[2].vin, lot[2].trim)


async def test_nothing_is_read_again_that_has_not_changed(tmp_path: Path, reads: list[str]) -> None:
    lot = demo_vehicles(2)
    await make_run(tmp_path, lot)
    newer = await make_run(tmp_path, lot, started=STARTED + WEEK)
    age(tmp_path)
    first = await known(tmp_path)
    assert reads == ["2026-11-15", "2026-11-22"]
    assert await known(tmp_path) == (first[0].__class__(first[0].digest, 2, 0, (), ()), *first[1:])
    await replace_pdf(newer, lot[0].reference, lot[0], STARTED + WEEK)
    age(newer.path)
    third, _, vehicles = await known(tmp_path)
    assert reads == ["2026-11-15", "2026-11-22", "2026-11-22"]
    assert third.digest != first[0].digest
    replaced = vehicles[0].reports[1][1].sha256
    assert replaced is not None
    assert replaced != first[2][0].reports[1][1].sha256


async def test_what_was_written_a_moment_ago_is_looked_at_again(tmp_path: Path, reads: list[str]) -> None:
    folder = await make_run(tmp_path, 1)
    (path,) = folder.pdfs.iterdir()
    os.utime(path, (2_000_000_000, 2_000_000_000))  # it may be written once more within the same moment
    first, *_ = await known(tmp_path)
    second, *_ = await known(tmp_path)
    assert len(reads) == 2
    assert first.digest == second.digest


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_catalog_that_was_thrown_away_or_damaged_says_the_same_again(tmp_path: Path, damage: bytes) -> None:
    await make_run(tmp_path, 3)
    first = await known(tmp_path)
    for path in (tmp_path / ".state").iterdir():
        path.unlink()
    (tmp_path / ".state" / "catalog.sqlite").write_bytes(damage)
    assert await known(tmp_path) == first


async def test_a_run_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    lot = demo_vehicles(2)
    first = await make_run(tmp_path, lot[:1])
    await make_run(tmp_path, lot[1:], started=STARTED + WEEK)
    await known(tmp_path)
    first.path.rename(tmp_path / "away")
    _, runs, vehicles = await known(tmp_path)
    assert [run.name for run in runs] == ["2026-11-22"]
    assert [one.reference for one in vehicles] == [lot[1].reference]


def rewrite_values(folder: RunFolder, change: Callable[[list[dict[str, Any]]], object]) -> None:
    rows = [json.loads(line) for line in (folder.data / "values.jsonl").read_text("utf-8").splitlines()]
    change(rows)
    write_values(folder.data, rows)


def tables(folder: Path, *names: str) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(folder / ".state" / "catalog.sqlite")) as database:
        return {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in names}


async def test_a_catalog_that_follows_changes_is_the_one_that_is_made_of_nothing(tmp_path: Path) -> None:
    downloads, lot = tmp_path / "downloads", demo_vehicles(6)
    older = await make_run(downloads, lot[:5])
    newer = await make_run(downloads, lot[1:], started=STARTED + WEEK, failed={lot[2].reference: "refused"})
    loose = downloads / "loose"
    loose.mkdir()
    for number, pdf in enumerate(sorted(older.pdfs.iterdir())[:2]):
        shutil.copy(pdf, loose / f"{number}.pdf")
    row = values_row(lot[0], "0.pdf", hashlib.sha256((loose / "0.pdf").read_bytes()).hexdigest(), STARTED)

    def put(name: str, value: object) -> None:
        write_values(loose, [row | {name: value}])

    def put_run(again: bool) -> None:
        (run,) = (one for one in (newer.path, tmp_path / "away") if one.exists())
        run.rename(newer.path if again else tmp_path / "away")

    changes: dict[str, Callable[[], object]] = {
        "a value": lambda: rewrite_values(newer, lambda rows: rows[0].update(clean_retail="1.00")),
        "a trim": lambda: rewrite_values(newer, lambda rows: rows[0].update(trim="another")),
        "a flag": lambda: rewrite_values(newer, lambda rows: rows[0].update(flags=["vin_differs"])),
        "no flag": lambda: rewrite_values(newer, lambda rows: rows[0].update(flags=[])),
        "values gone": lambda: rewrite_values(older, lambda rows: rows.pop()),
        "a VIN": lambda: put("vin", lot[5].vin),
        "another VIN": lambda: put("vin", lot[1].vin),
        "no VIN": lambda: put("vin", None),
        "another reference": lambda: put("reference", lot[3].reference),
        "half a character": lambda: put("trim", "\ud800"),
        "a number that no column holds": lambda: put("mileage", 10**20),
        "a PDF more": lambda: shutil.copy(loose / "0.pdf", loose / "00.pdf"),
        "a PDF less": (loose / "0.pdf").unlink,
        "the last PDF less": (loose / "1.pdf").unlink,
        "a folder newer than all runs": lambda: os.utime(loose / "00.pdf", (2_000_000_000, 2_000_000_000)),
        "a folder older than all runs": lambda: os.utime(loose / "00.pdf", (1_000_000_000, 1_000_000_000)),
        "a PDF gone": lambda: next(newer.pdfs.iterdir()).unlink(),
        "a PDF gone in an older run": lambda: next(older.pdfs.iterdir()).unlink(),
        "a run gone": lambda: put_run(False),
        "a run more": lambda: put_run(True),
        "a run by another name": lambda: older.path.rename(downloads / "2026-11-14"),
    }
    await known(tmp_path, [older.path, newer.path, loose])
    for name, change in changes.items():
        await asyncio.to_thread(change)
        named = [one for one in (downloads / "2026-11-14", older.path, newer.path, loose) if one.exists()]
        followed, *told = await known(tmp_path, named)
        fresh, *told_anew = await known(tmp_path / name, named)
        assert told == told_anew, name
        assert (followed.digest, followed.problems) == (fresh.digest, fresh.problems), name
        written = tables(tmp_path, "vehicle", "report"), tables(tmp_path / name, "vehicle", "report")
        assert written[0] == written[1], name


async def test_of_a_run_that_has_changed_only_rows_that_differ_are_written(tmp_path: Path) -> None:
    run = await make_run(tmp_path, 4)
    await known(tmp_path)
    with closing(sqlite3.connect(tmp_path / ".state" / "catalog.sqlite")) as database:
        database.execute("CREATE TABLE written (what TEXT, place INTEGER)")
        for table in ("vehicle", "report"):
            for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
                database.execute(
                    f"CREATE TRIGGER {table}_{event} AFTER {event} ON {table} "
                    f"BEGIN INSERT INTO written VALUES ('{event} {table}', {row}.place); END"
                )
    rewrite_values(run, lambda rows: rows[2].update(trim="another", clean_retail="1.00"))
    _, _, vehicles = await known(tmp_path)
    assert (vehicles[2].trim, vehicles[2].reports[0][1].values["clean_retail"]) == ("another", "1.00")
    assert tables(tmp_path, "written") == {"written": [("UPDATE report", 2)]}
    sorted(run.pdfs.iterdir())[0].unlink()
    await known(tmp_path)
    assert len(tables(tmp_path, "written")["written"]) == 2


async def test_an_unreadable_run_is_told_and_skipped_and_refused_where_it_is_named(tmp_path: Path) -> None:
    await make_run(tmp_path, 1)
    bad = await make_run(tmp_path, 1, started=STARTED + WEEK)
    for path in bad.data.glob("checkpoint.*"):
        path.write_text("x")
    refreshed, runs, _ = await known(tmp_path)
    assert [run.name for run in runs] == ["2026-11-15"]
    (line,) = refreshed.skipped
    assert line.startswith("2026-11-22 is passed over: no checkpoint can be read")
    with pytest.raises(RunFolderError, match="no checkpoint can be read"):
        await known(tmp_path, [Path("2026-11-22")])


@pytest.mark.parametrize("target", ["nowhere.pdf", "strange.pdf"])
async def test_a_link_that_leads_nowhere_costs_no_other_file(tmp_path: Path, target: str) -> None:
    folder = await make_run(tmp_path, 5)
    (folder.pdfs / "strange.pdf").symlink_to(target)
    refreshed, _, vehicles = await known(tmp_path)
    assert refreshed.problems == ()
    assert [report.status for vehicle in vehicles for _, report in vehicle.reports] == ["done"] * 5


async def test_a_huge_file_is_told_by_its_size_and_not_read(tmp_path: Path) -> None:
    folder = await make_run(tmp_path, 2)
    with sorted(folder.pdfs.iterdir())[0].open("r+b") as file:
        file.truncate(1 << 36)
    refreshed, _, vehicles = await known(tmp_path)
    (line,) = refreshed.problems
    assert line.endswith(whole.TOO_LARGE)
    assert sorted(report.status for vehicle in vehicles for _, report in vehicle.reports) == ["done", "failed"]


@pytest.mark.parametrize("closed", ["pdf", "values.jsonl", "pdfs"])
async def test_what_cannot_be_read_costs_itself_alone_and_is_read_once_it_can_be(
    tmp_path: Path, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_run(tmp_path, 2)
    folder = await make_run(tmp_path, 2, started=STARTED + WEEK)
    age(tmp_path)
    whole = await known(tmp_path)
    for name in ("builtins.open", "io.open"):
        monkeypatch.setattr(name, refusing(open, closed))
    monkeypatch.setattr("os.scandir", refusing(os.scandir, closed))
    (tmp_path / ".state" / "catalog.sqlite").unlink()
    refreshed, runs, _ = await known(tmp_path)
    if closed == "pdfs":
        (line,) = refreshed.skipped
        assert line.endswith(f"{folder.pdfs} cannot be read: Permission denied: correct its rights")
        assert len(runs) == 1
    else:
        assert all("cannot be read: Permission denied" in line for line in refreshed.problems)
        assert len(refreshed.problems) == (2 if closed == "pdf" else 1)
        assert len(runs) == 2
    monkeypatch.undo()
    assert (await known(tmp_path))[1:] == whole[1:]


def refusing(call: Callable[..., Any], closed: str) -> Callable[..., Any]:
    """Return a call that may not open files of the newer run with such names."""

    def refuse(path: Any = ".", *rest: Any, **more: Any) -> Any:
        if "2026-11-22" in str(path) and str(path).endswith(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return call(path, *rest, **more)

    return refuse


def test_numbers_without_a_sign_are_held_as_ones_with_a_sign() -> None:
    numbers = (0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
    held = [storable(number) for number in numbers]
    assert len(set(held)) == len(numbers)
    assert all(-(1 << 63) <= number < 1 << 63 for number in held)
    assert held[:3] == list(numbers[:3])


async def test_a_pdf_that_is_not_as_it_was_proven_is_told_and_not_shown(tmp_path: Path) -> None:
    folder = await make_run(tmp_path, 4)
    missing, text, changed, right = sorted(folder.pdfs.iterdir())
    missing.unlink()
    text.write_bytes(b"<html>")
    changed.write_bytes(right.read_bytes())
    refreshed, _, vehicles = await known(tmp_path)
    told = {one.reports[0][1].error for one in vehicles}
    assert told == {
        f"{missing.name}: it is missing",
        f"{text.name}: it is not a PDF",
        f"{changed.name}: it has changed since it was proven: run the command verify",
        None,
    }
    assert len(refreshed.problems) == 3
    assert sum(one.reports[0][1].file is not None for one in vehicles) == 1


async def test_values_of_another_content_do_not_count(tmp_path: Path) -> None:
    folder = await make_run(tmp_path, 2)
    path = folder.data / "values.jsonl"
    stale, good = (json.loads(line) for line in path.read_text().splitlines())
    stale["sha256"] = "0" * 64
    path.write_text(
        "\n".join([json.dumps(stale), "not JSON", "null", '"file"', '["file"]', "{}", "", json.dumps(good)])
    )
    refreshed, _, vehicles = await known(tmp_path)
    assert [bool(one.reports[0][1].values) for one in vehicles] == [False, True]
    assert [line.partition(": ")[2] for line in refreshed.problems] == [
        "lines that cannot be read: 5; run the command values again"
    ]


async def test_what_was_read_out_of_a_pdf_is_told_and_the_inventory_counts_before_it(tmp_path: Path) -> None:
    (one,) = demo_vehicles(1)
    run = await make_run(tmp_path, [one])
    read = {"vin": "OTHER1", "make": "Other", "year": 1, "mileage": 10**20, "trim": "\ud800", "flags": ["torn"]}
    rewrite_values(run, lambda rows: rows[0].update(read, error="page 2 has no text"))
    _, _, (vehicle,) = await known(tmp_path)
    assert (vehicle.vin, vehicle.make, vehicle.year, vehicle.mileage) == (one.vin, one.make, one.year, one.mileage)
    (_, report), *_ = vehicle.reports
    assert (vehicle.trim, report.flags, report.error) == ("\ud800", ("torn",), "page 2 has no text")
    assert report.status == "done"


async def test_a_folder_of_pdfs_has_what_its_values_tell_and_else_the_names_of_its_files(tmp_path: Path) -> None:
    run = await make_run(tmp_path, 2)
    lot = tmp_path / "lot"
    run.pdfs.rename(lot)
    rows = [json.loads(line) for line in (run.data / "values.jsonl").read_text().splitlines()]
    rows[0] |= {"file": rows[0]["file"].removeprefix("pdfs/"), "reference": "A 1"}
    (lot / "values.jsonl").write_text(json.dumps(rows[0]))
    _, (told,), vehicles = await known(tmp_path, [Path("lot")])
    assert (told.name, told.portal, told.whole) == ("lot", "", False)
    assert {(one.reference, one.vin) for one in vehicles} == {("A 1", rows[0]["vin"]), (rows[1]["reference"], None)}


async def test_only_what_a_run_was_asked_for_counts(tmp_path: Path) -> None:
    lot = demo_vehicles(4)
    await make_run(tmp_path, lot, goal=Goal(maximum=2), left=[lot[1].reference, lot[2].reference])
    _, (run,), vehicles = await known(tmp_path)
    assert not run.whole
    told = {one.reference: one.reports[0][1].status for one in vehicles}
    assert told == {lot[0].reference: "done", lot[1].reference: "todo", lot[3].reference: "done"}


async def test_rehearsals_on_this_machine_count_only_where_there_is_nothing_else(tmp_path: Path) -> None:
    await make_run(tmp_path, 1)
    assert len((await known(tmp_path))[1]) == 1
    await make_run(tmp_path, 1, started=STARTED + WEEK, origin=REAL)
    assert [run.name for run in (await known(tmp_path))[1]] == ["2026-11-22"]
    named = [Path("2026-11-15"), Path("2026-11-22")]
    assert len((await known(tmp_path, named))[1]) == 2


async def test_who_watches_is_told_how_many_pdfs_are_unread_and_then_what_they_are(tmp_path: Path) -> None:
    told: list[int | str] = []

    class Watcher:
        async def on_change(self, unread: int) -> None:
            told.append(unread)

        def on_read(self, run: RunEntry, reports: Sequence[ReportEntry]) -> None:
            told.extend([run.name, len(reports)])

    async def refresh() -> list[int | str]:
        told.clear()
        async with catalog_of(tmp_path) as catalog:
            await catalog.refresh(await asyncio.to_thread(find_sources, tmp_path, ()), Watcher())
        return told

    lot = demo_vehicles(6)
    run = await make_run(tmp_path, lot)
    age(tmp_path)
    assert await refresh() == [6, "2026-11-15", 6]
    assert await refresh() == []
    for one in lot[:2]:
        await replace_pdf(run, one.reference, one, STARTED + WEEK)
    assert await refresh() == [2, "2026-11-15", 6]
