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


def test_a_further_row_of_a_reference_is_waited_for_while_the_walk_may_show_it() -> None:
    async def main() -> None:
        book = LinkBook()
        book.expect({"1": 2})
        await book.add(view(row("1", link="x"), row("2")))
        (first,) = await book.rows_of(Vehicle("1", "B"))
        assert book.more_may_come(Vehicle("1"), [first]) and not book.more_may_come(Vehicle("2"), [row("2")])
        asking = asyncio.ensure_future(book.rows_of(Vehicle("1", "B"), beside=[first]))
        await asyncio.sleep(1)
        assert not asking.done()
        await book.add(view(row("1", link="y")))
        assert [found.link for found in await asking] == ["y"]
        assert book.more_may_come(Vehicle("1"), [first]) and not book.more_may_come(Vehicle("1"), book.rows())
        assert await book.rows_of(Vehicle("2"), beside=[row("2")]) == []
        book.expect({"1": 3})
        asking = asyncio.ensure_future(book.rows_of(Vehicle("1"), beside=book.rows()))
        await asyncio.sleep(1)
        assert not asking.done()
        await book.end()
        assert await asking == []

    in_virtual_time(main())


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


class Sessions:
    """A book, and which of the account's sessions it is."""

    def __init__(self) -> None:
        self.number = 1
        self.book = LinkBook(lambda: self.number)

    async def links(self, reference: str) -> list[str | None]:
        return [found.link for found in await self.book.rows_of(Vehicle(reference))]


async def test_a_row_that_is_seen_again_in_a_later_session_takes_the_place_of_the_earlier_one() -> None:
    seen = Sessions()
    await seen.book.add(view(row("1", link="a/1"), row("1", link="b/1"), row("2", link="kept")))
    seen.number = 2
    await seen.book.add(view(row("1", link="a/2"), row("1", link="b/2"), row("2", link="kept")))
    assert [found.link for found in seen.book.rows()] == ["a/2", "b/2", "kept"]
    assert not any(seen.book.is_stale(found) for found in seen.book.rows())


def test_one_row_of_an_earlier_session_that_has_led_astray_drops_all_of_them_until_another_walk() -> None:
    async def main() -> None:
        seen = Sessions()
        await seen.book.add(view(row("1", link="1/1"), row("2", link="2/1")))
        await seen.book.end()
        seen.number = 2
        await seen.book.add(view(row("3", link="3/2")))
        assert await seen.links("2") == ["2/1"], "an address may well hold for longer"
        seen.book.lead_astray(await seen.book.rows_of(Vehicle("1")))
        assert [found.link for found in seen.book.rows()] == ["3/2"]
        assert (seen.book.incomplete, seen.book.ended) == (True, False)
        asking = asyncio.ensure_future(seen.links("2"))
        await seen.book.narrow("")  # a walk that was under way when the rows were dropped comes to its end
        await seen.book.end()
        await asyncio.sleep(1)
        assert not asking.done() and not seen.book.ended
        seen.book.begin_again()
        await seen.book.add(view(row("2", link="2/2")))
        assert await asking == ["2/2"]
        await seen.book.end()
        assert (seen.book.incomplete, seen.book.ended) == (False, True)
        assert await seen.links("1") == []

    in_virtual_time(main())


async def test_a_row_of_this_session_that_has_led_astray_keeps_its_place_and_loses_its_address() -> None:
    seen = Sessions()
    await seen.book.add(view(row("1", link="a"), row("2", link="b")))
    seen.book.lead_astray(await seen.book.rows_of(Vehicle("1")))
    assert await seen.links("1") == [None]
    assert (await seen.links("2"), seen.book.count("1"), seen.book.incomplete) == (["b"], 1, False)
    assert not seen.book.drop_stale("1")


async def test_rows_that_were_dropped_meanwhile_are_stale_and_drop_nothing_more() -> None:
    seen = Sessions()
    await seen.book.add(view(row("1", link="a/1"), row("2", link="b/1")))
    rows = await seen.book.rows_of(Vehicle("1"))
    seen.number = 2
    assert seen.book.drop_stale("2")
    seen.book.begin_again()
    await seen.book.add(view(row("1", link="a/2")))
    assert all(seen.book.is_stale(found) for found in rows)
    seen.book.lead_astray(rows)
    assert await seen.links("1") == ["a/2"]
    assert not seen.book.incomplete
