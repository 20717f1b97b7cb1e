"""The main job from the command line to the last PDF, against both sites of the demo portal."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from jdp_scraper.demo.options import DemoOptions, Links, TabWay
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Program, asked_twice, judge, until_portal
from tests.support.program import ended as end_of

FULL_CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.parametrize("tab", get_args(TabWay))
@pytest.mark.parametrize("links", ["address", "script"])
async def test_each_way_of_opening_vehicles_and_reports_gives_every_pdf_once(
    tmp_path: Path, tab: TabWay, links: Links
) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=12, tab=tab, links=links, csv_bom=True)) as portal:
        program = Program(tmp_path, portal)
        ended = await program.run("--pages", "4")
        ledger = await portal.ledger()
        assert ended.code == 0, ended.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (12, [])
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)
        assert len(ledger["reports_asked"]) == 12
        assert asked_twice(ledger) == {}


@pytest.mark.parametrize("way", ["location", "form"])
async def test_a_way_of_opening_reports_that_changes_in_mid_run_uses_up_no_try(tmp_path: Path, way: TabWay) -> None:
    """And no report is asked for twice by it: the next try of a ``TabAstray`` takes any way."""
    async with DemoPortal.start(DemoOptions(vehicles=40, latency="typical")) as portal:
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0"})
        async with program.started() as process:
            await until_portal(portal, lambda ledger: len(ledger["reports_asked"]) >= 10, process)
            await portal.set(tab=way)
            last = await end_of(process)
        assert last.code == 0, last.text
        assert "TabAstray" in last.text
        assert asked_twice(await portal.ledger()) == {}
        assert (await judge(program)).right == 40


async def test_the_second_site_is_done_by_its_grid_alone(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(site="plain", vehicles=60)) as portal:
        program = Program(tmp_path, portal, {"PORTAL": "plain"})
        ended = await program.run()
        ledger = await portal.ledger()
        assert ended.code == 0, ended.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (60, [])
        assert (ledger["sign_ins"], ledger["sign_outs"], ledger["exports"]) == (1, 1, 0)
        assert asked_twice(ledger) == {}


@pytest.mark.parametrize("vehicles", [1, 12])
async def test_a_pager_that_shows_for_several_pages_of_rows_only_changes_nothing(tmp_path: Path, vehicles: int) -> None:
    options = DemoOptions(vehicles=vehicles, page_size=5, pager="several", links="script")
    async with DemoPortal.start(options) as portal:
        program = Program(tmp_path, portal)
        ended = await program.run()
        assert ended.code == 0, ended.text
        assert (await judge(program)).right == vehicles
        assert asked_twice(await portal.ledger()) == {}


@pytest.mark.parametrize("links", ["address", "script"])
async def test_a_vehicle_that_is_gone_costs_no_other_one_where_no_pager_tells_of_no_row(
    tmp_path: Path, links: str
) -> None:
    options = DemoOptions(vehicles=12, page_size=5, pager="several", links=links)  # type: ignore[arg-type]
    async with DemoPortal.start(options) as portal:
        program = Program(tmp_path, portal, {"RETRY_WAIT_S": "0"})
        gone = (await portal.inventory())[3]["reference"]
        async with program.started() as process:
            await until_portal(portal, lambda ledger: ledger["exports"], process)
            await portal.change_lot(remove=[gone])
            ended = await end_of(process)
        assert ended.code == 1, ended.text
        assert f"{gone}: grid: no row with the reference" in ended.out or f"{gone}: the portal" in ended.out, ended.out
        assert (await judge(program)).right == 11


async def test_sixteen_pages_mix_nothing_up(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=120)) as portal:
        program = Program(tmp_path, portal)
        ended = await program.run("--pages", "16")
        ledger = await portal.ledger()
        assert ended.code == 0, ended.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (120, [])
        assert asked_twice(ledger) == {}
        assert ledger["sign_ins"] == 1


async def test_a_report_bound_to_the_session_is_right_where_the_profile_says_so(tmp_path: Path) -> None:
    built_in = Path(__file__).parents[2] / "jdp_scraper/portal/profiles/jdpower.toml"
    profile = tmp_path / "bound.toml"
    profile.write_text(built_in.read_text("utf-8").replace('bound = "page"', 'bound = "session"'), "utf-8")
    async with DemoPortal.start(DemoOptions(vehicles=20, bound="session")) as portal:
        program = Program(tmp_path, portal, {"PORTAL": str(profile)})
        ended = await program.run()
        assert ended.code == 0, ended.text
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (20, [])


@pytest.mark.skipif(FULL_CHROMIUM is None, reason="no full Chromium on this machine")
async def test_full_chromium_headless(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=10)) as portal:
        program = Program(tmp_path, portal, {"BROWSER_PATH": str(FULL_CHROMIUM)})
        ended = await program.run()
        assert ended.code == 0, ended.text
        assert (await judge(program)).right == 10
        assert asked_twice(await portal.ledger()) == {}


@pytest.fixture
def screen() -> Iterator[str]:
    """A virtual screen, so that a headed browser has somewhere to show itself."""
    import subprocess

    if shutil.which("Xvfb") is None or FULL_CHROMIUM is None:
        pytest.skip("needs Xvfb and a full Chromium")
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24"], pass_fds=[write]) as xvfb:
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        yield f":{number}"
        xvfb.terminate()


async def test_headed_with_all_resources(tmp_path: Path, screen: str) -> None:
    environment = {"HEADLESS": "false", "BLOCK_RESOURCES": "false", "DISPLAY": screen}
    async with DemoPortal.start(DemoOptions(vehicles=10)) as portal:
        program = Program(tmp_path, portal, environment)
        ended = await program.run()
        assert ended.code == 0, ended.text
        assert (await judge(program)).right == 10
        statics = (await portal.ledger())["static"]
        assert any(path.endswith(".png") for path in statics), statics


async def test_blocking_keeps_pictures_and_fonts_away_and_the_cache_on(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=10)) as portal:
        program = Program(tmp_path, portal)
        assert (await program.run()).code == 0
        statics = (await portal.ledger())["static"]
        assert not [path for path in statics if path.endswith((".png", ".woff2", ".woff"))], statics
        assert all(times <= 2 for path, times in statics.items() if path.endswith(".js")), statics


async def test_a_reference_that_stands_twice_is_two_tasks(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=12, duplicates=1, links="script")) as portal:
        program = Program(tmp_path, portal)
        ended = await program.run()
        assert ended.code == 0, ended.text
        vehicles = await portal.inventory()
        references = [vehicle["reference"] for vehicle in vehicles]
        (twice,) = {reference for reference in references if references.count(reference) == 2}
        vins = [vehicle["vin"] for vehicle in vehicles if vehicle["reference"] == twice]
        tracking = program.data("tracking.json")
        assert tracking[twice] == f"{twice}.pdf"
        assert tracking[f"{twice}~{vins[1]}"] == f"{twice}~{vins[1]}.pdf"
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (len(vehicles), [])


async def test_what_a_run_folder_holds(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=6, csv_encoding="cp1252", blank_references=1)) as portal:
        program = Program(tmp_path, portal)
        ended = await program.run("--max", "4")
        assert ended.code == 0, ended.text
        assert "1 lines have no reference" in ended.out
    data = program.run_folder / "run_data"
    metrics = program.data("metrics.json")
    assert metrics["totals"]["done"] == 4
    assert set(metrics["steps"]) == {"open", "report", "download", "prove", "record"}
    assert all(one["attempts"] == 1 for one in metrics["vehicles"].values())
    assert sum(1 for name in program.data("tracking.json").values() if name) == 4
    events = [json.loads(line) for line in (data / "run.log").read_text("ascii").splitlines()]
    assert sum(1 for event in events if event["event"] == "TaskDone") == 4
    assert (data / "license.txt").read_text("utf-8").startswith("sha256 ")
    assert not (program.downloads / ".session").exists() or not list((program.downloads / ".session").glob("*.json"))
    status = await Program(tmp_path).run("status")
    assert "4 done, 0 failed" in status.out
    assert "finished" in status.out


async def test_max_is_the_first_n_of_the_inventory_for_the_run_as_a_whole(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=9)) as portal:
        program = Program(tmp_path, portal, {"MAX_DOWNLOADS": "3"})
        assert (await program.run()).code == 0
        first = [vehicle["key"] for vehicle in (await portal.inventory())[:3]]
        references = list(program.data("tracking.json").items())
        assert [key for key, name in references if name] == [key for key, _ in references[:3]]
        assert len(first) == 3


async def test_only_fetches_what_it_names_and_refuses_what_the_inventory_lacks(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=9)) as portal:
        program = Program(tmp_path, portal)
        assert (await program.run("--only", "165530A", "--only", "165530A")).code == 0
        assert [path.name for path in program.pdfs()] == ["165530A.pdf"]
        assert "goal: only 1;" in (await program.run("status")).out
        ended = await program.run("--new", "--only", "999999X")
        ledger = await portal.ledger()
        assert ended.code == 2
        assert "999999X" in ended.err
        assert ledger["open_sessions"] == 0
        assert len(program.runs()) == 1
