"""Neither the password nor any cookie is ever written or printed, whatever goes wrong."""

from __future__ import annotations

import asyncio
import base64
import gzip
import html
import io
import json
import os
import shutil
import stat
import sys
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.leaks import leaks
from tests.support.program import Ended, Program, ended, until

PASSWORD = "p@ss\"w<rd&%41'"
# DEBUG makes Playwright's driver print each call with its arguments.
TALKATIVE = {"JD_PASS": PASSWORD, "LOG_LEVEL": "debug", "TRACE": "on-failure", "DEBUG": "pw:*"}
QUICK = {"MAX_RETRIES": "0", "STEP_TIMEOUT_S": "12", "RETRY_WAIT_S": "0"}
# One vehicle each; what it leaves, besides error.json and trace.zip.
FAILURES: dict[str, tuple[str, str, set[str]]] = {
    "no page": ("reset", "vehicle", {"page.html", "screenshot.png"}),
    "an error page": ("error_500", "vehicle", {"page.html", "screenshot.png"}),
    "a page that hangs": ("hang", "vehicle", set()),
    "a page that tells secrets": ("echo", "vehicle", {"page.html"}),
    "a refusal": ("error_500", "create", {"page.html", "screenshot.png"}),
    "secrets in place of a dialog": ("echo", "dialog", {"page.html"}),
    "an error for a report": ("error_503", "pdf", {"answer.html"}),
    "a page for a report": ("html_as_pdf", "pdf", {"answer.html"}),
    "secrets for a report": ("echo", "pdf", {"answer.html"}),
    "a report that is cut off": ("truncated", "pdf", set()),
    "another's report": ("other_vehicle", "pdf", set()),
    "a report elsewhere": ("redirect_origin", "pdf", set()),
}


async def secrets_of(portal: DemoPortal) -> list[str]:
    cookies = (await portal.ledger())["cookies"]
    assert cookies
    return [PASSWORD, *cookies]


def printed(run: Ended) -> dict[str, str]:
    return {"standard output": run.out, "standard error": run.err}


QUICK_FAILURES = ("an error page", "a page for a report", "secrets for a report")


async def fail_each_way(portal: DemoPortal, ways: Collection[str] = FAILURES) -> dict[str, str]:
    """Give one vehicle each of the failures for good, and return which."""
    references = [vehicle["reference"] for vehicle in (await portal.inventory())[2:]]
    chosen = dict(zip(ways, references, strict=False))
    for way, reference in chosen.items():
        kind, at, _ = FAILURES[way]
        await portal.fault(kind, at, times=-1, match=reference)
    return chosen


async def test_under_faults_and_a_second_sign_in(tmp_path: Path) -> None:
    # Old cookies stay good, since two answers at once may renew them in either order.
    options = DemoOptions(vehicles=24, password=PASSWORD, rotate_every=9, rotate_grace_s=600)
    async with DemoPortal.start(options) as portal:
        chosen = await fail_each_way(portal)
        last = [vehicle["reference"] for vehicle in (await portal.inventory())[-4:]]
        await portal.fault("expire", "vehicle", match=last[0])
        await portal.fault("sign_in_page", "vehicle", match=last[1])
        await portal.fault("license", "vehicle", match=last[2])
        await portal.fault("rotate_cookie", "pdf", match=last[3])
        program = Program(tmp_path, portal, TALKATIVE | QUICK)
        run = await program.run("--pages", "3")
        ledger = await portal.ledger()
        secrets = await secrets_of(portal)
    assert run.code == 1, run.text
    assert (ledger["sign_ins"], ledger["open_sessions"]) == (2, 0)
    assert len(secrets) > 8
    failures = program.run_folder / "run_data" / "failures"
    left = {way: {path.name for path in (failures / chosen[way]).iterdir()} for way in chosen}
    untraced = [way for way in left if "trace.zip" not in left[way]]
    traced = {way: names | {"trace.zip"} for way, names in left.items()}
    assert traced == {way: {"error.json", "trace.zip"} | more for way, (_, _, more) in FAILURES.items()}
    assert len(untraced) < 3
    for way, reference in chosen.items():
        if way in untraced:  # one that failed while the second sign-in was under way
            assert "as at a sign-in" in json.loads((failures / reference / "error.json").read_text("ascii"))["trace"]
        else:
            check_trace(failures / reference / "trace.zip")
    told = failures / chosen["a page that tells secrets"] / "page.html"
    assert "[removed]" in told.read_text("utf-8")
    assert "[removed]" in (failures / chosen["secrets for a report"] / "answer.html").read_text("utf-8")
    assert leaks(tmp_path, secrets, printed(run)) == []
    assert not (program.downloads / ".traces").exists()


