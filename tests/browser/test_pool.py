"""The page pool: slots out equal slots in, whatever happens to a page or to who borrows it."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable

import pytest
from PIL import Image
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from jdp_scraper.browser import growth as growth_module
from jdp_scraper.browser import pool as pool_module
from jdp_scraper.browser import upkeep as upkeep_module
from jdp_scraper.browser.catcher import RequestCatcher
from jdp_scraper.browser.growth import Verdict
from jdp_scraper.browser.options import BrowserOptions
from jdp_scraper.browser.pool import PagePool, PooledPage, PoolStatistics
from jdp_scraper.browser.session import BrowserSession
from jdp_scraper.browser.vitals import Vitals
from jdp_scraper.errors import BrowserLost, PageLost, PortalAnswered, StepTimeout
from jdp_scraper.portal.in_page import open_address

from .conftest import Ear
from .server import SmallSite
from .test_session import begun_since, children, until

BUSY = "<script>addEventListener('load', () => setTimeout(() => { while (true) {} }, 50))</script>"


def pool_of(browser: BrowserSession, size: int, ear: Ear, wanted: str | None = None) -> PagePool:
    return PagePool(browser, size, lambda: RequestCatcher(wanted))


async def works(pooled: PooledPage, site: SmallSite) -> bool:
    await pooled.page.goto(site.html("/works", "<p>fine"))
    return await pooled.page.inner_text("p") == "fine"


async def all_slots_work(pool: PagePool, size: int, site: SmallSite) -> None:
    """Borrow every slot at once, use each, and see that there is no further one."""
    inside = 0
    all_in, out = asyncio.Event(), asyncio.Event()

    async def borrow() -> None:
        nonlocal inside
        async with pool.page() as pooled:
            assert await works(pooled, site)
            inside += 1
            if inside == size:
                all_in.set()
            await out.wait()

    borrowers = [asyncio.ensure_future(borrow()) for _ in range(size + 1)]
    async with asyncio.timeout(60):
        await asyncio.wait([asyncio.ensure_future(all_in.wait()), *borrowers], return_when=asyncio.FIRST_COMPLETED)
        assert all_in.is_set()
        assert pool.statistics().lent == size
        assert inside == size
        out.set()
        await asyncio.gather(*borrowers)
    assert pool.statistics().lent == 0


def open_pages(browser: BrowserSession) -> int:
    return sum(not page.is_closed() for page in browser.context.pages)


async def test_a_page_is_made_when_it_is_first_needed_and_kept(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 3, ear) as pool:
        assert open_pages(browser) == 0
        async with pool.page() as pooled:
            assert pool.statistics() == PoolStatistics(lent=1, size=3, replaced=0)
            assert await works(pooled, site)
            first = pooled.page
        async with pool.page() as pooled:
            assert pooled.page is first
        assert open_pages(browser) == 1
    assert open_pages(browser) == 0


async def test_pages_can_be_opened_before_they_are_needed(browser: BrowserSession, site: SmallSite, ear: Ear) -> None:
    async with pool_of(browser, 3, ear) as pool:
        pool.warm_up(1)
        await until(lambda: open_pages(browser) == 1 and not opening())
        async with pool.page() as pooled:
            assert open_pages(browser) == 1, "the page that was opened is the one that is lent first"
            assert pooled.page in browser.context.pages
        pool.warm_up(3)
        await until(lambda: open_pages(browser) == 3)
        pool.warm_up(3)
        await all_slots_work(pool, 3, site)
        assert open_pages(browser) == 3
    assert open_pages(browser) == 0


async def test_pages_that_nobody_borrows_are_closed_also_while_they_open(browser: BrowserSession, ear: Ear) -> None:
    async with pool_of(browser, 3, ear) as pool:
        pool.warm_up(3)
    assert open_pages(browser) == 0


async def test_a_page_that_could_not_be_opened_beforehand_is_opened_when_it_is_needed(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    failures = [1, 2, 3]

    class Catcher(RequestCatcher):
        async def attach(self, page: Page) -> None:
            if failures:
                failures.pop()
                raise PlaywrightError("no session")
            await super().attach(page)

    async with PagePool(browser, 1, lambda: Catcher(None)) as pool:
        pool.warm_up(1)
        with pytest.raises(PageLost, match="no session"):  # the second failure, of a page that is needed now
            async with pool.page():
                pass
        pool.warm_up(1)
        await all_slots_work(pool, 1, site)
    assert not failures


def opening() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "open page"]


async def test_a_page_that_died_before_it_was_ever_lent_is_not_lent(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 2, ear) as pool:
        pool.warm_up(2)
        await until(lambda: open_pages(browser) == 2 and not opening())
        for page in list(browser.context.pages):
            await page.close()
        await all_slots_work(pool, 2, site)
        assert pool.statistics().replaced == 2


async def test_a_page_that_nobody_sees_is_laid_out_and_pictured_whole(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    address = site.html(
        "/", "<body style='margin:0;background:#0000ff'><p id=low style='position:absolute;top:600px'>low"
    )
    async with pool_of(browser, 1, ear) as pool, pool.page() as pooled:
        page = pooled.page
        for _ in range(2):
            await page.goto(address)
            sizes = "[innerWidth, innerHeight, screen.width, screen.height, devicePixelRatio, document.visibilityState]"
            assert await page.evaluate(sizes) == [1280, 720, 1280, 720, 1, "visible"]
            seen = "new Promise((tell) => new IntersectionObserver(([e]) => tell(e.isIntersecting)).observe(low))"
            assert await page.evaluate(seen)
            assert await page.evaluate("new Promise((tell) => requestAnimationFrame(() => tell(true)))")
            picture = Image.open(io.BytesIO(await page.screenshot()))
            assert picture.size == (1280, 720)
            assert picture.convert("RGB").getpixel((1270, 710)) == (0, 0, 255)


async def test_never_more_than_its_size_is_lent(browser: BrowserSession, site: SmallSite, ear: Ear) -> None:
    async with pool_of(browser, 2, ear) as pool:
        peak = 0

        async def borrow() -> None:
            nonlocal peak
            async with pool.page() as pooled:
                peak = max(peak, pool.statistics().lent, open_pages(browser))
                assert await works(pooled, site)

        await asyncio.gather(*(borrow() for _ in range(8)))
        assert peak == 2
        assert pool.statistics() == PoolStatistics(lent=0, size=2, replaced=0)


async def crash(page: Page, _: SmallSite) -> None:
    """End the page's own process, as memory that runs out does."""
    crashed = asyncio.Event()
    page.on("crash", lambda _: crashed.set())
    with pytest.raises(PlaywrightError):
        await page.goto("chrome://crash", timeout=60_000)
    await crashed.wait()


