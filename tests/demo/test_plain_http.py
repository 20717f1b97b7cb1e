"""The site `plain` over HTTP, without a browser."""

from __future__ import annotations

import httpx
from selectolax.lexbor import LexborHTMLParser

from .conftest import NewVisitor, StartPortal
from .test_report_pdf import pages_of
from .visitor import Visitor


async def sign_in(visitor: Visitor, password: str = "demo") -> httpx.Response:
    return await visitor.client.post("/account/login", data={"email": "demo", "password": password})


async def test_the_lot_is_walked_by_links_alone(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start(site="plain")
    visitor = await visit(portal)
    page = await sign_in(visitor)
    seen: list[str] = []
    while True:
        tree = LexborHTMLParser(page.text)
        seen += [link.text() for link in tree.css("table.stock tbody a")]
        following = tree.css_first("a[rel=next]")
        if following is None:
            break
        page = await visitor.get(str(following.attributes["href"]))
    truth = await portal.inventory()
    assert seen == [vehicle["reference"] for vehicle in truth]


async def test_the_report_is_an_attachment_behind_a_link(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start(site="plain")
    visitor = await visit(portal)
    await sign_in(visitor)
    truth = (await portal.inventory())[0]
    page = await visitor.get(f"/lot/{truth['key']}")
    link = LexborHTMLParser(page.text).css_first("a.report")
    assert link is not None
    report = await visitor.get(str(link.attributes["href"]))
    assert report.headers["content-disposition"].startswith("attachment")
    assert f"Stock No. {truth['reference']}" in pages_of(report.content)[0]
    await visitor.get("/account/logout")
    ledger = await portal.ledger()
    assert ledger["reports_asked"] == {truth["vin"]: 1} and ledger["sign_outs"] == 1 and ledger["open_sessions"] == 0


async def test_refusals_have_their_own_words(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start(site="plain")
    first, second = await visit(portal), await visit(portal)
    assert "not recognized" in (await sign_in(first, "wrong")).text
    await sign_in(first)
    assert "in use on another computer" in (await sign_in(second)).text
    assert (await second.get("/lot")).url.path == "/account/login"
    await first.get("/account/logout")
    assert (await sign_in(second)).url.path == "/lot"


async def test_an_account_can_be_stopped_after_its_sign_in(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start(site="plain", account="second_factor")
    visitor = await visit(portal)
    assert "Enter the code we sent you" in (await sign_in(visitor)).text
    assert (await visitor.get("/lot")).url.path == "/account/check"
    assert (await portal.ledger())["sign_ins"] == 0