def check_trace(path: Path) -> None:
    """A trace is for its owner alone, and as the viewer reads it: a header, then a JSON object a line."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        lines: dict[str, list[Any]] = {
            name: [json.loads(line) for line in archive.read(name).splitlines()]
            for name in names
            if name.endswith((".trace", ".network"))
        }
    assert {"trace.trace", "trace.network"} <= set(names)
    assert lines["trace.trace"][0]["type"] == "context-options"
    assert all("type" in line for one in lines.values() for line in one)


async def test_a_run_that_is_killed_keeps_its_session_private_and_the_next_start_cleans_up(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=20, password=PASSWORD, latency="typical")) as portal:
        chosen = await fail_each_way(portal, QUICK_FAILURES)
        program = Program(tmp_path, portal, TALKATIVE | QUICK)
        private = [program.downloads / ".session", program.downloads / ".traces"]
        async with program.started() as process:
            reading = asyncio.create_task(ended(process))
            await until(
                lambda: (len(program.pdfs()) > 2 and len(traces(program)) > 0) or process.returncode is not None
            )
            process.kill()
            killed = await reading
        assert killed.code == -9
        secrets = await secrets_of(portal)
        for folder in private:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (lease,) = private[0].glob("*.json")
        assert stat.S_IMODE(lease.stat().st_mode) == 0o600
        assert leaks(program.run_folder, secrets, printed(killed)) == []
        assert [one for one in leaks(private[0], secrets) if ".json" in one]  # the search finds what there is
        run = await program.run()
        ledger = await portal.ledger()
        secrets = await secrets_of(portal)
    assert run.code == 1, run.text
    assert (ledger["open_sessions"], len(traces(program))) == (0, len(chosen))
    assert leaks(tmp_path, secrets, printed(run)) == []
    assert not private[1].exists()


def traces(program: Program) -> list[Path]:
    return list(program.downloads.glob("20*/run_data/failures/*/trace.zip"))


@pytest.mark.parametrize("page", ["refused", "second factor", "told"])
async def test_a_sign_in_that_does_not_work(tmp_path: Path, page: str) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=5, password=PASSWORD)) as portal:
        await portal.set(password="another" if page == "refused" else PASSWORD)
        await portal.set(account="second_factor" if page == "second factor" else "ok")
        if page == "told":
            await portal.fault("echo", "sign_in")
        program = Program(tmp_path, portal, TALKATIVE | QUICK)
        run = await program.run()
        secrets = await secrets_of(portal)
    assert run.code == 3, run.text
    pictures = list((program.downloads / "sign-in").glob("*.png"))
    assert len(pictures) == (page == "second factor")
    assert ("no screenshot, as the page shows a secret" in run.err) is (page == "told")
    # A session that was never proven may still be open: its cookies stay in the private file.
    assert [one for one in leaks(tmp_path, secrets[1:], printed(run)) if "/.session/" not in one] == []
    assert leaks(tmp_path, [PASSWORD], printed(run)) == []


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """A virtual screen and a browser that shows itself on it."""
    import subprocess

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if shutil.which("Xvfb") is None or chromium is None:
        pytest.skip("needs Xvfb and a full Chromium")
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24"], pass_fds=[write]) as xvfb:
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        yield {"DISPLAY": f":{number}", "HEADLESS": "false", "BLOCK_RESOURCES": "false"}
        xvfb.terminate()


async def test_a_headed_run_leaves_a_trace_too(tmp_path: Path, screen: dict[str, str]) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=4, password=PASSWORD)) as portal:
        reference = (await portal.inventory())[2]["reference"]
        await portal.fault("echo", "vehicle", times=-1, match=reference)
        program = Program(tmp_path, portal, TALKATIVE | QUICK | screen)
        run = await program.run("--pages", "1")
        secrets = await secrets_of(portal)
    assert run.code == 1, run.text
    check_trace(program.run_folder / "run_data" / "failures" / reference / "trace.zip")
    assert leaks(tmp_path, secrets, printed(run)) == []


@pytest.mark.parametrize(
    "written",
    [
        PASSWORD.encode(),
        json.dumps(PASSWORD).encode(),
        json.dumps(json.dumps({"a": PASSWORD})).encode(),
        html.escape(PASSWORD).encode(),
        quote(PASSWORD, safe="").encode(),
        quote(html.escape(PASSWORD)).encode(),
        repr(PASSWORD).encode(),
        PASSWORD.encode("utf-16"),
        base64.b64encode(b"user:" + PASSWORD.encode() + b"\n"),
        base64.urlsafe_b64encode(b"ab" + PASSWORD.encode()),
        gzip.compress(b"x" + PASSWORD.encode()),
    ],
    ids=["plain", "json", "json twice", "html", "address", "mixed", "repr", "utf-16", "base64", "url base64", "gzip"],
)
@pytest.mark.parametrize("packed", [0, 1, 2])
def test_the_search_finds_what_was_written(tmp_path: Path, written: bytes, packed: int) -> None:
    assert leaks(tmp_path, [PASSWORD]) == []
    for _ in range(packed):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr("member", written)
        written = archive.getvalue()
    (tmp_path / "file").write_bytes(written)
    assert leaks(tmp_path, [PASSWORD])


def test_the_search_reads_what_is_printed(tmp_path: Path) -> None:
    assert leaks(tmp_path, [PASSWORD], {"standard output": f"{sys.argv}{PASSWORD}"}) == ["standard output: 0"]


async def test_evidence_goes_once_the_vehicle_is_fetched(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=5)) as portal:
        first, second = [vehicle["reference"] for vehicle in (await portal.inventory())[:2]]
        await portal.fault("html", "pdf", match=first)
        await portal.fault("error_500", "create", times=2, match=second)
        program = Program(tmp_path, portal, QUICK | {"STEP_TIMEOUT_S": "20"})
        assert (await program.run()).code == 1
        failures = program.run_folder / "run_data" / "failures"
        assert {path.name for path in failures.iterdir()} == {first, second}
        assert (failures / first / "answer.html").is_file()
        (failures / second / "of-before").write_text("x")
        assert (await program.run()).code == 1
        assert {path.name for path in failures.iterdir()} == {second}
        assert not (failures / second / "of-before").exists()
        assert (await program.run()).code == 0
        assert list(failures.iterdir()) == []
