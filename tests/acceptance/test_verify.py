"""``verify`` by the whole program: a run is damaged in every way, found out, put right, and fetched again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jdp_scraper.checkpoint.download_lock import DownloadLock
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.disk import Disk
from tests.support.program import MAIN, Ended, Program, judge

BUILT_IN = Path(__file__).parents[2] / "jdp_scraper/portal/profiles/jdpower.toml"


def without_credentials(program: Program) -> Program:
    """The same folder and no portal: ``verify`` needs neither."""
    return Program(program.folder, None, {"JD_USER": "", "JD_PASS": ""})


def wrong(ended: Ended) -> list[str]:
    """The files that are named as wrong, in their order."""
    return [line.split()[1].rstrip(":") for line in ended.out.splitlines() if line.startswith("wrong ")]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_run_that_was_damaged_in_every_way_is_found_out_put_right_and_fetched_again(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=14)) as portal:
        program = Program(tmp_path, portal)
        assert (await program.run()).code == 0
        alone = without_credentials(program)
        fine = await alone.run("verify")
        assert fine.code == 0, fine.text
        assert "14 of 14 done are right, 0 wrong" in fine.out

        pdfs = program.run_folder / "pdfs"
        files = program.pdfs()
        damage(pdfs, files)
        expected = {path.name for path in files[:7]} | {"holiday.pdf", "165530.7.pdf.part"}
        before = contents(tmp_path)
        found = await alone.run("verify")
        assert found.code == 1, found.text
        assert set(wrong(found)) == expected
        assert "7 of 14 done are right, 9 wrong" in found.out and "--repair" in found.out
        assert contents(tmp_path) == before, "without --repair nothing is touched"

        repaired = await alone.run("verify", "--repair")
        assert repaired.code == 1, repaired.text
        assert set(wrong(repaired)) == expected
        assert f"back to work: 7 vehicles; only a start at PORTAL_URL={portal.url} fetches them" in repaired.out
        quarantined = {path.name for path in (program.run_folder / "run_data/quarantine").iterdir()}
        assert quarantined == expected - {files[0].name}  # the one that was deleted is nowhere
        assert {path.name for path in pdfs.iterdir()} == {path.name for path in files[7:]}
        assert list(program.data("tracking.json").values()).count(None) == 7
        assert (await alone.run("verify")).code == 0

        asked = sum((await portal.ledger())["reports_asked"].values())
        again = await program.run()
        assert again.code == 0, again.text
        assert sum((await portal.ledger())["reports_asked"].values()) - asked == 7
        assert (await alone.run("verify")).code == 0
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (14, [])


def damage(pdfs: Path, files: list[Path]) -> None:
    """Seven PDFs that are no longer right, and two files that do not belong there."""
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-1000])
    content = bytearray(files[2].read_bytes())
    content[len(content) // 2] ^= 1
    files[2].write_bytes(content)
    shutil.copy(files[10], files[3])
    shutil.copy(files[11], files[4])
    swapped = files[5].read_bytes()
    files[5].write_bytes(files[6].read_bytes())
    files[6].write_bytes(swapped)
    (pdfs / "holiday.pdf").write_bytes(files[12].read_bytes())
    (pdfs / "165530.7.pdf.part").write_bytes(b"%PDF-1.4 half")


# -- input that cannot be used -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished run of four vehicles, made by the program itself; to be copied."""
    folder = tmp_path_factory.mktemp("finished")
    subprocess.run(
        [sys.executable, str(MAIN), "--demo", "--max", "4"],
        cwd=folder,
        env=Program(folder).env(),
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
async def copied(finished: Path, tmp_path: Path) -> AsyncIterator[Program]:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    yield Program(tmp_path, None, {"JD_USER": "", "JD_PASS": ""})


def refused(ended: Ended, *parts: str) -> None:
    assert ended.code == 2, ended.text
    (line,) = ended.err.splitlines()
    assert all(part in line for part in parts), line


async def test_a_run_is_named_by_its_path_or_below_the_download_folder(copied: Program) -> None:
    run = copied.run_folder
    for name in (run.name, f"downloads/{run.name}", str(run)):
        ended = await copied.run("verify", name)
        assert ended.code == 0, ended.text
        assert "4 of 4 done are right" in ended.out
        told = await copied.run("status", name)
        assert (told.code, told.out.split()[0]) == (0, run.name), told.text
        assert "finished   4 done" in told.out


async def test_what_is_no_run_is_refused(copied: Program) -> None:
    refused(await copied.run("verify", "2020-01-01"), "2020-01-01", "no run folder")
    refused(await copied.run("verify", "--download-folder", "nowhere"), f"no runs in {copied.folder / 'nowhere'}")
    assert (await copied.run("status", "--download-folder", "nowhere")).out == f"no runs in {copied.folder}/nowhere\n"
    refused(await copied.run("status", "2020-01-01"), "2020-01-01", "no run folder")
    for file in (copied.run_folder / "run_data").glob("checkpoint.*"):
        file.write_bytes(b"nonsense\n")
    refused(await copied.run("verify"), "no checkpoint can be read")
    refused(await copied.run("verify", "--repair"), "no checkpoint can be read")


async def test_a_folder_in_which_a_run_works_is_refused(copied: Program) -> None:
    async with DownloadLock(copied.downloads, Disk()):
        for arguments in (["verify"], ["verify", "--repair"]):
            refused(await copied.run(*arguments), "run works in")
    assert (await copied.run("verify")).code == 0


async def test_a_run_is_proven_by_the_rule_that_it_has_kept_or_by_the_profile_that_is_named(copied: Program) -> None:
    other = BUILT_IN.read_text("utf-8").replace('"Stock #", "Stock Number", "Reference"', '"Lot"')
    profile = copied.folder / "changed.toml"
    profile.write_text(other, "utf-8")
    assert (await Program(copied.folder, None, {"PORTAL": str(profile)}).run("verify")).code == 0
    ended = await copied.run("verify", "--portal", str(profile))
    assert (ended.code, len(wrong(ended))) == (1, 4), ended.text
    refused(await copied.run("verify", "--portal", "plain"), "--portal", "'plain'", "'jdpower'")


async def test_a_run_from_before_the_rule_was_kept_is_proven_by_the_profile_of_its_name(copied: Program) -> None:
    forget_rule(copied.run_folder / "run_data")
    ended = await Program(copied.folder, None, {"PORTAL": "no-such-profile"}).run("verify")
    assert ended.code == 0, ended.text
    forget_rule(copied.run_folder / "run_data", portal="corner")
    refused(await copied.run("verify"), "'corner'", "--portal")


async def test_a_repair_says_where_no_start_goes_on_with_the_run(copied: Program) -> None:
    older = copied.run_folder
    newer = older.with_name(f"{older.name}-2")
    shutil.copytree(older, newer)
    (older / "pdfs/165530.pdf").unlink()
    assert (await copied.run("verify")).code == 0, "the newest run is meant where none is named"
    ended = await copied.run("verify", older.name, "--repair")
    assert ended.code == 1, ended.text
    assert "back to work: 1 vehicle; no start goes on with this run: --only fetches them in another" in ended.out
    (newer / "pdfs/165530.pdf").unlink()
    assert (await copied.run("verify", newer.name, "--repair")).code == 1
    (older / "pdfs/165530A.pdf").unlink()
    ended = await copied.run("verify", older.name, "--repair")
    assert f"the next start goes on with the newer run {newer.name}, not with this one" in ended.out


@pytest.mark.parametrize(
    ("origin", "days", "text"),
    [
        ("https://portal.example", 0, "the next start fetches them"),
        ("https://portal.example", 8, "the next start with --resume fetches them"),
        (
            "http://127.0.0.1:8000",
            0,
            "only a start at PORTAL_URL=http://127.0.0.1:8000 fetches them; the portal of --demo",
        ),
    ],
)
async def test_a_repair_says_which_start_fetches_what_is_back_to_work(
    copied: Program, origin: str, days: int, text: str
) -> None:
    started = datetime.now(UTC) - timedelta(days=days)
    change_header(copied.run_folder / "run_data", origin=origin, started=started.isoformat())
    (copied.run_folder / "pdfs/165530.pdf").unlink()
    assert f"back to work: 1 vehicle; {text}" in (await copied.run("verify", "--repair")).out


def forget_rule(folder: Path, portal: str = "jdpower") -> None:
    """Write the checkpoint anew as an earlier version did: without the rule of proof in its header."""
    change_header(folder, without="proof", portal=portal)


def change_header(folder: Path, without: str = "", **values: str) -> None:
    """Write the checkpoint anew with other values in its header, also such as no start would change."""
    from jdp_scraper.checkpoint.recovery import FILES, recover
    from jdp_scraper.checkpoint.sealed import dump, seal

    state = recover(folder).state
    entry = state.to_entry()
    entry["header"] = {name: value for name, value in entry["header"].items() if name != without} | values
    for name in FILES:
        (folder / name).write_bytes(seal(state.sequence, dump(entry)))


# -- PDFs without text -------------------------------------------------------------------------------------------------


async def test_scans_are_kept_apart_and_fetched_again_once_they_have_text(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4, scans=True)) as portal:
        program = Program(tmp_path, portal, {"MAX_RETRIES": "1", "RETRY_WAIT_S": "0"})
        ended = await program.run()
        assert ended.code == 1, ended.text
        assert "ReportUnproven" in ended.out and "kept apart as run_data/unproven/" in ended.out
        unproven = program.run_folder / "run_data/unproven"
        assert len(list(unproven.iterdir())) == 4
        assert program.pdfs() == []
        error = json.loads((program.run_folder / "run_data/failures/165530/error.json").read_text("ascii"))
        assert (error["error"], error["attempt"]) == ("ReportUnproven", 2)
        assert (await without_credentials(program).run("verify")).code == 0
        await portal.set(scans=False)
        assert (await program.run()).code == 0
        assert list(unproven.iterdir()) == []
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (4, [])


