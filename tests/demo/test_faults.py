"""Every fault, on request, as a client sees it."""

from __future__ import annotations

import asyncio
import io
import time
from typing import Any

import httpx
import pikepdf
import pytest

from jdp_scraper.demo.fault_table import KINDS
from jdp_scraper.demo.process import DemoPortal

from .conftest import NewVisitor, StartPortal
from .test_report_pdf import pages_of
from .visitor import GRID, Visitor

TESTED: set[str] = set()


class Ground:
    """A signed-in visitor of a portal, and the truth about two vehicles."""

    def __init__(self, portal: DemoPortal, visitor: Visitor, inventory: list[dict[str, Any]]) -> None:
        self.portal = portal
        self.visitor = visitor
        self.vehicle, self.other = inventory[4], inventory[5]
        self.key = str(self.vehicle["key"])

    async def fault(self, kind: str, at: str | None = None, match: str | None = None) -> None:
        await self.portal.fault(kind, at, match=match)
        TESTED.add(kind)


@pytest.fixture
async def ground(start: StartPortal, visit: NewVisitor) -> Ground:
    portal = await start(vehicles=20)
    visitor = await visit(portal)
    await visitor.sign_in()
    return Ground(portal, visitor, await portal.inventory())


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("error_401", 401),
        ("error_403", 403),
        ("error_404", 404),
        ("error_500", 500),
        ("error_503", 503),
        ("too_many", 429),
    ],
)
@pytest.mark.parametrize("at", ["vehicle", "create", "pdf"])
async def test_error_pages(ground: Ground, kind: str, status: int, at: str) -> None:
    address = (await ground.visitor.create(ground.key)).json()["address"]
    await ground.fault(kind, at)
    asked = {
        "vehicle": ground.visitor.get(f"{GRID}Bookout/{ground.key}"),
        "create": ground.visitor.create(ground.key),
        "pdf": ground.visitor.get(address),
    }
    answer = await asked.pop(at)
    for unused in asked.values():
        unused.close()
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) is (status == 429)
    assert (await ground.portal.ledger())["faults"] == {f"{kind}@{at}": 1}


@pytest.mark.parametrize("kind", ["reset", "truncated"])
async def test_transfers_that_break_off(ground: Ground, kind: str) -> None:
    await ground.fault(kind, "pdf")
    with pytest.raises(httpx.TransportError):
        await ground.visitor.report(ground.key)
    assert (await ground.visitor.report(ground.key)).content.endswith(b"%%EOF\n")


async def test_a_reset_before_the_first_byte(ground: Ground) -> None:
    await ground.fault("reset", "vehicle")
    with pytest.raises(httpx.TransportError):
        await ground.visitor.get(f"{GRID}Bookout/{ground.key}")


@pytest.mark.parametrize(("kind", "has_length"), [("truncated_short_length", True), ("truncated_chunked", False)])
async def test_transfers_that_look_complete_and_are_not(ground: Ground, kind: str, has_length: bool) -> None:
    await ground.fault(kind)
    report = await ground.visitor.report(ground.key)
    assert report.status_code == 200 and report.content.startswith(b"%PDF")
    assert b"%%EOF" not in report.content
    assert ("content-length" in report.headers) is has_length


@pytest.mark.parametrize(("kind", "content_type"), [("html", "text/html"), ("html_as_pdf", "application/pdf")])
async def test_a_page_in_place_of_the_pdf(ground: Ground, kind: str, content_type: str) -> None:
    await ground.fault(kind)
    report = await ground.visitor.report(ground.key)
    assert report.status_code == 200 and report.headers["content-type"].startswith(content_type)
    assert b"<html" in report.content


@pytest.mark.parametrize("at", ["pdf", "create"])
async def test_another_vehicles_pdf(ground: Ground, at: str) -> None:
    await ground.fault("other_vehicle", at, match=ground.vehicle["reference"])
    text = pages_of((await ground.visitor.report(ground.key)).content)[0]
    assert ground.other["vin"] in text and ground.vehicle["vin"] not in text


