"""What a crew asks of the grid for the vehicles that it wants: the pages of rows that have them, or the filter."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.checkpoint.records import Goal, TaskState
from jdp_scraper.demo.process import DemoPortal
from jdp_scraper.events import Notice, TaskFailed, TaskReturned
from tests.support.program import until_portal

from .conftest import STEP_S, Ear, StartPortal
from .test_crew import Work, work_on

LOT, SIZE = 200, 5


async def anywhere(portal: DemoPortal, number: int) -> Goal:
    """Every so many vehicles one, the first of them not on the first page of rows."""
    references = [one["reference"] for one in await portal.inventory()]
    return Goal(only=tuple(references[LOT // number - 1 :: LOT // number]))


def outcomes(work: Work, goal: Goal) -> set[tuple[TaskState, int]]:
    return {(work.job.checkpoint.records[key].state, work.job.checkpoint.records[key].attempts) for key in goal.only}


def all_done(work: Work, goal: Goal) -> bool:
    return outcomes(work, goal) == {(TaskState.DONE, 1)}


async def test_the_first_vehicles_cost_the_pages_of_rows_that_have_them(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE)
    async with work_on(portal, browser, tmp_path, ear, goal=Goal(15)) as work:
        await work.in_browser(browser)
        ledger = await portal.ledger()
    assert ledger["grid_callbacks"] == 3
    assert len(ledger["reports_asked"]) == 15


async def test_vehicles_anywhere_cost_one_callback_each_on_one_page(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE)
    goal = await anywhere(portal, 8)
    async with work_on(portal, browser, tmp_path, ear, goal=goal) as work:
        await work.in_browser(browser)
        ledger = await portal.ledger()
        assert all_done(work, goal)
    assert ledger["grid_callbacks"] == 1 + 8, "the first page of rows, and the filter set once for each vehicle"
    assert ledger["points"]["grid_page"] == 1
    assert ledger["vehicle_opens"] == dict.fromkeys(goal.only, 1)


async def test_vehicles_are_opened_while_others_are_looked_for(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE, hang_s=600)
    goal = await anywhere(portal, 8)
    await portal.fault("hang", at="grid", match=goal.only[-1])
    async with work_on(portal, browser, tmp_path, ear, goal=goal) as work:
        working = asyncio.ensure_future(work.in_browser(browser))
        await until_portal(portal, lambda ledger: working.done() or len(ledger["reports_asked"]) == 7)
        assert not working.done()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


@pytest.mark.parametrize("order", ["reversed", "by the last figures"])
async def test_an_inventory_in_another_order_than_the_grid_s_comes_whole(
    order: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=60, page_size=SIZE)
    goal = Goal(20)
    async with work_on(portal, browser, tmp_path, ear, goal=goal, order=ORDERS[order]) as work:
        await work.in_browser(browser)
        ledger = await portal.ledger()
        wanted = list(work.job.keyed)[:20]
        assert ledger["vehicle_opens"] == dict.fromkeys(wanted, 1)
        assert {work.job.checkpoint.records[key].state for key in wanted} == {TaskState.DONE}
    assert ledger["grid_callbacks"] <= 12, "the whole grid costs less than twenty filters"


ORDERS: dict[str, Any] = {"reversed": lambda one: -one["number"], "by the last figures": lambda one: one["vin"][::-1]}


@pytest.mark.parametrize("at", [0, 3])
async def test_the_search_goes_on_where_its_page_is_lost(
    at: int, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE, hang_s=600)
    goal = await anywhere(portal, 8)
    await portal.fault("hang", at="grid", match=goal.only[at])
    async with work_on(portal, browser, tmp_path, ear, goal=goal) as work:
        working = asyncio.ensure_future(work.in_browser(browser))
        await until_portal(portal, lambda ledger: working.done() or ledger["faults"].get("hang@grid"))
        await work.visits[-1].page.close()
        await working
        ledger = await portal.ledger()
        assert all_done(work, goal), [one for one in ear.events if isinstance(one, TaskFailed | TaskReturned)]
    # The one at which it was lost is its worker's, who filters on a page of its own; the others are one callback each.
    assert ledger["points"]["grid_page"] == 3
    assert ledger["vehicle_opens"] == dict.fromkeys(goal.only, 1)


async def test_a_search_that_keeps_failing_leaves_the_vehicles_to_their_workers(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE)
    goal = await anywhere(portal, 5)
    for reference in goal.only[:3]:
        await portal.fault("error_503", at="grid", match=reference)
    async with work_on(portal, browser, tmp_path, ear, goal=goal, step_timeout_s=2, retry_wait_s=0) as work:
        await work.in_browser(browser)
        assert {state for state, _ in outcomes(work, goal)} == {TaskState.DONE}
        assert work.links.ended
    told = [one.text for one in ear.events if isinstance(one, Notice) and "the walk of the grid:" in one.text]
    assert [text.endswith("; once more") for text in told] == [True, True, False]


@pytest.mark.parametrize("pager", ["always", "several"])
@pytest.mark.parametrize("links", ["address", "script"])
async def test_a_vehicle_that_is_gone_holds_nobody_up_and_is_told(
    links: str, pager: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE, links=links, pager=pager)
    goal = await anywhere(portal, 8)
    async with work_on(portal, browser, tmp_path, ear, goal=goal, max_retries=0) as work:
        await portal.change_lot(remove=[goal.only[2]])
        await work.in_browser(browser)
        failed = [event for event in ear.events if isinstance(event, TaskFailed)]
        assert [(event.key, event.error) for event in failed] == [(goal.only[2], "VehicleNotListed")]
        assert all_done(work, Goal(only=tuple(one for one in goal.only if one != goal.only[2])))


async def test_of_two_rows_with_one_reference_the_filter_finds_the_right_one(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE, duplicates=2)
    twice = [one for one in await portal.inventory() if one["number"] >= LOT - 2]
    goal = Goal(only=tuple(one["reference"] for one in twice))
    async with work_on(portal, browser, tmp_path, ear, goal=goal) as work:
        await work.in_browser(browser)
        ledger = await portal.ledger()
        done = [key for key, record in work.job.checkpoint.records.items() if record.state is TaskState.DONE]
    assert len(done) == 4
    assert set(ledger["vehicle_opens"].values()) == {2}, "each of the two was opened once"
    assert ledger["grid_callbacks"] <= 1 + 2


async def test_links_without_an_address_end_the_search(
    browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE, links="script")
    goal = await anywhere(portal, 8)
    async with work_on(portal, browser, tmp_path, ear, goal=goal) as work:
        await work.in_browser(browser)
        ledger = await portal.ledger()
        assert all_done(work, goal)
    assert "vehicles are opened by click" in " ".join(one.text for one in ear.events if isinstance(one, Notice))
    assert set(ledger["reports_asked"].values()) == {1}
    assert ledger["points"]["grid_page"] == 1 + 8, "each worker opens the grid and filters for itself"


@pytest.mark.parametrize("how", ["401", "redirect"])
async def test_a_session_that_ends_in_the_search_is_mended(
    how: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE, xhr_signed_out=how)
    goal = await anywhere(portal, 8)
    await portal.fault("expire", at="grid", match=goal.only[4])
    async with work_on(portal, browser, tmp_path, ear, goal=goal, step_timeout_s=3) as work:
        await work.in_browser(browser)
        ledger = await portal.ledger()
        assert {state for state, _ in outcomes(work, goal)} == {TaskState.DONE}
    assert (ledger["sign_ins"], ledger["expiries"]) == (2, 1)


@pytest.mark.parametrize("at", ["grid_page", "grid"])
@pytest.mark.parametrize("links", ["address", "script"])
async def test_a_license_that_is_asked_for_at_the_grid_is_accepted_and_uses_up_no_try(
    links: str, at: str, browser: BrowserSession, start_portal: StartPortal, tmp_path: Path, ear: Ear
) -> None:
    portal = await start_portal(vehicles=LOT, page_size=SIZE, links=links)
    goal = await anywhere(portal, 8)
    await portal.fault("license", at=at)
    async with work_on(portal, browser, tmp_path, ear, goal=goal) as work:
        async with asyncio.timeout(STEP_S / 2):
            await work.in_browser(browser)
        ledger = await portal.ledger()
        assert {state for state, _ in outcomes(work, goal)} == {TaskState.DONE}
    assert (ledger["sign_ins"], ledger["license_accepted"]) == (1, 2)
    assert not [one for one in ear.events if isinstance(one, TaskFailed)]
