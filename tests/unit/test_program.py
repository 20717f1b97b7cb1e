"""The program's first and last moments, in which a signal is an orderly end, too."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jdp_scraper import system

ROOT = Path(__file__).parents[2]
NUMBERS = [number for number in system.stop_signals() if number.name != "SIGBREAK"]

pytestmark = pytest.mark.skipif(system.WINDOWS, reason="the Windows branches have not been run")


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    head = f"import os, signal, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
    command = [sys.executable, "-P", "-c", head + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


DURING_THE_IMPORTS = """
from jdp_scraper import program
class Finder:
    def find_spec(self, name, *_):
        if name == "jdp_scraper.cli":
            sys.stdout.write("told before")
            os.kill(os.getpid(), int(sys.argv[1]))
sys.meta_path.insert(0, Finder())
raise SystemExit(program.main())
"""


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_during_the_imports_is_one_line_and_its_exit_code(number: signal.Signals) -> None:
    ended = python(DURING_THE_IMPORTS, str(int(number)))
    assert ended.returncode == 128 + number
    assert ended.stderr == "error: Interrupted before the work began or after it ended: start the command again.\n"
    assert ended.stdout == "told before"


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """As ``nohup`` starts a program."""
    ended = python(f"signal.signal(signal.SIGHUP, signal.SIG_IGN)\nsys.argv[2:] = ['x']\n{DURING_THE_IMPORTS}", "1")
    assert ended.returncode == 2
    assert "'1' is no command" in ended.stderr


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_when_all_is_done_changes_nothing(number: signal.Signals) -> None:
    ended = python(
        "from jdp_scraper import cli, program\n"
        "cli.main = lambda: 1\n"
        "code = program.main()\n"
        "os.kill(os.getpid(), int(sys.argv[1]))\n"
        "raise SystemExit(code)\n",
        str(int(number)),
    )
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.parametrize("number", NUMBERS)
def test_the_handlers_of_the_work_give_way_to_these_again(number: signal.Signals) -> None:
    ended = python(
        "import asyncio\n"
        "from jdp_scraper import system\n"
        "system.end_at_stop_signals('the line\\n')\n"
        "async def main():\n"
        "    with system.on_stop_signals(lambda number: print('heard', flush=True)):\n"
        "        os.kill(os.getpid(), int(sys.argv[1]))\n"
        "        await asyncio.sleep(0.1)\n"
        "asyncio.run(main())\n"
        "os.kill(os.getpid(), int(sys.argv[1]))\n",
        str(int(number)),
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + number, "heard\n", "the line\n")


def test_next_to_nothing_is_imported_before_the_handlers_are_set() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import jdp_scraper.program; print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", code]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "jdp_scraper.system" in names
    assert not {"asyncio", "logging", "pathlib", "re", "typing"} & set(names)
