from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from jdp_scraper import system
from jdp_scraper.batch import workers as workers_module
from jdp_scraper.batch.process import WorkerProcess
from jdp_scraper.batch.workers import Lent, Limits, WorkerProcesses
from jdp_scraper.errors import JobBroke, JobFailed
from tests.support.program import until

JOBS = "tests.unit.batch.jobs"
LIMITS = Limits(memory_bytes=512 << 20, cpu_s=1)


@pytest.fixture
async def one() -> AsyncIterator[WorkerProcesses]:
    async with WorkerProcesses(1, LIMITS) as workers:
        yield workers


async def test_a_function_is_run_by_its_name_and_its_result_comes_back(one: WorkerProcesses) -> None:
    assert await one.run(f"{JOBS}:doubled", 21) == 42


async def test_what_a_function_raises_is_the_failure_of_its_job_alone(one: WorkerProcesses) -> None:
    process = await one.run(f"{JOBS}:own_id")
    with pytest.raises(JobFailed, match="ValueError: no such thing") as caught:
        await one.run(f"{JOBS}:failing", "no such thing")
    assert not isinstance(caught.value, JobBroke)
    assert await one.run(f"{JOBS}:own_id") == process


@pytest.mark.skipif(system.WINDOWS, reason="there is no limit of memory on Windows")
async def test_a_job_that_takes_too_much_memory_breaks_and_the_next_one_works(one: WorkerProcesses) -> None:
    assert await one.run(f"{JOBS}:limits") == LIMITS.memory_bytes
    with pytest.raises(JobBroke, match="memory"):
        await one.run(f"{JOBS}:greedy")
    assert await one.run(f"{JOBS}:doubled", 1) == 2


@pytest.mark.skipif(system.WINDOWS, reason="there is no limit of memory on Windows")
async def test_lent_for_other_work_the_same_processes_keep_to_its_limits(one: WorkerProcesses) -> None:
    process = await one.run(f"{JOBS}:own_id")
    lent = one.lend(replace(LIMITS, memory_bytes=256 << 20))
    assert await lent.run(f"{JOBS}:own_id") == process
    assert await lent.run(f"{JOBS}:limits") == 256 << 20
    assert await one.run(f"{JOBS}:limits") == LIMITS.memory_bytes
    assert await one.lend(replace(LIMITS, memory_bytes=1 << 40)).run(f"{JOBS}:limits") == LIMITS.memory_bytes
    assert (lent.statistics.tasks, one.statistics.tasks) == (2, 2)


async def test_what_was_killed_in_the_middle_of_a_job_is_gone_once_it_is_reaped(one: WorkerProcesses) -> None:
    process = psutil.Process(await one.run(f"{JOBS}:own_id"))
    with pytest.raises(JobBroke):
        await one.lend(replace(LIMITS, wall_s=0.2)).run(f"{JOBS}:asleep_for_ever")
    await one.reap()
    assert not process.is_running()
    assert await one.run(f"{JOBS}:doubled", 1) == 2


@pytest.mark.skipif(system.WINDOWS, reason="there is no limit of processor time on Windows")
async def test_a_job_that_takes_too_much_processor_time_is_ended_by_the_system(one: WorkerProcesses) -> None:
    with pytest.raises(JobBroke, match="ended the process"):
        await one.run(f"{JOBS}:busy_for_ever")
    assert await one.run(f"{JOBS}:doubled", 1) == 2


async def test_a_job_that_takes_too_long_costs_its_process(one: WorkerProcesses) -> None:
    process = psutil.Process(await one.run(f"{JOBS}:own_id"))
    with pytest.raises(JobBroke, match=r"longer than 0\.5 s"):
        await one.lend(replace(LIMITS, wall_s=0.5)).run(f"{JOBS}:asleep_for_ever")
    assert await one.run(f"{JOBS}:own_id") != process.pid
    assert not process.is_running()