async def close(page: Page, _: SmallSite) -> None:
    await page.close()


async def keep_busy(page: Page, site: SmallSite) -> None:
    """Leave the page in a script that never ends."""
    await page.goto(site.html("/busy", BUSY))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            while True:
                await page.evaluate("1")


@pytest.mark.parametrize("harm", [crash, close])
async def test_a_page_that_is_gone_while_lent_is_replaced_though_nothing_was_raised(
    harm: Callable[[Page, SmallSite], Awaitable[None]], browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 2, ear) as pool:
        async with pool.page() as pooled:
            await harm(pooled.page, site)
            harmed = pooled.page
        assert pool.statistics() == PoolStatistics(lent=0, size=2, replaced=1)
        async with pool.page() as pooled:
            assert pooled.page is not harmed
        await all_slots_work(pool, 2, site)
    assert open_pages(browser) == 0


@pytest.mark.parametrize("harm", [crash, close])
async def test_a_page_that_is_gone_while_nobody_has_it_is_replaced_when_next_lent(
    harm: Callable[[Page, SmallSite], Awaitable[None]], browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 1, ear) as pool:
        async with pool.page() as pooled:
            idle = pooled.page
        await harm(idle, site)
        await all_slots_work(pool, 1, site)
        assert pool.statistics().replaced == 1


async def test_a_page_on_which_anything_failed_is_replaced(browser: BrowserSession, site: SmallSite, ear: Ear) -> None:
    async with pool_of(browser, 2, ear) as pool:
        with pytest.raises(ValueError, match="of mine"):
            async with pool.page() as pooled:
                failed = pooled.page
                raise ValueError("of mine")
        assert pool.statistics() == PoolStatistics(lent=0, size=2, replaced=1)
        await until(failed.is_closed)
        await all_slots_work(pool, 2, site)


async def test_a_borrower_that_is_cancelled_gives_its_slot_back(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 2, ear) as pool:
        borrowed = asyncio.Event()

        async def hold() -> None:
            async with pool.page():
                borrowed.set()
                await asyncio.Event().wait()

        holding = asyncio.ensure_future(hold())
        await borrowed.wait()
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        assert pool.statistics() == PoolStatistics(lent=0, size=2, replaced=1)
        await all_slots_work(pool, 2, site)


