"""The book of rows: who asks early waits, until the row is seen or none will come."""

from __future__ import annotations

import asyncio
from dataclasses import replace

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


async def test_rows_seen_before_the_walk_are_given_out_but_not_counted() -> None:
    book = LinkBook()
    await book.add_early(view(row("1", "A"), row("2", "B")))
    assert await book.rows_of(Vehicle("1", "A")) == [replace(row("1", "A"), early=True)]
    assert (book.rows(), book.count("1")) == ([], 0)


async def test_a_row_of_the_walk_replaces_what_was_seen_of_its_reference_before() -> None:
    book = LinkBook()
    await book.add_early(view(row("1", link="stale"), row("2", link="stale"), row("2", link="other")))
    await book.add(view(row("2", link="right")))
    assert [found.link for found in await book.rows_of(Vehicle("2"))] == ["right"]
    assert (book.count("1"), book.count("2")) == (0, 1)
    assert [found.link for found in await book.rows_of(Vehicle("1"))] == ["stale"]
    await book.add_early(view(row("2", link="late")))
    assert [found.link for found in await book.rows_of(Vehicle("2"))] == ["right"]


async def test_a_later_look_before_the_walk_replaces_an_earlier_one() -> None:
    book = LinkBook()
    await book.add_early(view(row("1", link="stale"), row("2")))
    await book.add_early(view(row("1", link="newer")))
    await book.end()
    assert [found.link for found in await book.rows_of(Vehicle("1"))] == ["newer"]
    assert await book.rows_of(Vehicle("2")) == []


def test_a_row_that_has_led_astray_is_waited_for_until_the_walk_shows_it() -> None:
    async def main() -> None:
        book = LinkBook()
        await book.add_early(view(row("1", link="stale")))
        book.drop_early("1")
        asking = asyncio.ensure_future(book.rows_of(Vehicle("1")))
        await asyncio.sleep(1)
        assert not asking.done()
        await book.add(view(row("1", link="right")))
        assert [found.link for found in await asking] == ["right"]

    in_virtual_time(main())


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


def test_who_asks_for_what_is_not_looked_for_need_not_wait() -> None:
    async def main() -> None:
        book = LinkBook()
        asking = {key: asyncio.ensure_future(book.rows_of(Vehicle(key))) for key in "123"}
        await asyncio.sleep(1)
        await book.narrow("12")
        await asyncio.sleep(1)
        assert [key for key, task in asking.items() if task.done()] == ["3"]
        await book.add(view(row("1")))
        await book.leave("1")
        await book.leave("2")
        assert [len(await asking[key]) for key in "123"] == [1, 0, 0]
        assert not book.ended

    in_virtual_time(main())
