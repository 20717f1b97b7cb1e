from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from jdp_scraper.errors import ReportBroken, UnusableError
from jdp_scraper.pdf.parser import ParserPool
from jdp_scraper.pdf.proof import ProofRule, prove
from jdp_scraper.vehicle import Vehicle
from tests.support.program import until

from . import reports

RULE = ProofRule(reference_labels=("Stock #", "Stock Number"))
# A child that says it is ready, then listens and never answers.
MUTE = (sys.executable, "-c", "import os, sys; os.write(1, bytes(4)); sys.stdin.read()")


def children() -> list[psutil.Process]:
    """The parser processes of this one: a browser that other tests share is not meant."""
    own = psutil.Process().children()
    return [child for child in own if any("parser_child" in part or part == "-c" for part in _command(child))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
async def quick_pool() -> AsyncIterator[ParserPool]:
    async with ParserPool(size=1, deadline_s=0.5) as pool:
        yield pool


@pytest.fixture
async def short_pool() -> AsyncIterator[ParserPool]:
    async with ParserPool(size=1, max_pages=3) as pool:
        yield pool


def written(folder: Path, data: bytes) -> Path:
    path = folder / "report.pdf.part"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("layout", [reports.beside, reports.above, reports.table])
async def test_a_real_pdf_proves_its_vehicle(layout: object, pool: ParserPool, tmp_path: Path) -> None:
    assert callable(layout)
    data = layout("165530A")
    found = await pool.read(written(tmp_path, data))
    assert len(found.pages) == 1
    assert found.size == len(data)
    prove(found.text, Vehicle("165530A", reports.VIN), RULE)


async def test_every_page_is_read(short_pool: ParserPool, tmp_path: Path) -> None:
    found = await short_pool.read(written(tmp_path, reports.blank(pages=3)))
    assert found.pages == ("", "", "")


async def test_too_many_pages_are_refused(short_pool: ParserPool, tmp_path: Path) -> None:
    with pytest.raises(ReportBroken, match="4 pages"):
        await short_pool.read(written(tmp_path, reports.blank(pages=4)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"<html></html>", "not a PDF"),
        (b"%PDF-1.4\nnothing else\n%%EOF", "damaged"),
        (reports.beside("1")[:-20], "cut off"),
        (reports.encrypted("1"), "encrypted"),
    ],
)
async def test_what_cannot_be_read_is_refused(data: bytes, message: str, pool: ParserPool, tmp_path: Path) -> None:
    with pytest.raises(ReportBroken, match=message):
        await pool.read(written(tmp_path, data))
    assert (await pool.read(written(tmp_path, reports.beside("7")))).pages


async def test_a_file_that_is_gone_is_refused(pool: ParserPool, tmp_path: Path) -> None:
    with pytest.raises(ReportBroken, match="FileNotFound"):
        await pool.read(tmp_path / "gone.pdf")


async def test_an_endless_page_is_cut_off_and_the_process_replaced(quick_pool: ParserPool, tmp_path: Path) -> None:
    await quick_pool.start()
    (before,) = children()
    with pytest.raises(ReportBroken, match=r"within 0\.5 s"):
        await quick_pool.read(written(tmp_path, reports.endless()))
    quick_pool._deadline_s = 60
    assert (await quick_pool.read(written(tmp_path, reports.beside("7")))).pages
    assert not lives(before)
    assert len(children()) == 1


async def test_a_process_that_dies_over_a_file_is_replaced(tmp_path: Path) -> None:
    async with ParserPool(size=1, deadline_s=60) as pool:
        await pool.start()
        (child,) = children()
        reading = asyncio.create_task(pool.read(written(tmp_path, reports.endless())))
        busy = child.cpu_times().user
        while child.cpu_times().user < busy + 0.05:
            await asyncio.sleep(0)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(ReportBroken, match="exit code -9"):
            await reading
        assert (await pool.read(written(tmp_path, reports.beside("7")))).pages


async def test_a_process_that_died_idle_costs_no_file(tmp_path: Path) -> None:
    async with ParserPool(size=1) as pool:
        await pool.start()
        (child,) = children()
        child.kill()
        assert (await pool.read(written(tmp_path, reports.beside("7")))).pages


async def test_two_files_are_read_at_once(pool: ParserPool, tmp_path: Path) -> None:
    slow, quick = tmp_path / "slow.pdf", tmp_path / "quick.pdf"
    os.mkfifo(slow)  # whoever opens it waits for its writer
    quick.write_bytes(reports.beside("7"))
    waiting = asyncio.create_task(pool.read(slow))
    assert (await pool.read(quick)).pages
    assert not waiting.done()
    writer = await asyncio.to_thread(slow.open, "wb")
    await asyncio.to_thread(writer.write, reports.beside("8"))
    await asyncio.to_thread(writer.close)
    assert "8" in (await waiting).text


async def test_a_cancelled_read_leaves_a_usable_pool(tmp_path: Path) -> None:
    async with ParserPool(size=1) as pool:
        os.mkfifo(tmp_path / "slow.pdf")
        await pool.start()
        reading = asyncio.create_task(pool.read(tmp_path / "slow.pdf"))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert (await pool.read(written(tmp_path, reports.beside("7")))).pages