async def test_a_report_as_a_scan_has_pages_and_no_text(ground: Ground) -> None:
    await ground.fault("scan")
    report = await ground.visitor.report(ground.key)
    assert pages_of(report.content) == [""]
    assert report.headers["content-disposition"] == 'inline; filename="report.pdf"'
    assert ground.vehicle["vin"] in pages_of((await ground.visitor.report(ground.key)).content)[0]
    await ground.portal.set(scans=True)
    assert pages_of((await ground.visitor.report(ground.key)).content) == [""]


async def test_a_report_with_a_script_is_the_right_one(ground: Ground) -> None:
    await ground.fault("javascript")
    report = (await ground.visitor.report(ground.key)).content
    assert ground.vehicle["vin"] in pages_of(report)[0]
    with pikepdf.open(io.BytesIO(report)) as pdf:
        assert str(pdf.Root.OpenAction.JS) == "app.alert(1)"


@pytest.mark.parametrize("told", ["reference", "vin"])
async def test_a_file_name_can_tell_the_vehicle(ground: Ground, told: str) -> None:
    await ground.portal.set(file_name=told)
    name = (await ground.visitor.report(ground.key)).headers["content-disposition"]
    assert ground.vehicle[told] in name


async def test_a_slow_drip_is_whole_in_the_end(ground: Ground) -> None:
    await ground.portal.set(drip_bytes_s=60_000)
    await ground.fault("slow_drip")
    assert ground.vehicle["vin"] in pages_of((await ground.visitor.report(ground.key)).content)[0]


async def test_a_redirect_to_another_origin_is_seen_by_the_ledger(ground: Ground) -> None:
    await ground.fault("redirect_origin")
    await ground.visitor.get(f"{GRID}Bookout/{ground.key}")
    address = (await ground.visitor.create(ground.key)).json()["address"]
    answer = await ground.visitor.get(address, follow_redirects=False)
    assert httpx.URL(answer.headers["location"]).host == "localhost"
    await ground.visitor.client.get(answer.headers["location"])
    ledger = await ground.portal.ledger()
    assert ledger["foreign_requests"] == 1 and ledger["foreign_with_cookie"] == 0


async def test_a_sign_in_page_in_place_leaves_the_session_alone(ground: Ground) -> None:
    await ground.fault("sign_in_page", "grid_page")
    assert "usernameInput" in (await ground.visitor.get(GRID)).text
    assert "StockNumberInput" in (await ground.visitor.get(GRID)).text


async def test_an_expiry_at_a_step(ground: Ground) -> None:
    await ground.fault("expire", "create")
    await ground.visitor.get(f"{GRID}Bookout/{ground.key}")
    assert (await ground.visitor.create(ground.key)).status_code == 401
    ledger = await ground.portal.ledger()
    assert ledger["expiries"] == 1 and ledger["open_sessions"] == 0


async def test_an_expiry_can_look_like_a_page_to_a_script(ground: Ground) -> None:
    await ground.portal.set(xhr_signed_out="redirect")
    await ground.fault("expire", "create")
    assert "usernameInput" in (await ground.visitor.create(ground.key)).text


async def test_the_license_again_in_mid_run(ground: Ground) -> None:
    await ground.fault("license", "vehicle")
    page = await ground.visitor.get(f"{GRID}Bookout/{ground.key}")
    assert "agreementCheckBox" in page.text
    again = await ground.visitor.submit(page, "#agreementForm", agreement="true")
    assert again.url.path == f"{GRID}Bookout/{ground.key}"


async def test_a_renewed_cookie(ground: Ground) -> None:
    await ground.portal.set(rotate_grace_s=0)
    before = ground.visitor.client.cookies[".ASPXAUTH"]
    await ground.fault("rotate_cookie", "home")
    await ground.visitor.get("/ValuesOnline/")
    assert ground.visitor.client.cookies[".ASPXAUTH"] != before
    assert "StockNumberInput" in (await ground.visitor.get(GRID)).text
    stale = {"Cookie": f"ASP.NET_SessionId={ground.visitor.client.cookies['ASP.NET_SessionId']}; .ASPXAUTH={before}"}
    async with httpx.AsyncClient(base_url=ground.portal.url, trust_env=False, headers=stale, timeout=60) as client:
        assert (await client.get(GRID)).status_code == 302