async def test_a_job_that_ends_its_process_is_told_of_and_the_next_one_gets_another(one: WorkerProcesses) -> None:
    with pytest.raises(JobBroke, match="exit code 7"):
        await one.run(f"{JOBS}:ending")
    assert await one.run(f"{JOBS}:doubled", 1) == 2


async def test_what_a_job_prints_does_not_mix_with_its_answer(one: WorkerProcesses) -> None:
    assert await one.run(f"{JOBS}:chatty", "answer") == "answer"


async def test_a_worker_knows_no_secret(one: WorkerProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JD_PASS", "secret")
    assert "JD_PASS" not in await one.run(f"{JOBS}:environment")


async def test_many_processes_work_at_once_and_are_gone_afterwards() -> None:
    async with WorkerProcesses(2, LIMITS) as workers:
        await workers.launch()
        ids = await asyncio.gather(*(workers.run(f"{JOBS}:own_id") for _ in range(8)))
        assert len(set(ids)) == 2
        assert workers.statistics.tasks == 8
        assert 0 < workers.statistics.busy <= 1
    assert not any(psutil.pid_exists(one) for one in ids)
    with pytest.raises(RuntimeError, match="closed"):
        await workers.run(f"{JOBS}:own_id")


async def test_a_cancelled_job_costs_its_process_and_no_other(one: WorkerProcesses) -> None:
    process = await one.run(f"{JOBS}:own_id")
    job = asyncio.ensure_future(one.run(f"{JOBS}:asleep_for_ever"))
    await asyncio.sleep(0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert await one.run(f"{JOBS}:own_id") != process


async def test_a_process_is_replaced_before_its_processor_time_for_good_runs_out(
    one: WorkerProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await one.run(f"{JOBS}:own_id")
    assert await one.run(f"{JOBS}:own_id") == first
    monkeypatch.setattr(workers_module, "_LONGEST_SERVICE_S", 0.0)
    assert await one.run(f"{JOBS}:own_id") != first


async def test_jobs_that_are_sent_ahead_get_each_its_own_answer() -> None:
    async with WorkerProcesses(2, LIMITS) as workers:
        lent = workers.lend(LIMITS, ahead=True)
        told = await asyncio.gather(*(lent.run(f"{JOBS}:doubled_by", number) for number in range(50)))
        assert [double for double, _ in told] == [2 * number for number in range(50)]
        assert len({process for _, process in told}) == 2
        assert (lent.statistics.tasks, workers.statistics.tasks) == (50, 0)


async def one_behind_the_other(
    one: WorkerProcesses, go: Path
) -> tuple[Lent, asyncio.Future[bool], asyncio.Future[int]]:
    """Begin a job that lasts until there is a file ``go``, and send another one behind it."""
    lent = one.lend(LIMITS, ahead=True)
    first = asyncio.ensure_future(lent.run(f"{JOBS}:until_there", str(go)))
    await until(lambda: bool(lent._held))
    second = asyncio.ensure_future(lent.run(f"{JOBS}:doubled", 2))
    await until(lambda: len(one._next) == 1)
    return lent, first, second


async def test_a_job_sent_ahead_is_with_its_process_before_the_one_before_it_has_ended(
    one: WorkerProcesses, tmp_path: Path
) -> None:
    _, first, second = await one_behind_the_other(one, tmp_path / "go")
    assert not first.done()
    (tmp_path / "go").touch()
    assert (await first, await second) == (True, 4)


@pytest.mark.parametrize("breaking", ["ending", "asleep_for_ever"])
async def test_a_job_that_breaks_costs_the_one_sent_behind_it_nothing(one: WorkerProcesses, breaking: str) -> None:
    lent = one.lend(replace(LIMITS, wall_s=1.0), ahead=True)
    jobs = lent.run(f"{JOBS}:{breaking}"), *(lent.run(f"{JOBS}:doubled", number) for number in range(3))
    first, *others = await asyncio.gather(*jobs, return_exceptions=True)
    assert isinstance(first, JobBroke)
    assert others == [0, 2, 4]


async def test_a_job_that_is_cancelled_after_it_was_sent_leaves_no_answer_behind(
    one: WorkerProcesses, tmp_path: Path
) -> None:
    lent, first, second = await one_behind_the_other(one, tmp_path / "go")
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    (tmp_path / "go").touch()
    assert await first is True
    assert await lent.run(f"{JOBS}:doubled", 3) == 6


async def test_a_job_that_is_cancelled_in_its_turn_gives_its_process_back(
    one: WorkerProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent, first, second = await one_behind_the_other(one, tmp_path / "go")
    give_back = one.give_back

    def and_cancel(process: WorkerProcess, seconds: float) -> None:
        give_back(process, seconds)
        monkeypatch.undo()
        second.cancel()

    monkeypatch.setattr(one, "give_back", and_cancel)
    (tmp_path / "go").touch()
    assert await first is True
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await lent.run(f"{JOBS}:doubled", 3) == 6


async def test_who_waits_for_a_process_has_it_after_one_job_that_was_sent_ahead(one: WorkerProcesses) -> None:
    ended: list[str] = []

    async def run(lent: Lent, name: str) -> None:
        await lent.run(f"{JOBS}:doubled", 1)
        ended.append(name)

    values, archive = one.lend(LIMITS, ahead=True), one.lend(LIMITS)
    await asyncio.gather(run(values, "1"), run(values, "2"), run(archive, "other"), run(values, "3"), run(values, "4"))
    assert ended == ["1", "2", "other", "3", "4"]


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_to_other_jobs_each_has_its_own_answer(seed: int) -> None:
    chance = random.Random(seed)
    async with WorkerProcesses(2, LIMITS) as workers:
        lents = [workers.lend(replace(LIMITS, wall_s=2.0), ahead=ahead) for ahead in (True, True, False)]

        async def doubled(number: int) -> None:
            assert await chance.choice(lents).run(f"{JOBS}:doubled", number) == 2 * number

        async def broken(number: int) -> None:
            with pytest.raises(JobFailed, match=f"{number}|exit code 7"):
                await chance.choice(lents).run(*chance.choice([(f"{JOBS}:failing", f"{number}"), (f"{JOBS}:ending",)]))

        async def cancelled(number: int) -> None:
            job = asyncio.ensure_future(chance.choice(lents).run(f"{JOBS}:doubled", number))
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            job.cancel()
            await asyncio.wait([job])

        kinds = [doubled] * 6 + [broken, cancelled]
        await asyncio.gather(*(chance.choice(kinds)(number) for number in range(60)))
        assert workers._next == {}
        assert len(await workers._idle.take_all()) == 2


async def test_a_launch_and_a_job_at_the_same_time_start_one_child(one: WorkerProcesses) -> None:
    before = set(psutil.Process().children())
    launch = asyncio.ensure_future(one.launch())
    await asyncio.sleep(0)
    assert await one.run(f"{JOBS}:doubled", 21) == 42
    await launch
    (child,) = set(psutil.Process().children()) - before
    await one.close()
    assert not child.is_running()


async def test_processes_that_are_closed_while_they_are_launched_are_not_left_behind(one: WorkerProcesses) -> None:
    before = set(psutil.Process().children())
    launch = asyncio.ensure_future(one.launch())
    await asyncio.sleep(0)
    await one.close()
    await launch
    assert set(psutil.Process().children()) <= before


@pytest.mark.skipif(system.WINDOWS, reason="there is no limit of processor time on Windows")
async def test_a_job_gets_its_processor_time_and_at_most_a_second_more(one: WorkerProcesses) -> None:
    left = await one.run(f"{JOBS}:processor_time_left")
    assert LIMITS.cpu_s - 0.1 < left < LIMITS.cpu_s + 1