async def test_scans_whose_file_names_tell_their_vehicle_are_placed_where_the_profile_allows_it(tmp_path: Path) -> None:
    rule = 'reference_labels = ["Stock #", "Stock Number", "Reference"]'
    profile = tmp_path / "scans.toml"
    allowed = BUILT_IN.read_text("utf-8").replace(rule, f'{rule}\nwithout_text = ["file_name"]')
    profile.write_text(allowed, "utf-8")
    async with DemoPortal.start(DemoOptions(vehicles=5, file_name="reference")) as portal:
        await portal.fault("scan", times=-1, match="165530")
        await portal.fault("scan", times=-1, match="165530A")
        program = Program(tmp_path, portal, {"PORTAL": str(profile), "MAX_RETRIES": "0"})
        ended = await program.run()
        assert ended.code == 0, ended.text
        assert "2 PDFs proven by how they came" in ended.out
        verified = await without_credentials(program).run("verify")
        assert verified.code == 0, verified.text
        assert "5 of 5 done are right" in verified.out and "2 without text, proven by how they came" in verified.out
        first, second = (program.run_folder / "pdfs" / name for name in ("165530.pdf", "165530A.pdf"))
        first.write_bytes(second.read_bytes())  # another vehicle's scan: the record tells them apart
        verified = await without_credentials(program).run("verify")
        assert (verified.code, wrong(verified)) == (1, ["165530.pdf"])


