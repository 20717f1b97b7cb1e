"""What the operating system does for us: real signals, and durable files with the mode that was asked for."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jdp_scraper import system

pytestmark = pytest.mark.skipif(system.WINDOWS, reason="the Windows branches have not been run")

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_real_signal_reaches_the_callback_in_the_loop(number: signal.Signals) -> None:
    came: asyncio.Queue[tuple[int, bool]] = asyncio.Queue()

    def note(received: int) -> None:
        came.put_nowait((received, asyncio.get_running_loop() is loop))

    loop = asyncio.get_running_loop()
    with system.on_stop_signals(note):
        os.kill(os.getpid(), number)
        async with asyncio.timeout(60):
            assert await came.get() == (number, True)


async def test_the_old_handlers_are_put_back() -> None:
    def of_my_own(_number: int, _frame: object) -> None:
        raise AssertionError

    at_first = {number: signal.getsignal(number) for number in NUMBERS}
    try:
        signal.signal(signal.SIGTERM, of_my_own)
        before = {number: signal.getsignal(number) for number in NUMBERS}
        with system.on_stop_signals(lambda _: None):
            assert all(signal.getsignal(number) is not before[number] for number in NUMBERS)
        assert {number: signal.getsignal(number) for number in NUMBERS} == before
        with pytest.raises(RuntimeError, match="on the way"), system.on_stop_signals(lambda _: None):
            raise RuntimeError("on the way")
        assert {number: signal.getsignal(number) for number in NUMBERS} == before
    finally:
        for number, handler in at_first.items():
            signal.signal(number, handler)


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """``nohup`` starts a program with SIGHUP ignored, so that closing the terminal does not end it."""
    code = (
        "import asyncio, os, signal\n"
        "from jdp_scraper.system import on_stop_signals\n"
        "async def main():\n"
        "    came = []\n"
        "    with on_stop_signals(came.append):\n"
        "        os.kill(os.getpid(), signal.SIGHUP)\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        while signal.SIGTERM not in came:\n"
        "            await asyncio.sleep(0)\n"
        "    print([int(number) for number in came])\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"[{int(signal.SIGTERM)}]"


def test_a_second_process_dies_of_a_signal_once_nobody_listens_any_more() -> None:
    code = (
        "import asyncio, os, signal\n"
        "from jdp_scraper.system import on_stop_signals\n"
        "async def main():\n"
        "    with on_stop_signals(lambda number: None):\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        await asyncio.sleep(0)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=False)
    assert done.returncode == -signal.SIGTERM


def test_a_file_has_its_mode_whatever_the_mask_and_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    with open(path, "w", opener=system.opener(0o600)) as file:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        file.write("new")


def test_a_folder_that_is_not_there_cannot_be_made_durable(tmp_path: Path) -> None:
    system.sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        system.sync_folder(tmp_path / "none")


def test_a_file_that_is_held_open_is_tried_again_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Windows needs, where a scanner opens each new file for a moment."""
    waited: list[float] = []
    monkeypatch.setattr("jdp_scraper.system.time.sleep", waited.append)
    left = iter([PermissionError(), PermissionError()])

    def held_twice() -> None:
        for error in left:
            raise error

    system.while_not_held(held_twice, held=True)
    assert waited == list(system.HELD_WAITS_S[:2])

    def held_for_good() -> None:
        raise PermissionError

    waited.clear()
    with pytest.raises(PermissionError):
        system.while_not_held(held_for_good, held=True)
    assert sum(waited) < 2
    waited.clear()
    with pytest.raises(PermissionError):
        system.while_not_held(held_for_good, held=False)
    assert waited == []


def test_a_child_whose_end_was_heard_of_elsewhere_is_no_line_for_people() -> None:
    script = """
import asyncio, logging, os, sys
from jdp_scraper import system
if sys.argv[1] == "hushed":
    system.hush_reaped_children()
watcher = asyncio.ThreadedChildWatcher() if sys.version_info < (3, 12) else None
async def reap() -> None:
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ)
    os.waitpid(child, 0)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    if watcher is not None:
        watcher.add_child_handler(child, lambda *_: loop.call_soon_threadsafe(ended.set))
        await ended.wait()
    else:
        told = "child process pid %d exit status already read: will report returncode 255"
        logging.getLogger("asyncio").warning(told, child)
    logging.getLogger("asyncio").warning("something else")
asyncio.run(reap())
"""
    told = {
        way: subprocess.run([sys.executable, "-c", script, way], capture_output=True, text=True, check=True).stderr
        for way in ("plain", "hushed")
    }
    assert "returncode 255" in told["plain"]
    assert told["hushed"].splitlines() == ["something else"]
