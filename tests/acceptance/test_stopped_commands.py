"""The commands that need no portal, as processes that a signal cuts off."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.program import until
from tests.unit.values.test_command import report

ROOT = Path(__file__).resolve().parents[2]
FILES = 2_000  # so many that the signal comes long before the last


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals on Windows")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["values", "archive"])
async def test_a_command_that_a_signal_cuts_off_says_so_in_one_line_and_leaves_nothing_behind(
    command: str, number: signal.Signals, tmp_path: Path
) -> None:
    lot, out = tmp_path / "lot", tmp_path / "out"
    lot.mkdir()
    data = report("1")
    for name in range(FILES):
        (lot / f"{name}.pdf").write_bytes(data + b"\n%%%d" % name)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "main_async.py"), command, str(lot), "--out", str(out)),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MAX_WORKERS": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    child = psutil.Process(process.pid)
    await until(lambda: bool(child.children()))
    workers = child.children()
    process.send_signal(number)
    _, err = await process.communicate()
    assert err.decode() == "error: Interrupted: what was there before is whole; start the command again.\n"
    assert process.returncode == 128 + number
    assert not list(tmp_path.rglob("*.tmp"))
    assert not [path for path in tmp_path.rglob("*") if path.suffix in {".csv", ".xlsx", ".html"}]
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