async def test_a_scan_that_comes_for_another_vehicle_is_not_placed(tmp_path: Path) -> None:
    rule = 'reference_labels = ["Stock #", "Stock Number", "Reference"]'
    profile = tmp_path / "scans.toml"
    allowed = BUILT_IN.read_text("utf-8").replace(rule, f'{rule}\nwithout_text = ["file_name", "address"]')
    profile.write_text(allowed, "utf-8")
    async with DemoPortal.start(DemoOptions(vehicles=4, scans=True, file_name="vin")) as portal:
        await portal.fault("other_vehicle", at="pdf", times=1, match="165530")
        program = Program(tmp_path, portal, {"PORTAL": str(profile), "RETRY_WAIT_S": "0"})
        ended = await program.run()
        assert ended.code == 0, ended.text
        assert "165530: attempt 1: ReportUnproven" in ended.out
        assert list((program.run_folder / "run_data/unproven").iterdir()) == []


# -- PDFs that hold more than pages ------------------------------------------------------------------------------------


async def test_a_pdf_with_a_script_is_kept_flagged_and_told_everywhere(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4)) as portal:
        await portal.fault("javascript", match="165530A")
        program = Program(tmp_path, portal)
        ended = await program.run()
        assert ended.code == 0, ended.text
        assert "warning: 165530A: its PDF is proven, but flagged: JavaScript" in ended.out
        assert "  flagged    165530A: JavaScript" in ended.out
        assert "warning" in log_level(program, "flagged: JavaScript")
        again = await program.run("status")
        assert "4 done (1 flagged)" in again.out
        verified = await without_credentials(program).run("verify")
        assert verified.code == 0, verified.text
        assert "flagged  165530A.pdf: JavaScript" in verified.out and "1 flagged" in verified.out
        assert program.data("metrics.json")["totals"]["flagged"] == 1
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (4, [])


def log_level(program: Program, part: str) -> str:
    lines = (program.run_folder / "run_data/run.log").read_text("ascii").splitlines()
    (found,) = [json.loads(line)["level"] for line in lines if part in line]
    return str(found)
