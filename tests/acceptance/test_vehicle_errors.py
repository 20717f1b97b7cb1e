"""Each error of one vehicle from its real cause in a whole run, and what its docstring promises then."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.begun import begin_run
from tests.support.program import Ended, Program, ended, judge, until

PROFILES = Path(__file__).resolve().parents[2] / "jdp_scraper/portal/profiles"
STEP_S = 12.0  # longer than a machine stands still
RETRY_AFTER_S = 3
# The fault that the next requests of one vehicle meet, and the error that it is told as.
ONCE = (
    ("hang", "vehicle", "StepTimeout"),
    ("error_500", "vehicle", "PortalAnswered"),
    ("other_vehicle", "vehicle", "WrongVehicle"),
    ("gone_softly", "vehicle", "NotShown"),
    ("error_500", "create", "ReportRefused"),
    ("reset", "pdf", "ReportUnreachable"),
    ("too_many", "pdf", "ReportStatus"),
    ("truncated_chunked", "pdf", "ReportBroken"),
    ("other_vehicle", "pdf", "ReportMismatch"),
    ("redirect_origin", "pdf", "ForeignAddress"),
)
BOTH_WAYS = {"WrongVehicle", "NotShown"}  # where an address leads astray, the vehicle is clicked in the same try
FIRST = 2  # on the lot: the first vehicle finds out how vehicles are opened


@dataclass
class Run:
    """A run in which vehicles met faults, and what it told of them."""

    program: Program
    ended: Ended
    ledger: dict[str, Any]
    inventory: list[dict[str, Any]]

    def events(self, key: str) -> list[dict[str, Any]]:
        log = self.program.run_folder / "run_data" / "run.log"
        events = [json.loads(line) for line in log.read_text("ascii").splitlines()]
        return [event for event in events if event.get("key") == key]

    def returned(self, key: str) -> dict[str, Any]:
        (event,) = [event for event in self.events(key) if event["event"] == "TaskReturned"]
        return event


@asynccontextmanager
async def portal_of(**options: Any) -> AsyncIterator[DemoPortal]:
    async with DemoPortal.start(DemoOptions(**{"vehicles": FIRST + len(ONCE)} | options)) as portal:
        yield portal


async def run(program: Program, portal: DemoPortal, *arguments: str) -> Run:
    last = await program.run(*arguments)
    return Run(program, last, await portal.ledger(), await portal.inventory())


def seconds_between(before: dict[str, Any], after: dict[str, Any]) -> float:
    return (datetime.fromisoformat(after["at"]) - datetime.fromisoformat(before["at"])).total_seconds()


async def test_each_is_counted_and_tried_again_and_nothing_wrong_gets_a_name(tmp_path: Path) -> None:
    # The grid's first page, seen before the walk, has only the first vehicles: where an early row leads astray, its
    # vehicle waits for the walk within the same try.
    async with portal_of(retry_after_s=RETRY_AFTER_S, page_size=FIRST) as portal:
        references = [vehicle["reference"] for vehicle in await portal.inventory()][FIRST:]
        met = dict(zip([error for _, _, error in ONCE], references, strict=True))
        for (kind, at, error), reference in zip(ONCE, references, strict=True):
            await portal.fault(kind, at, match=reference, times=1 + (error in BOTH_WAYS))
        settings = {"STEP_TIMEOUT_S": str(STEP_S), "RETRY_WAIT_S": "0", "MAX_RETRIES": "1"}
        done = await run(Program(tmp_path, portal, settings), portal)
    program, ledger = done.program, done.ledger
    assert done.ended.code == 0, done.ended.text
    assert {error: done.returned(key)["error"] for error, key in met.items()} == {error: error for error in met}
    judged = await judge_with(program, done.inventory)
    assert judged == (FIRST + len(ONCE), [])
    for error, key in met.items():
        vehicle = program.data("metrics.json")["vehicles"][key]
        # A 429 uses up no try, nor does a mismatch while it may be the session's.
        assert vehicle["attempts"] == 2 or error in {"ReportStatus", "ReportMismatch"}, error
    assert not list(program.downloads.rglob("*.part"))  # ReportUnreachable: the unfinished file is removed
    # StepTimeout, PortalAnswered: the page is replaced.
    assert program.data("metrics.json")["totals"]["pages_replaced"] >= 2
    vins = {vehicle["reference"]: vehicle["vin"] for vehicle in done.inventory}
    # WrongVehicle: no report is asked for on the page.
    assert ledger["reports_created"][vins[met["WrongVehicle"]]] == 1
    assert ledger["reports_asked"][vins[met["ReportMismatch"]]] == 2
    # ReportRefused: noticed by the refusal, not by the step's deadline.
    started, refused = done.events(met["ReportRefused"])[0], done.returned(met["ReportRefused"])
    assert seconds_between(started, refused) < STEP_S
    # ReportStatus: a wait that the portal asks for is kept.
    again = [event for event in done.events(met["ReportStatus"]) if event["event"] == "TaskStarted"][1]
    assert seconds_between(done.returned(met["ReportStatus"]), again) >= RETRY_AFTER_S - 0.1
    # ForeignAddress: it is not followed.
    assert (ledger["foreign_requests"], ledger["foreign_with_cookie"]) == (0, 0)


@pytest.mark.parametrize("kind", ["other_vehicle", "gone_softly"])
async def test_an_early_row_that_leads_astray_costs_no_try_and_its_vehicle_is_right_in_the_end(
    kind: str, tmp_path: Path
) -> None:
    # Slow enough for the first vehicle to be asked for before the walk has its row.
    async with portal_of(vehicles=3, latency="typical") as portal:
        early = (await portal.inventory())[0]["reference"]
        await portal.fault(kind, "vehicle", match=early)
        done = await run(Program(tmp_path, portal, {"MAX_RETRIES": "0"}), portal)
    assert done.ended.code == 0, done.ended.text
    assert done.ledger["faults"] == {f"{kind}@vehicle": 1}
    assert "TaskReturned" not in {event["event"] for event in done.events(early)}
    assert done.program.data("metrics.json")["vehicles"][early]["attempts"] == 1
    assert await judge_with(done.program, done.inventory) == (3, [])


async def judge_with(program: Program, inventory: list[dict[str, Any]]) -> tuple[int, list[str]]:
    class Known:
        async def inventory(self) -> list[dict[str, Any]]:
            return inventory

    judged = await judge(Program(program.folder, Known()))  # type: ignore[arg-type]
    return judged.right, judged.wrong


async def test_a_vehicle_that_the_portal_no_longer_has_is_told_as_that(tmp_path: Path) -> None:
    profile = tmp_path / "tells-of-gone.toml"
    text = (PROFILES / "jdpower.toml").read_text("utf-8")
    profile.write_text(text.replace("[vehicle]", '[vehicle]\ngone = "no longer in your inventory"'), "utf-8")
    async with portal_of(vehicles=4) as portal:
        gone = (await portal.inventory())[3]["reference"]
        await portal.fault("gone_softly", times=-1, match=gone)
        done = await run(
            Program(tmp_path, portal, {"PORTAL": str(profile), "MAX_RETRIES": "1", "RETRY_WAIT_S": "0"}), portal
        )
    assert done.ended.code == 1, done.ended.text
    assert done.events(gone)[-1]["error"] == "VehicleGone"
    assert len(done.program.pdfs()) == 3


async def test_a_row_that_appears_late_is_found_by_the_filter(tmp_path: Path) -> None:
    async with portal_of(vehicles=4) as portal:
        late = (await portal.inventory())[3]["reference"]
        program = Program(tmp_path, portal, {"RETRY_WAIT_S": "1", "MAX_RETRIES": "6"})
        await begin_run(program, portal, datetime.now(UTC))
        await portal.change_lot(rename={late: "not here yet"})
        async with program.started() as process:
            await until(lambda: process.returncode is not None or "VehicleNotListed" in log_of(program))
            await portal.change_lot(rename={"not here yet": late})
            last = await ended(process)
        done = Run(program, last, await portal.ledger(), await portal.inventory())
    assert last.code == 0, last.text
    assert {event["error"] for event in done.events(late) if "error" in event} == {"VehicleNotListed"}
    assert len(program.pdfs()) == 4


async def test_a_report_that_names_no_vehicle_never_gets_a_name(tmp_path: Path) -> None:
    profile = tmp_path / "other-labels.toml"
    text = (PROFILES / "jdpower.toml").read_text("utf-8")
    labels = 'reference_labels = ["Stock #", "Stock Number", "Reference"]'
    assert labels in text
    profile.write_text(text.replace(labels, 'reference_labels = ["Lot code"]'), "utf-8")
    async with portal_of(vehicles=4) as portal:
        done = await run(
            Program(tmp_path, portal, {"PORTAL": str(profile), "MAX_RETRIES": "1", "RETRY_WAIT_S": "0"}), portal
        )
    assert done.ended.code == 1, done.ended.text
    assert done.program.pdfs() == []
    assert set(done.program.data("tracking.json").values()) == {None}
    for key, vehicle in done.program.data("metrics.json")["vehicles"].items():
        assert (vehicle["attempts"], done.returned(key)["error"]) == (2, "ReportUnproven")


async def test_a_page_that_crashes_is_replaced(tmp_path: Path) -> None:
    async with portal_of(vehicles=6, hang_s=600) as portal:
        await portal.fault("hang", "dialog")
        program = Program(tmp_path, portal, {"RETRY_WAIT_S": "0"})
        async with program.started("--pages", "1") as process:
            hung: dict[str, Any] = {}
            while not hung.get("hang@dialog") and process.returncode is None:
                hung = (await portal.ledger())["faults"]
            pages = renderers(process.pid)
            for page in pages:  # the run's own page, on which the grid was walked, as well
                page.kill()
            await until(lambda: not any(page.is_running() for page in pages) or process.returncode is not None)
            last = await ended(process)
        done = Run(program, last, await portal.ledger(), await portal.inventory())
    assert last.code == 0, last.text
    errors = [event["error"] for key in program.data("tracking.json") for event in done.events(key) if "error" in event]
    assert "PageLost" in errors
    assert program.data("metrics.json")["totals"]["pages_replaced"] >= 1
    assert len(program.pdfs()) == 6


def log_of(program: Program) -> str:
    return "".join(path.read_text("ascii") for path in program.downloads.glob("20*/run_data/run.log"))


def renderers(pid: int) -> list[psutil.Process]:
    found = psutil.Process(pid).children(recursive=True)
    return [one for one in found if "--type=renderer" in " ".join(one.cmdline())]


async def test_a_vehicle_that_ends_the_session_each_time_fails_and_the_others_come(tmp_path: Path) -> None:
    async with portal_of(vehicles=8) as portal:
        bad = (await portal.inventory())[FIRST]
        await portal.fault("expire", at="pdf", times=-1, match=bad["vin"])
        program = Program(tmp_path, portal, {"MAX_RETRIES": "1", "RETRY_WAIT_S": "0.1"})
        last = await program.run()
        assert last.code == 1, last.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (7, [])
        ledger = await portal.ledger()
        assert ledger["sign_ins"] == 1 + ledger["expiries"] <= 8
        assert ledger["open_sessions"] == 0
        (failure,) = (program.run_folder / "run_data" / "failures").glob("*/error.json")
        assert json.loads(failure.read_text("ascii"))["error"] == "SessionExpired"
