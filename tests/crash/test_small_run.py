"""A whole small run whose disk fails, stops dead or loses what was not fsynced, at each of its operations."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdp_scraper.checkpoint.recovery import FILES
from jdp_scraper.checkpoint.runs import list_runs
from jdp_scraper.errors import DiskFull, StorageError
from jdp_scraper.events import Bus
from tests.support.disks import Choose, ModelDisk, PowerCut
from tests.support.small_run import SmallRun
from tests.support.thorough import thorough

EIO = OSError(errno.EIO, "Input/output error")
ENOSPC = OSError(errno.ENOSPC, "No space left on device")
MOST = 200  # more operations than any start has


def small_run(root: Path) -> tuple[SmallRun, ModelDisk]:
    root.mkdir()
    disk = ModelDisk(root)
    return SmallRun(root / "downloads", disk), disk


async def finish(run: SmallRun, disk: ModelDisk) -> None:
    """Start again without a fault until the run is finished: once more at most for the vehicle that failed."""
    disk.disarm()
    for _ in range(3):
        await run.start()
    await run.check_finished(await list_runs(run.root, Bus()))


async def operations(root: Path) -> list[int]:
    """How many operations each start of an undisturbed run has."""
    run, disk = small_run(root)
    counts = []
    while not run.witness.finished:
        disk.disarm()
        await run.start()
        counts.append(disk.count)
    return counts


async def test_the_undisturbed_run_needs_two_starts_and_is_silent_about_its_files(tmp_path: Path) -> None:
    first, second = await operations(tmp_path / "whole")
    assert MOST > first > second > 30
    run, disk = small_run(tmp_path / "again")
    await run.start()
    disk.power_cut(lambda choices: 0)  # all that a finished start wrote is durable
    await run.start()
    assert run.notices == []
    disk.power_cut(lambda choices: 0)
    await run.check_finished(await list_runs(run.root, Bus()))


@pytest.mark.parametrize(
    ("error", "once"),
    [(EIO, True), (ENOSPC, False), (PowerCut(), False)],
    ids=["EIO once", "ENOSPC from then on", "stop dead"],
)
async def test_whichever_operation_fails_the_next_start_goes_on_and_nothing_is_lost(
    tmp_path: Path, error: BaseException, once: bool
) -> None:
    first, second = await operations(tmp_path / "whole")
    for start, count in enumerate((first, second)):
        for number in range(1, count + 1):
            run, disk = small_run(tmp_path / f"{start}-{number}")
            for _ in range(start):
                await run.start()
            disk.arm(number, error, once=once)
            expected = (PowerCut,) if isinstance(error, PowerCut) else (StorageError,)
            with pytest.raises(expected) as caught:
                await run.start()
            assert isinstance(caught.value, DiskFull) or error is not ENOSPC
            await finish(run, disk)


async def test_what_a_killed_start_left_is_durable_as_soon_as_the_next_one_builds_on_it(tmp_path: Path) -> None:
    first, _ = await operations(tmp_path / "whole")
    for number in range(1, first + 1):
        run, disk = small_run(tmp_path / str(number))
        disk.arm(number, PowerCut())
        with pytest.raises(PowerCut):
            await run.start()
        disk.disarm()
        await run.open()
        disk.power_cut(lambda choices: 0)
        await finish(run, disk)


@thorough(quick=150)
@given(data=st.data())
async def test_whatever_a_power_cut_takes_of_what_was_not_fsynced_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    run, disk = small_run(tmp_path_factory.mktemp("cut") / "disk")
    choose = chooser(data)
    whole = True
    for _ in range(data.draw(st.integers(1, 3), label="starts that are cut off")):
        error = data.draw(st.sampled_from([PowerCut(), EIO]), label="how it fails")
        disk.arm(
            data.draw(st.integers(1, MOST), label="operation"), error, part=data.draw(st.sampled_from([0, 0.5, 1]))
        )
        with suppress(PowerCut, StorageError):
            await run.start()
        # A killed process leaves to the system what it wrote: that is still to be seen, and still not durable.
        if data.draw(st.booleans(), label="power cut"):
            disk.power_cut(choose)
            if whole and data.draw(st.booleans(), label="and one file is damaged"):
                whole = not damage_one(run, disk, choose)
    await finish(run, disk)
    disk.power_cut(choose)
    if run.witness.finished:
        await run.check_finished(await list_runs(run.root, Bus()))
    else:  # a start was killed while it wrote that the run is finished: that was seen, and could still be taken away
        await finish(run, disk)


def damage_one(run: SmallRun, disk: ModelDisk, choose: Choose) -> bool:
    """Cut one of the checkpoint's files, or take it away; tell whether there was one."""
    files = sorted(path for path in run.root.glob("*/run_data/checkpoint.*") if path.name in FILES)
    if not files:
        return False
    damaged = files[choose(len(files))]
    if choose(2):
        damaged.write_bytes(damaged.read_bytes()[: choose(damaged.stat().st_size)])
    else:
        damaged.unlink()
    disk.take_in()
    return True


def chooser(data: st.DataObject) -> Choose:
    return lambda choices: data.draw(st.integers(0, choices - 1))
