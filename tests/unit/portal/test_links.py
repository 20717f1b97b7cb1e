"""The book of rows: who asks early waits, until the row is seen or none will come."""

from __future__ import annotations

import asyncio

from jdp_scraper.portal.grid import GridRow, GridView, Pager
from jdp_scraper.portal.links import LinkBook
from jdp_scraper.vehicle import Vehicle

from ..virtual_time import in_virtual_time


def row(reference: str, vin: str | None = None, link: str | None = None) -> GridRow:
    return GridRow(Vehicle(reference, vin), link or f"https://portal.example/{reference}/{vin}")


def view(*rows: GridRow) -> GridView:
    return GridView(rows, Pager(), has_next=False, filtered=False)


async def test_rows_seen_are_given_at_once() -> None:
    book = LinkBook()
    await book.add(view(row("1", "A"), row("2", "B")))
    assert await book.rows_of(Vehicle("2", "B")) == [row("2", "B")]
    assert not book.ended


async def test_a_longer_reference_is_another_vehicle() -> None:
    book = LinkBook()
    await book.add(view(row("165530A")))
    await book.end()
    assert await book.rows_of(Vehicle("165530")) == []


async def test_a_reference_that_stands_twice_gives_the_row_with_the_vin_or_all_without() -> None:
    book = LinkBook()
    await book.add(view(row("1", "A"), row("1", "B"), row("2", link="x"), row("2", link="y")))
    assert await book.rows_of(Vehicle("1", "B")) == [row("1", "B")]
    assert await book.rows_of(Vehicle("1")) == [row("1", "A"), row("1", "B")]
    assert await book.rows_of(Vehicle("2", "C")) == [row("2", link="x"), row("2", link="y")]


async def test_a_row_that_is_seen_again_counts_once() -> None:
    book = LinkBook()
    for _ in range(2):
        await book.add(view(row("1", "A"), row("2", "B")))
    assert book.rows() == [row("1", "A"), row("2", "B")]


async def test_rows_seen_before_the_walk_let_work_begin_and_give_way_to_the_walk_s() -> None:
    book = LinkBook()
    await book.add_early(view(row("1", "A", link="old"), row("2", "B", link="old")))
    assert await book.rows_of(Vehicle("1", "A")) == [row("1", "A", link="old")]
    assert (book.rows(), book.count("1")) == ([], 0)
    await book.add(view(row("1", "A", link="new")))
    assert await book.rows_of(Vehicle("1", "A")) == [row("1", "A", link="new")]
    assert await book.rows_of(Vehicle("2", "B")) == [row("2", "B", link="old")]
    assert (book.rows(), book.count("1"), book.count("2")) == ([row("1", "A", link="new")], 1, 0)


async def test_a_row_that_the_walk_shows_with_another_vin_is_the_early_one_s_end() -> None:
    book = LinkBook()
    await book.add_early(view(row("1", "A")))
    await book.add(view(row("1", "B")))
    await book.end()
    assert await book.rows_of(Vehicle("1", "A")) == []
    await book.add_early(view(row("1", "A")))
    assert await book.rows_of(Vehicle("1", "A")) == []


def test_who_asks_early_waits_until_the_row_is_seen_and_hears_of_every_step() -> None:
    async def main() -> None:
        book = LinkBook()
        steps: list[int] = []
        asking = asyncio.ensure_future(book.rows_of(Vehicle("3", "C"), lambda: steps.append(len(book.rows()))))
        await asyncio.sleep(1)
        assert not asking.done()
        for number in "123":
            assert not asking.done()
            await book.add(view(row(number, "ABC"[int(number) - 1])))
            await asyncio.sleep(1)
        assert await asking == [row("3", "C")]
        assert steps == [1, 2, 3]

    in_virtual_time(main())


def test_the_end_tells_all_who_wait_that_nothing_will_come() -> None:
    async def main() -> None:
        book = LinkBook()
        asking = [asyncio.ensure_future(book.rows_of(Vehicle(key))) for key in "12"]
        await asyncio.sleep(1)
        await book.end()
        assert await asyncio.gather(*asking) == [[], []]
        assert book.ended
        assert await book.rows_of(Vehicle("3")) == []

    in_virtual_time(main())