async def test_a_vehicle_that_is_gone(ground: Ground) -> None:
    await ground.fault("gone", "vehicle")
    answer = await ground.visitor.get(f"{GRID}Bookout/{ground.key}")
    assert answer.status_code == 404 and "no longer in your inventory" in answer.text


async def test_a_vehicle_that_is_gone_may_be_told_with_status_200(ground: Ground) -> None:
    await ground.fault("gone_softly")
    answer = await ground.visitor.get(f"{GRID}Bookout/{ground.key}")
    assert answer.status_code == 200 and "no longer in your inventory" in answer.text


async def test_a_row_that_never_appears(ground: Ground) -> None:
    await ground.fault("row_missing", "grid", match="165530A")
    assert len((await ground.visitor.grid("filter", "165538")).references) > 0
    view = await ground.visitor.grid("filter", "165530")
    assert view.references == ["165530"] and view.pager == "Page 1 of 1 (2 items)"


async def test_a_blocked_popup_is_told_to_the_pages_script(ground: Ground) -> None:
    await ground.fault("popup_blocked")
    assert (await ground.visitor.create(ground.key)).json()["blocked"] is True


async def test_a_hang_ends_with_the_client(ground: Ground) -> None:
    await ground.fault("hang", "pdf")
    asking = asyncio.ensure_future(ground.visitor.report(ground.key))
    while (await ground.portal.ledger())["in_flight"] == 0:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    while (await ground.portal.ledger())["in_flight"] != 0:
        await asyncio.sleep(0)


async def test_an_echo_gives_password_and_cookies_away(ground: Ground) -> None:
    await ground.fault("echo", "vehicle")
    page = await ground.visitor.get(f"{GRID}Bookout/{ground.key}")
    cookies = (await ground.portal.ledger())["cookies"]
    assert page.status_code == 200
    assert len(cookies) > 1
    assert all(cookie in page.text for cookie in cookies[-2:])
    assert "<title>Hello demo</title>" in page.text


async def test_a_hang_is_bounded(ground: Ground) -> None:
    await ground.portal.set(hang_s=0)
    await ground.fault("hang", "grid_page")
    with pytest.raises(httpx.TransportError):
        await ground.visitor.get(GRID)


async def test_an_answer_to_a_sign_in_can_come_late_to_a_session_that_is_open(
    start: StartPortal, visit: NewVisitor
) -> None:
    portal = await start(hang_s=600)
    visitor = await visit(portal)
    await portal.fault("late_answer")
    TESTED.add("late_answer")
    signing_in = asyncio.ensure_future(visitor.type_in())
    while (await portal.ledger())["open_sessions"] == 0:
        await asyncio.sleep(0)
    ledger = await portal.ledger()
    assert (ledger["sign_ins"], signing_in.done()) == (1, False)
    assert 0 <= time.time() - ledger["signed_in_at"] < 60
    signing_in.cancel()
    with pytest.raises(asyncio.CancelledError):
        await signing_in


async def test_faults_by_chance_are_counted(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start(fault_rate={"error_500@vehicle": 1.0})
    visitor = await visit(portal)
    await visitor.sign_in()
    key = (await portal.inventory())[0]["key"]
    assert (await visitor.get(f"{GRID}Bookout/{key}")).status_code == 500
    await portal.set(fault_rate={})
    assert (await visitor.get(f"{GRID}Bookout/{key}")).status_code == 200
    with pytest.raises(ValueError, match="fault"):
        await portal.set(fault_rate={"nonsense": 1.0})


def test_no_fault_is_without_a_test(request: pytest.FixtureRequest) -> None:
    ran = {getattr(item, "originalname", "") for item in request.session.items if item.path == request.path}
    if not {name for name in globals() if name.startswith("test_")} <= ran:
        pytest.skip("only where the whole file ran")
    assert set(KINDS) == TESTED
