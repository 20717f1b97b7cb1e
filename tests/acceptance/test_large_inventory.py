"""Few vehicles of a large inventory: what the grid is asked for, as the portal's own ledger tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Program, asked_twice, judge

LOT, WANTED, PAGE = 2000, 20, 20
BEFORE_THE_EXPORT = 1


@pytest.mark.parametrize(
    ("where", "callbacks"),
    [("first", 2), ("anywhere", 1 + WANTED), ("together", 1 + WANTED), ("at the end", 1 + WANTED)],
)
async def test_few_of_many_cost_a_callback_each_at_most(where: str, callbacks: int, tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=LOT, page_size=PAGE)) as portal:
        references = [one["reference"] for one in await portal.inventory()]
        chosen = {
            "first": references[: 2 * PAGE],
            "anywhere": references[PAGE :: LOT // WANTED][:WANTED],
            "together": references[1010 : 1010 + WANTED],
            "at the end": references[-WANTED:],
        }[where]
        only = [word for reference in chosen for word in ("--only", reference)]
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0"})
        ended = await program.run(*only)
        assert ended.code == 0, ended.text
        ledger = await portal.ledger()
        judged = await judge(program)
    assert (judged.right, judged.wrong) == (len(chosen), [])
    assert not asked_twice(ledger)
    assert ledger["vehicle_opens"] == dict.fromkeys(chosen, 1)
    assert ledger["grid_callbacks"] <= BEFORE_THE_EXPORT + callbacks
    assert (ledger["points"]["grid_page"], ledger["sign_ins"], ledger["open_sessions"]) == (2, 1, 0)


async def test_few_of_many_by_clicks_come_right_too(tmp_path: Path) -> None:
    async with DemoPortal.start(DemoOptions(vehicles=LOT, page_size=PAGE, links="script")) as portal:
        references = [one["reference"] for one in await portal.inventory()]
        chosen = references[PAGE :: LOT // 6][:6]
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0"})
        ended = await program.run(*[word for reference in chosen for word in ("--only", reference)])
        assert ended.code == 0, ended.text
        ledger = await portal.ledger()
        judged = await judge(program)
    assert (judged.right, judged.wrong) == (len(chosen), [])
    assert ledger["vehicle_opens"] == dict.fromkeys(chosen, 1)
