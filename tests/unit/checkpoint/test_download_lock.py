from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from jdp_scraper.checkpoint.download_lock import PID, DownloadLock, refuse_if_busy
from jdp_scraper.disk import Disk
from jdp_scraper.errors import RunFolderBusy, StorageError
from tests.support.disks import FaultyDisk

HOLD = """
import asyncio, sys
from pathlib import Path
from jdp_scraper.checkpoint.download_lock import DownloadLock
from jdp_scraper.disk import Disk
async def main():
    async with DownloadLock(Path(sys.argv[1]), Disk()):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


async def test_a_second_process_is_refused_by_the_firsts_id_until_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunFolderBusy, match=f"process {other.pid}"):
            await DownloadLock(tmp_path, Disk()).__aenter__()
        other.kill()
        other.wait()
        async with DownloadLock(tmp_path, Disk()):
            pass


async def test_the_lock_is_let_go_on_the_way_out(tmp_path: Path) -> None:
    for _ in range(2):
        async with DownloadLock(tmp_path / "new", Disk()):
            with pytest.raises(RunFolderBusy):
                await DownloadLock(tmp_path / "new", Disk()).__aenter__()
    assert not (tmp_path / "new" / PID).exists()


async def test_a_folder_that_cannot_be_written_is_told_and_leaves_no_lock(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        await DownloadLock(tmp_path / "file", Disk()).__aenter__()
    with pytest.raises(StorageError):
        await DownloadLock(tmp_path, FaultyDisk(2)).__aenter__()
    async with DownloadLock(tmp_path, Disk()):
        pass


async def test_a_look_at_the_lock_is_refused_while_it_is_held_and_leaves_no_trace(tmp_path: Path) -> None:
    async with DownloadLock(tmp_path, Disk()):
        with pytest.raises(RunFolderBusy, match="a run works in"):
            await asyncio.to_thread(refuse_if_busy, tmp_path)
    await asyncio.to_thread(refuse_if_busy, tmp_path)
    (tmp_path / PID).write_bytes(b"1\n")  # what a kill leaves behind
    before = sorted(tmp_path.iterdir())
    await asyncio.to_thread(refuse_if_busy, tmp_path)
    assert sorted(tmp_path.iterdir()) == before
    await asyncio.to_thread(refuse_if_busy, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    async with DownloadLock(tmp_path, Disk()):
        pass