async def test_who_is_cancelled_while_waiting_for_a_page_takes_no_slot_with_it(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 1, ear) as pool:

        async def borrow() -> None:
            async with pool.page():
                raise AssertionError("there was no free page")

        async with pool.page():
            waiting = asyncio.ensure_future(borrow())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await all_slots_work(pool, 1, site)
        assert pool.statistics().replaced == 0


@pytest.mark.parametrize("turns", [1, 10])
async def test_who_is_cancelled_while_a_page_opens_leaves_no_page_behind(
    turns: int, browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 1, ear, wanted="GetPdfReport") as pool:

        async def borrow() -> None:
            async with pool.page():
                await asyncio.Event().wait()

        opening = asyncio.ensure_future(borrow())
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await all_slots_work(pool, 1, site)
        await until(lambda: open_pages(browser) <= 1)


async def test_who_is_cancelled_while_a_page_is_made_ready_leaves_no_page_behind(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    attaching, go_on = asyncio.Event(), asyncio.Event()

    class Slow(RequestCatcher):
        async def attach(self, page: Page) -> None:
            attaching.set()
            await go_on.wait()

    catchers = [RequestCatcher(None), Slow(None)]
    async with PagePool(browser, 1, catchers.pop) as pool:

        async def borrow() -> None:
            async with pool.page():
                raise AssertionError("the page is never ready")

        opening = asyncio.ensure_future(borrow())
        await attaching.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert pool.statistics().lent == 0
        go_on.set()
        async with pool.page():
            await until(lambda: open_pages(browser) <= 1)


async def test_a_page_busy_in_a_script_is_replaced_and_closed(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 2, ear) as pool:
        with pytest.raises(StepTimeout, match="gave up"):
            async with pool.page() as pooled:
                busy = pooled.page
                await keep_busy(busy, site)
                raise StepTimeout("gave up")
        assert pool.statistics() == PoolStatistics(lent=0, size=2, replaced=1)
        await all_slots_work(pool, 2, site)
        await until(busy.is_closed)
        assert open_pages(browser) <= 2


async def test_a_script_that_never_ends_does_not_outlive_its_page_in_a_process_that_others_share(
    site: SmallSite, ear: Ear
) -> None:
    options = BrowserOptions(extra_flags=("--renderer-process-limit=1",))
    async with BrowserSession(options, ear.bus) as session, pool_of(session, 3, ear) as pool:
        async with pool.page() as one, pool.page() as other:
            for pooled in (one, other):
                assert await works(pooled, site)
            with pytest.raises(StepTimeout, match="gave up"):
                async with pool.page() as pooled:
                    await keep_busy(pooled.page, site)
                    with pytest.raises(TimeoutError):
                        async with asyncio.timeout(0.5):
                            await one.page.evaluate("1")
                    raise StepTimeout("gave up")
            async with asyncio.timeout(60):
                assert await one.page.evaluate("1") == await other.page.evaluate("1") == 1
        await all_slots_work(pool, 3, site)


async def test_the_end_of_a_script_that_has_ended_by_itself_meets_no_other_script(site: SmallSite, ear: Ear) -> None:
    class Unheard(Vitals):
        """The page's sign of life comes too late, however soon it comes."""

        async def _send(self, method: str, **given: object) -> dict[str, object]:
            answer = await super()._send(method, **given)
            if method == "Runtime.evaluate" and not self.heard:
                self.heard = True
                raise TimeoutError
            return answer

        heard = False

    options = BrowserOptions(extra_flags=("--renderer-process-limit=1",))
    async with (
        BrowserSession(options, ear.bus) as session,
        pool_of(session, 2, ear) as pool,
        pool.page() as one,
        pool.page() as other,
    ):
        for pooled in (one, other):
            assert await works(pooled, site)
        for _ in range(10):
            vitals = Unheard()
            await vitals.attach(one.page)
            await vitals.unblock()
            assert await other.page.evaluate("1") == await one.page.evaluate("1") == 1


async def test_a_page_that_did_not_hang_ends_no_script_of_its_neighbor_s(site: SmallSite, ear: Ear) -> None:
    options = BrowserOptions(extra_flags=("--renderer-process-limit=1",))
    async with (
        BrowserSession(options, ear.bus) as session,
        pool_of(session, 2, ear) as pool,
        pool.page() as neighbor,
    ):
        assert await works(neighbor, site)
        with pytest.raises(PageLost):
            async with pool.page() as pooled:
                assert await works(pooled, site)
                long = asyncio.ensure_future(
                    neighbor.page.evaluate(
                        "(() => { const end = Date.now() + 4500; while (Date.now() < end); return 1 })()"
                    )
                )
                raise PageLost("the other page's own fault")
        assert await long == 1


async def test_pages_that_crash_together_are_told_from_one_that_crashes_alone(site: SmallSite, ear: Ear) -> None:
    options = BrowserOptions(extra_flags=("--renderer-process-limit=1",))
    before = children()
    async with BrowserSession(options, ear.bus) as session, pool_of(session, 3, ear) as pool:
        async with pool.page() as one, pool.page() as other:
            assert await works(one, site) and await works(other, site)
            for process in begun_since(before):
                if "--type=renderer" in process.cmdline():
                    process.kill()
            await until(lambda: one.spoiled and other.spoiled)
            assert pool.crashed_with_others(one) and pool.crashed_with_others(other)
            await asyncio.sleep(pool_module.TOGETHER_S)  # the next crash has nothing to do with these
        async with pool.page() as alone:
            await crash(alone.page, site)
            assert not pool.crashed_with_others(alone)


async def test_a_page_whose_address_is_never_answered_lets_go_of_it_at_once(
    browser: BrowserSession, site: SmallSite, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next page that opens the same address would wait for the first one's answer."""
    monkeypatch.setattr("jdp_scraper.browser.vitals.ANSWER_S", 600)
    async with pool_of(browser, 1, ear) as pool:
        for first in (site.html("/first", "<p>first"), "about:blank"):
            address = site.hanging("/hangs")
            with pytest.raises(StepTimeout):
                async with pool.page() as pooled:
                    await pooled.page.goto(first)
                    await open_address(pooled.page, address, "vehicle page", 0.5)
            site.html("/hangs", "<p>fine")
            async with pool.page() as pooled:
                await pooled.page.goto(address, timeout=60_000)
                assert await pooled.page.inner_text("p") == "fine"


FULL = "<script>window.kept = new Uint8Array(20_000_000).fill(1)</script><p>full"


async def test_garbage_is_collected_where_pages_have_grown(
    site: SmallSite, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep_module, "LOOK_EVERY_S", 0.0)
    async with BrowserSession(BrowserOptions(), ear.bus) as session, pool_of(session, 3, ear) as pool:
        full = site.html("/full", FULL)
        peak = least = (await session.memory()).renderers
        while pool.statistics().collections < 3:
            async with pool.page() as pooled:
                await pooled.page.goto(full)
                held = (await session.memory()).renderers
                peak, least = max(peak, held), min(least, held)
        assert peak < least + 400
        assert pool.statistics().renewals == pool.statistics().replaced == 0


async def test_what_no_collection_ends_ends_with_the_pages(
    site: SmallSite, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep_module, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(growth_module, "RENEW_MIB", 60.0)
    async with BrowserSession(BrowserOptions(), ear.bus) as session, pool_of(session, 2, ear) as pool:
        empty = (await session.memory()).renderers
        seen = set()
        while not pool.statistics().renewals:
            async with pool.page() as pooled:
                if not pool.statistics().renewals:
                    seen.add(pooled.page)
                    await pooled.page.evaluate("(window.all ??= []).push(new Uint8Array(10_000_000).fill(1))")
        await until(lambda: all(page.is_closed() for page in seen))
        assert (await session.memory()).renderers < empty + 100
        await all_slots_work(pool, 2, site)
        assert pool.statistics().replaced == 0


async def test_pages_are_opened_anew_although_all_are_held_and_others_wait_for_them(
    browser: BrowserSession, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at a slow portal, with two workers a page: those that wait for a page already must let it be gathered."""
    monkeypatch.setattr(pool_module, "GATHER_S", 0.0)
    async with pool_of(browser, 2, ear) as pool:
        over = asyncio.Event()

        async def work() -> None:
            while not over.is_set():
                async with pool.page():
                    await asyncio.sleep(1.0)

        workers = [asyncio.ensure_future(work()) for _ in range(4)]
        await until(lambda: pool.statistics().lent == 2 and len(pool._holds) >= 4)
        assert await pool._renew()
        over.set()
        await asyncio.gather(*workers)
        assert pool.statistics() == PoolStatistics(lent=0, size=2, replaced=0, renewals=1)


async def test_lending_does_not_pause_where_a_page_is_held_for_long_already(browser: BrowserSession, ear: Ear) -> None:
    async with pool_of(browser, 2, ear) as pool, pool.page():
        pool._slots[-1].held_from = asyncio.get_running_loop().time() - 2 * pool_module.GATHER_S
        renewing = asyncio.ensure_future(pool._renew())
        await asyncio.sleep(0)
        assert pool._lending.is_set()
        assert not await renewing


async def test_pages_are_not_opened_anew_while_one_is_held_for_long(
    site: SmallSite, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep_module, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(pool_module, "GATHER_S", 0.1)
    monkeypatch.setattr(upkeep_module, "RENEW_AGAIN_S", 0.0)
    verdicts = [Verdict.RENEW]
    monkeypatch.setattr(growth_module.Growth, "judge", lambda *_, **__: verdicts.pop() if verdicts else Verdict.FINE)
    async with BrowserSession(BrowserOptions(), ear.bus) as session, pool_of(session, 2, ear) as pool:
        async with pool.page() as held:
            async with pool.page() as pooled:
                first = pooled.page
            await until(lambda: not verdicts)
            async with pool.page() as pooled:
                assert pooled.page is first, "the others are not kept waiting for ever"
            assert pool.statistics().renewals == 0
            assert await works(held, site)
        await until(lambda: pool.statistics().renewals > 0)
        assert held.page.is_closed() and first.is_closed()
        assert pool.statistics() == PoolStatistics(lent=0, size=2, replaced=0, renewals=1)
        await all_slots_work(pool, 2, site)


async def test_pages_that_are_left_at_the_first_byte_of_an_answer_are_closed(ear: Ear, site: SmallSite) -> None:
    """As after an error page: closing a page that has only just begun to load must not leave it open for ever."""
    address = site.html("/", "no", status=503)
    async with BrowserSession(BrowserOptions(), ear.bus) as session, pool_of(session, 5, ear) as pool:

        async def borrow() -> None:
            with contextlib.suppress(PortalAnswered):
                async with pool.page() as pooled:
                    await open_address(pooled.page, address, "vehicle page", 60)

        await asyncio.gather(*(borrow() for _ in range(60)))
        assert pool.statistics().replaced == 60
        await until(lambda: open_pages(session) == 0)


async def test_where_a_page_cannot_be_made_ready_that_is_told_and_the_slot_is_free(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    class Broken(RequestCatcher):
        async def attach(self, page: Page) -> None:
            await page.close()
            await page.evaluate("1")

    catchers = [RequestCatcher(None), Broken(None)]
    async with PagePool(browser, 1, catchers.pop) as pool:
        with pytest.raises(PageLost, match="no page could be opened"):
            async with pool.page():
                raise AssertionError("there is no page")
        assert pool.statistics().lent == 0
        async with pool.page() as pooled:
            assert await works(pooled, site)


async def test_after_the_browser_has_ended_borrowing_fails_at_once_and_closing_ends(ear: Ear) -> None:
    async with (
        BrowserSession(BrowserOptions(), ear.bus) as session,
        asyncio.timeout(60),
        pool_of(session, 2, ear) as pool,
    ):
        async with pool.page():
            pass
        await session.context.close()
        for _ in range(3):
            with pytest.raises((PageLost, BrowserLost)):
                async with pool.page():
                    raise AssertionError("there is no browser")
        assert pool.statistics().lent == 0


async def test_many_borrowers_with_all_kinds_of_failures_use_up_no_slot(
    browser: BrowserSession, site: SmallSite, ear: Ear
) -> None:
    async with pool_of(browser, 3, ear) as pool:

        async def borrow(number: int) -> None:
            async with pool.page() as pooled:
                assert pool.statistics().lent <= 3
                if number % 4 == 0:
                    raise ValueError(number)
                if number % 4 == 1:
                    await pooled.page.close()
                if number % 4 == 2:
                    await asyncio.Event().wait()

        borrowers = [asyncio.ensure_future(borrow(number)) for number in range(16)]
        async with asyncio.timeout(60):
            while not all(task.done() for task in borrowers):
                await asyncio.sleep(0.02)
                if pool.statistics().lent == 3 or sum(not task.done() for task in borrowers) <= 4:
                    for task in borrowers[2::4]:
                        task.cancel()
        await asyncio.gather(*borrowers, return_exceptions=True)
        assert pool.statistics().lent == 0
        assert pool.statistics().replaced >= 8
        await all_slots_work(pool, 3, site)
        await until(lambda: open_pages(browser) <= 3)
