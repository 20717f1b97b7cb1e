"""500 reports of three layouts, one of twenty broken: each value right or null, each broken file a row of its own."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from jdp_scraper.batch.in_order import BatchProgress
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.values.command import ValuesOptions, extract
from jdp_scraper.values.reading import LIMITS

from .generated import BROKEN, FIELDS, LAYOUTS, Report, reports

FILES = 500
WORKERS = 2
# One of twenty: what takes its time to fail is there twice.
BROKEN_COUNTS = {"truncated": 8, "encrypted": 7, "pages": 6, "bomb": 2, "endless": 2}
FAULTS = {
    "truncated": "cut off",
    "encrypted": "encrypted",
    "pages": "2000 pages",
    "bomb": "",  # by whichever limit it meets first
    "endless": "",
}


def made(folder: Path) -> tuple[dict[str, Report], dict[str, str]]:
    """Write the files into two levels of folders; return the reports and the broken ones by file."""
    source = random.Random(7)
    kinds = [kind for kind, count in BROKEN_COUNTS.items() for _ in range(count)]
    broken = dict(zip(sorted(source.sample(range(FILES), len(kinds))), source.sample(kinds, len(kinds)), strict=True))
    contents = {kind: BROKEN[kind]() for kind in BROKEN_COUNTS}
    good, bad = {}, {}
    for number, report in enumerate(reports(FILES)):
        name = f"{LAYOUTS[number % 3].__name__}/{number:04d}.pdf"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if (kind := broken.get(number)) is not None:
            path.write_bytes(contents[kind])
            bad[name] = kind
        else:
            path.write_bytes(LAYOUTS[number % 3](report, source))
            good[name] = report
    return good, bad


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Report], dict[str, str]]:
    path = tmp_path_factory.mktemp("reports")
    return path, *made(path)


def rows_of(out: Path) -> dict[str, dict[str, Any]]:
    return {row["file"]: row for row in map(json.loads, (out / "values.jsonl").read_text("ascii").splitlines())}


@pytest.mark.timeout(280)
async def test_every_value_is_right_or_null_and_a_broken_file_costs_its_own_row_alone(
    folder: tuple[Path, dict[str, Report], dict[str, str]],
) -> None:
    path, good, bad = folder
    most = 0
    told: list[BatchProgress] = []

    async def tell(progress: BatchProgress) -> None:
        nonlocal most
        told.append(progress)
        most = max(most, await asyncio.to_thread(_memory_of_workers))

    options = ValuesOptions(path, (path,), portal="jdpower", parallel=Parallel(WORKERS))
    extracted = await extract(options, tell=tell)
    rows = rows_of(path)
    assert list(rows) == sorted([*good, *bad])
    wrong = [
        (file, name, rows[file][name], report.told[name])
        for file, report in good.items()
        for name in FIELDS
        if rows[file][name] not in (None, report.told[name])
    ]
    assert wrong == []
    missed = Counter(
        (file.partition("/")[0], name)
        for file, report in good.items()
        for name in FIELDS
        if rows[file][name] is None and report.told[name] is not None
    )
    assert missed.total() <= len(good) * len(FIELDS) // 200, missed
    assert {file for file, row in rows.items() if row["error"]} == set(bad)
    assert [(file, rows[file]["error"]) for file, kind in bad.items() if FAULTS[kind] not in rows[file]["error"]] == []
    assert all(len(row["sha256"]) == 64 for row in rows.values())
    assert extracted.counts.files == FILES
    assert extracted.counts.failed.total() == len(bad)
    assert 0 < most <= WORKERS * LIMITS.memory_bytes
    assert [one.done for one in told][-1] == FILES


@pytest.mark.timeout(280)
async def test_parallel_and_sequential_and_cached_passes_write_the_same_bytes(
    folder: tuple[Path, dict[str, Report], dict[str, str]], tmp_path: Path
) -> None:
    path, good, bad = folder
    quick = [*good][:60] + [file for file, kind in bad.items() if kind in {"truncated", "encrypted", "pages"}]
    for file in quick:
        target = tmp_path / "pdfs" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path / file, target)
    outs = []
    for name, parallel in (("one", Parallel(1)), ("off", Parallel(2, on=False)), ("two", Parallel(2))):
        options = ValuesOptions(path, (tmp_path / "pdfs",), tmp_path / name, "jdpower", parallel=parallel)
        extracted = await extract(options)
        assert extracted.workers.workers == (2 if name == "two" else 1)
        outs.append({one.name: one.read_bytes() for one in (tmp_path / name).glob("values.*")})
        again = await extract(options)
        assert again.counts.from_cache == len(quick)
        assert again.workers.tasks == 0
        assert {one.name: one.read_bytes() for one in (tmp_path / name).glob("values.*")} == outs[-1]
    assert {"values.csv", "values.jsonl", "values.xlsx"} <= outs[0].keys()
    assert outs[0] == outs[1] == outs[2]


def _memory_of_workers() -> int:
    total = 0
    for child in psutil.Process().children():
        try:
            if "jdp_scraper.batch.child" in child.cmdline():
                total += child.memory_info().rss
        except psutil.Error:
            continue
    return total
