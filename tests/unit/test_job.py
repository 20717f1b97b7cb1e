"""Which vehicles a start is asked for, and how a run's goal grows by that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jdp_scraper.checkpoint.records import Goal, TaskRecord, TaskState
from jdp_scraper.disk import Disk
from jdp_scraper.errors import UnknownReference
from jdp_scraper.events import Bus
from jdp_scraper.job import Job, _widened, select
from jdp_scraper.portal.inventory import Listing
from jdp_scraper.vehicle import Vehicle, assign_keys

from .checkpoint.helpers import HEADER

LOT = assign_keys([Vehicle("1", "A"), Vehicle("2", "B"), Vehicle("1", "C"), Vehicle("3", "D"), Vehicle("4", "E")])
ALL = ["1", "2", "1~C", "3", "4"]

GOALS = st.one_of(
    st.builds(Goal, maximum=st.integers(0, 6)),
    st.builds(Goal, only=st.lists(st.sampled_from([*ALL, "1~C"]), min_size=1, max_size=3).map(tuple)),
)


def test_without_a_limit_the_goal_is_the_whole_inventory() -> None:
    assert select(LOT, Goal()) == ALL


@pytest.mark.parametrize("maximum", [1, 2, 4, 5, 99])
def test_a_limit_is_the_first_of_the_inventory(maximum: int) -> None:
    assert select(LOT, Goal(maximum)) == ALL[:maximum]


def test_one_that_is_named_is_found_by_key_and_a_reference_finds_all_its_vehicles() -> None:
    assert select(LOT, Goal(only=("4", "1~C"))) == ["1~C", "4"]
    assert select(LOT, Goal(only=("1",))) == ["1", "1~C"]


def test_names_override_a_limit() -> None:
    assert select(LOT, Goal(1, ("4",))) == ["4"]


def test_all_names_that_are_not_there_are_told_in_ascii() -> None:
    with pytest.raises(UnknownReference, match="inventory of 5 vehicles") as caught:
        select(LOT, Goal(only=("9", "2", "\u00e9\n")))
    assert "'9'" in str(caught.value) and "\\xe9\\n" in str(caught.value)
    assert "'2'" not in str(caught.value)


async def test_what_a_start_was_not_asked_for_is_left_of_the_run_until_it_is_done(tmp_path: Path) -> None:
    listing = Listing(tuple(LOT.values()))
    job = await Job.begin(tmp_path, replace(HEADER, goal=Goal(4)), listing, Disk(), Bus())
    assert job.others_left(Goal(4)) == 0
    assert job.others_left(Goal(only=("2", "4"))) == 3
    await job.checkpoint.record("1", TaskRecord(TaskState.DONE))
    await job.checkpoint.record("3", TaskRecord(TaskState.FAILED))
    assert job.others_left(Goal(only=("2", "4"))) == 2


@given(GOALS, GOALS)
@example(Goal(only=("4",)), Goal(1))
@example(Goal(2), Goal(only=("4",)))
def test_a_widened_goal_holds_the_old_one_and_what_is_asked(goal: Goal, asked: Goal) -> None:
    assert set(select(LOT, _widened(goal, asked))) >= {*select(LOT, goal), *select(LOT, asked)}


def test_names_are_added_to_names() -> None:
    assert _widened(Goal(only=("4", "2")), Goal(only=("3", "4"))) == Goal(only=("4", "2", "3"))


def test_a_higher_limit_replaces_a_lower_one() -> None:
    assert _widened(Goal(2), Goal(4)) == Goal(4)
    assert _widened(Goal(2), Goal()) == Goal()
