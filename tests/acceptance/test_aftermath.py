"""The program as a process, from the sign-out on: values and archive of whatever the run has brought, or cut off."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Ended, Program, ended, judge, until
from tests.support.run_folders import files_of

PROFILES = Path(__file__).resolve().parents[2] / "jdp_scraper/portal/profiles"
TABLES = ("values.csv", "values.jsonl", "values.xlsx")


def values(run: Path) -> list[str]:
    """Return the references whose values are known of a run."""
    lines = (run / "run_data" / "values.jsonl").read_text("ascii").splitlines()
    return [json.loads(line)["reference"] for line in lines]


def tables(run: Path) -> dict[str, bytes]:
    return {name: (run / "run_data" / name).read_bytes() for name in TABLES if (run / "run_data" / name).exists()}


def state_of(downloads: Path) -> dict[str, bytes]:
    return files_of(downloads / "archive")


async def test_a_proven_scan_without_values_is_told_and_the_run_has_ended_well(tmp_path: Path) -> None:
    rule = 'reference_labels = ["Stock #", "Stock Number", "Reference"]'
    profile = tmp_path / "scans.toml"
    allowed = (PROFILES / "jdpower.toml").read_text("utf-8").replace(rule, f'{rule}\nwithout_text = ["file_name"]')
    profile.write_text(allowed, "utf-8")
    async with DemoPortal.start(DemoOptions(vehicles=3, file_name="reference")) as portal:
        scanned = (await portal.inventory())[1]["reference"]
        await portal.fault("scan", times=-1, match=scanned)
        program = Program(
            tmp_path,
            portal,
            {"PORTAL": str(profile), "MAX_RETRIES": "0", "EXTRACT_VALUES": "true", "PUBLISH_ARCHIVE": "true"},
        )
        last = await program.run()
    assert (last.code, last.err) == (0, ""), last.text
    assert f"failed   1 of 3: it holds no text, as a scan: pdfs/{scanned}.pdf" in last.out
    assert len(list((program.downloads / "archive" / "vehicles").iterdir())) == 3


async def test_a_run_that_the_portal_ends_has_the_values_of_what_it_has_brought(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=30, latency="typical")) as portal:
        waits = {"EXTRACT_VALUES": "true", "MAX_RETRIES": "0", "PORTAL_DOWN_WAIT_S": "1", "RETRY_WAIT_S": "0"}
        program = Program(tmp_path, portal, waits)
        async with program.started() as process:
            await until(lambda: len(program.pdfs()) >= 3)
            await portal.set(down=True)
            last = await ended(process)
        assert last.code == 4, last.text
        (line,) = last.err.splitlines()
        assert line.startswith("error: ") and "PORTAL_DOWN_WAIT_S" in line
        assert sorted(values(program.run_folder)) == sorted(path.stem for path in program.pdfs())
        # Another start that brings nothing looks at nothing either.
        await portal.set(down=True)
        before = tables(program.run_folder)
        again = await program.run()
        assert again.code == 4, again.text
        assert "values" not in again.out
        assert tables(program.run_folder) == before


async def test_a_run_that_a_person_ends_is_ended_and_the_next_start_makes_its_values(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=40, latency="typical")) as portal:
        program = Program(tmp_path, portal, {"EXTRACT_VALUES": "true", "PUBLISH_ARCHIVE": "true"})
        last = await program.signalled(signal.SIGINT, lambda: len(program.pdfs()) >= 2)
        assert last.code == 130, last.text
        assert tables(program.run_folder) == {}
        assert not (program.downloads / "archive").exists()
        await portal.set(latency="none")
        done = await program.run()
        assert (done.code, done.err) == (0, ""), done.text
        assert len(values(program.run_folder)) == 40
        assert "archive of 40 vehicles in 1 run" in done.out


async def stopped(program: Program, number: signal.Signals, begun: Path) -> Ended:
    """Start it, send it a signal as soon as there is ``begun``, and see that nothing of it stays."""
    async with program.started() as process:
        await until(lambda: begun.exists() or process.returncode is not None)
        workers = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, number)
        last = await ended(process)
    await until(lambda: not any(one.is_running() for one in workers))
    return last


def check_cut_off(last: Ended, number: signal.Signals) -> None:
    assert last.code == 128 + number, last.text
    (line,) = last.err.splitlines()
    assert line.startswith("error: Interrupted: the reports that were fetched are in place")


async def test_a_signal_while_values_or_archive_are_made_leaves_the_former_ones_whole(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=6)) as portal:
        late = (await portal.inventory())[3]["reference"]
        await portal.fault("error_500", at="create", times=-1, match=late)
        program = Program(tmp_path, portal, {"EXTRACT_VALUES": "true", "PUBLISH_ARCHIVE": "true", "MAX_RETRIES": "0"})
        first = await program.run()
        assert first.code == 1, first.text
        run = program.run_folder
        assert len(values(run)) == 5
        known, built = tables(run), state_of(program.downloads)
        await portal.clear_faults()

        lock = run / "run_data" / ".values.lock"
        lock.unlink()
        check_cut_off(await stopped(program, signal.SIGINT, lock), signal.SIGINT)
        assert len(program.pdfs()) == 6
        assert (tables(run), state_of(program.downloads)) == (known, built)

        begun = program.downloads / ".archive.build" / "next"
        check_cut_off(await stopped(program, signal.SIGTERM, begun), signal.SIGTERM)
        _, newer = program.runs()
        assert len(values(newer)) == 6
        assert state_of(program.downloads) == built
        assert not begun.exists()
        assert (await portal.ledger())["open_sessions"] == 0

    assert (await program.run("values", run.name)).code == 0
    assert len(values(run)) == 6
    done = await program.run("archive")
    assert "archive of 6 vehicles in 2 runs" in done.out, done.text


async def test_tables_that_cannot_be_written_cost_the_run_neither_its_outcome_nor_its_exit_code(
    tmp_path: Path,
) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4)) as portal:
        late = (await portal.inventory())[3]["reference"]
        await portal.fault("error_500", at="create", times=-1, match=late)
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0"})
        assert (await program.run()).code == 1
        (program.run_folder / "run_data" / "values.csv" / "inner").mkdir(parents=True)
        program = Program(tmp_path, portal, {"EXTRACT_VALUES": "true", "MAX_RETRIES": "0"})
        failed = await program.run()
        assert failed.code == 1, failed.text
        assert "1 failed" in failed.out
        (line,) = failed.err.splitlines()
        assert line.startswith("error: values: ") and "values.csv" in line
        await portal.clear_faults()
        done = await program.run()
        assert done.code == 2, done.text  # all reports are there now, and still no values
        judged = await judge(program)
        assert (judged.right, judged.wrong) == (4, [])
