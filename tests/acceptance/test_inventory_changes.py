"""The portal's inventory is not the same from week to week, nor always what one expects."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.begun import begin_run
from tests.support.program import Program, judge

FIRM = {"MAX_RETRIES": "1", "RETRY_WAIT_S": "0"}


def inventory_of(run: Path) -> list[str]:
    with (run / "run_data" / "inventory.csv").open(newline="", encoding="utf-8") as file:
        return [row["reference"] for row in csv.DictReader(file)]


async def test_a_run_keeps_its_own_inventory_and_the_next_one_has_the_new(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=12)) as portal:
        program = Program(tmp_path, portal, FIRM)
        await begin_run(program, portal, datetime.now(UTC))
        before = inventory_of(program.run_folder)
        sold, renamed = before[6], before[8]
        await portal.change_lot(remove=[sold], rename={renamed: "NEW-1"}, add=3)

        second = await program.run()
        assert second.code == 1, second.text
        assert inventory_of(program.run_folder) == before
        tracking = program.data("tracking.json")
        assert {key for key, file in tracking.items() if file is None} == {sold, renamed}
        for reference in (sold, renamed):
            error = json.loads((program.run_folder / "run_data/failures" / reference / "error.json").read_text("ascii"))
            assert error["key"] == reference
            assert error["message"] in second.out

        third = await program.run("--new")
        assert third.code == 0, third.text
        after = inventory_of(program.runs()[-1])
        assert len(after) == 14
        assert "NEW-1" in after
        assert sold not in after
        assert (await portal.ledger())["open_sessions"] == 0


@pytest.mark.parametrize("site", ["jdpower", "plain"])
async def test_an_empty_inventory_is_told_and_signed_out_of(site: str, tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(site=site, vehicles=0)) as portal:  # type: ignore[arg-type]
        ended = await Program(tmp_path, portal, {"PORTAL": site}).run()
        assert ended.code == 2, ended.text
        assert "the portal's inventory is empty: there is nothing to fetch" in ended.err
        assert (await portal.ledger())["open_sessions"] == 0


@pytest.mark.parametrize("links", ["address", pytest.param("script", marks=pytest.mark.soak)])
async def test_of_20_000_rows_the_few_that_are_wanted_come_right(links: str, tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=20_000, links=links)) as portal:  # type: ignore[arg-type]
        program = Program(tmp_path, portal)
        wanted = [vehicle["reference"] for vehicle in await portal.inventory()][9_000::5_000]
        ended = await program.run(*(part for reference in wanted for part in ("--only", reference)))
        assert ended.code == 0, ended.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (len(wanted), [])
        assert len(inventory_of(program.run_folder)) == 20_000


@pytest.mark.parametrize("kind", ["sign_in_page", "expire", "error_500", "reset", "license"])
async def test_an_export_that_goes_wrong_is_asked_for_again(kind: str, tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=5)) as portal:
        await portal.fault(kind, at="export")
        program = Program(tmp_path, portal)
        ended = await program.run()
        assert ended.code == 0, ended.text
        assert (await judge(program)).right == 5
        ledger = await portal.ledger()
        assert ledger["sign_ins"] == 1 + ledger["expiries"]
        assert ledger["open_sessions"] == 0