async def test_closing_ends_every_process_also_a_mute_one_and_when_cancelled() -> None:
    async with asyncio.timeout(60):
        task = asyncio.create_task(_hold_open())
        while len(children()) < 2:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert children() == []


async def _hold_open() -> None:
    async with ParserPool(size=2, command=MUTE) as pool:
        await pool.start()
        await asyncio.Event().wait()


async def test_a_closed_pool_reads_nothing(tmp_path: Path) -> None:
    async with ParserPool() as pool:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        await pool.read(tmp_path / "x.pdf")


@pytest.mark.parametrize("command", [(sys.executable, "-c", "pass"), ("/no/such/program",)])
async def test_a_process_that_does_not_start_is_told(command: tuple[str, ...], tmp_path: Path) -> None:
    async with ParserPool(size=1, command=command) as pool:
        with pytest.raises(UnusableError, match=r"does not start|cannot be started"):
            await pool.start()
        with pytest.raises(UnusableError):
            await pool.read(tmp_path / "x.pdf")


async def test_one_process_is_launched_ahead_and_the_others_follow_it(pool: ParserPool, tmp_path: Path) -> None:
    await pool.launch()
    (first,) = children()
    await pool.launch()
    await pool.start()
    assert (await pool.read(written(tmp_path, reports.beside("7")))).pages
    await until(lambda: len(children()) == 2)
    await pool.start()
    assert first in children() and len(children()) == 2


CHILD = f"exec {sys.executable} -P -m jdp_scraper.pdf.parser_child"


def counted(folder: Path, nth: dict[int, str]) -> tuple[str, ...]:
    """A child that notes its start in ``folder`` as 1, 2 and so on, and of which some are not what they should be."""
    cases = " ".join(f"{number}) {script} ;;" for number, script in nth.items())
    return (
        *("/bin/sh", "-c"),
        f"n=1; while ! mkdir '{folder}/'$n 2>/dev/null; do n=$((n + 1)); done; case $n in {cases} *) {CHILD} ;; esac",
    )


async def test_another_that_does_not_start_is_done_without(tmp_path: Path) -> None:
    path = written(tmp_path, reports.beside("7"))
    async with ParserPool(size=2, command=counted(tmp_path, {2: "exit 1"})) as pool:
        await pool.start()
        await until((tmp_path / "2").exists)
        for _ in range(3):
            both = await asyncio.gather(pool.read(path), pool.read(path))
            assert all(one.pages for one in both)
    assert not (tmp_path / "3").exists()


async def test_the_others_start_one_after_the_other_and_each_is_used_once_it_is_there(tmp_path: Path) -> None:
    path = written(tmp_path, reports.beside("7"))
    go = tmp_path / "go"
    waiting = f"while ! test -e '{go}'; do sleep 0.02; done; {CHILD}"
    async with ParserPool(size=3, command=counted(tmp_path, {2: waiting})) as pool:
        await pool.start()
        await until((tmp_path / "2").exists)
        for _ in range(5):
            assert (await pool.read(path)).pages
        assert not (tmp_path / "3").exists()
        go.touch()
        await until((tmp_path / "3").exists)
        assert all(one.pages for one in await asyncio.gather(*(pool.read(path) for _ in range(6))))
    assert not (tmp_path / "4").exists()


async def test_a_pool_that_is_left_while_its_processes_start_ends_them(tmp_path: Path) -> None:
    never = f"while ! test -e '{tmp_path / 'go'}'; do sleep 0.02; done; {CHILD}"
    async with ParserPool(size=3, command=counted(tmp_path, {2: never})) as pool:
        await pool.start()
        await until((tmp_path / "2").exists)
    assert not [child for child in psutil.Process().children() if str(tmp_path) in " ".join(_command(child))]


async def test_a_launch_that_fails_is_told() -> None:
    async with ParserPool(size=2, command=("/no/such/program",)) as pool:
        with pytest.raises(UnusableError, match="cannot be started"):
            await pool.launch()


@pytest.mark.parametrize("answer", ["[1]", "nonsense", "5"])
async def test_an_answer_that_makes_no_sense_is_blamed_on_the_file(answer: str, tmp_path: Path) -> None:
    script = (
        "import os, sys; os.write(1, bytes(4)); sys.stdin.readline(); os.write(1, bytes(4));"
        f"data = {answer!r}.encode(); os.write(1, len(data).to_bytes(4, 'big') + data); sys.stdin.read()"
    )
    async with ParserPool(size=1, command=(sys.executable, "-c", script)) as pool:
        with pytest.raises(ReportBroken, match="its answer"):
            await pool.read(tmp_path / "x.pdf")


async def test_the_child_knows_no_secrets(pool: ParserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JD_PASS", "hunter2")
    await pool.start()
    for child in children():
        assert "JD_PASS" not in child.environ()


async def test_a_child_ends_with_its_parent_also_in_the_middle_of_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow.pdf")
    script = (
        "import asyncio, sys; from pathlib import Path; from jdp_scraper.pdf.parser import ParserPool\n"
        "async def main():\n"
        "    async with ParserPool(size=1) as pool:\n"
        "        await pool.start(); print('ready', flush=True); await pool.read(Path(sys.argv[1]))\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path / "slow.pdf"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    await parent.stdout.readline()
    (child,) = psutil.Process(parent.pid).children()
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(60):
        while lives(child):
            await asyncio.sleep(0)
