"""The site `jdpower` over HTTP, without a browser."""

from __future__ import annotations

import csv
import io
import re

import pytest

from .conftest import NewVisitor, StartPortal
from .test_report_pdf import pages_of
from .visitor import BY_SCRIPT, GRID, SIGN_IN, read_grid


async def test_a_whole_visit_is_in_the_ledger(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start()
    visitor = await visit(portal)
    home = await visitor.sign_in()
    assert home.url.path == "/ValuesOnline/" and "href='/ValuesOnline/vehicle/'" in home.text
    truth = (await portal.inventory())[1]
    report = await visitor.report(truth["key"])
    assert report.headers["content-type"] == "application/pdf"
    assert int(report.headers["content-length"]) == len(report.content)
    assert truth["reference"] in pages_of(report.content)[0]
    assert "usernameInput" in (await visitor.sign_out()).text
    ledger = await portal.ledger()
    assert (ledger["sign_ins"], ledger["sign_outs"], ledger["license_accepted"], ledger["open_sessions"]) == (
        1,
        1,
        1,
        0,
    )
    assert ledger["vehicle_opens"] == {"165530A": 1}
    assert ledger["reports_created"] == ledger["reports_asked"] == {truth["vin"]: 1}
    assert ledger["references"] == {truth["vin"]: "165530A"}
    assert ledger["peak_in_flight"] == 1 and ledger["in_flight"] == 0


async def test_signed_out_every_page_leads_to_the_sign_in(start: StartPortal, visit: NewVisitor) -> None:
    visitor = await visit(await start())
    for address in (
        "/ValuesOnline/",
        GRID,
        f"{GRID}Bookout/x",
        f"{GRID}ExportCsv",
        "/ValuesOnline/Report/GetPdfReport",
    ):
        answer = await visitor.get(address, follow_redirects=False)
        assert answer.status_code == 302
        assert answer.headers["location"].startswith("/ValuesOnline/Home/LicenseAgreement?ReturnUrl=/ValuesOnline/")
    assert (await visitor.create("x")).status_code == 401


async def test_pages_wait_for_the_license(start: StartPortal, visit: NewVisitor) -> None:
    visitor = await visit(await start())
    await visitor.type_in()
    page = await visitor.get(GRID)
    assert "agreementCheckBox" in page.text
    assert (await visitor.submit(page, "#agreementForm", agreement="true")).url.path == GRID


@pytest.mark.parametrize(("rule", "asked"), [("each", True), ("once", False), ("never", False)])
async def test_the_license_is_asked_for_again_as_the_rule_says(
    start: StartPortal, visit: NewVisitor, rule: str, asked: bool
) -> None:
    visitor = await visit(await start(license=rule))
    if rule == "never":
        await visitor.type_in()
    else:
        await visitor.sign_in()
    await visitor.sign_out()
    assert ("agreementCheckBox" in (await visitor.type_in()).text) is asked


async def test_a_refused_sign_in_shows_the_form_again(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start(max_bad_passwords=2)
    visitor = await visit(portal)
    page = await visitor.type_in(password="wrong")
    assert "usernameInput" in page.text and "incorrect" in page.text
    assert "has been locked" in (await visitor.type_in(password="wrong")).text
    assert (await portal.ledger())["refused"] == {"bad_password": 1, "locked": 1}


@pytest.mark.parametrize(
    ("account", "text"),
    [
        ("second_factor", "Enter the code we sent you"),
        ("expired_password", "password has expired"),
        ("locked", "locked"),
    ],
)
async def test_an_account_can_be_stopped_after_its_sign_in(
    start: StartPortal, visit: NewVisitor, account: str, text: str
) -> None:
    portal = await start(account=account)
    visitor = await visit(portal)
    assert text in (await visitor.type_in()).text
    assert "DXDataRow" not in (await visitor.get(GRID)).text
    assert (await portal.ledger())["open_sessions"] == 0


async def test_a_second_sign_in_is_refused_until_the_first_signs_out(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start()
    first, second = await visit(portal), await visit(portal)
    await first.sign_in()
    assert re.search("active session", (await second.type_in()).text, re.IGNORECASE)
    await first.sign_out()
    await second.sign_in()
    assert (await portal.ledger())["refused"] == {"in_use": 1}


async def test_without_a_sign_out_the_account_is_free_after_the_lock_out(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start()
    first, second = await visit(portal), await visit(portal)
    await first.sign_in()
    await portal.set(lockout_s=0)
    await second.sign_in()
    assert "usernameInput" in (await first.get(GRID)).text
    assert (await portal.ledger())["open_sessions"] == 1


async def test_an_expiry_ends_the_session_and_frees_the_account(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start()
    first, second = await visit(portal), await visit(portal)
    await first.sign_in()
    assert await portal.expire() == 1
    assert "usernameInput" in (await first.get("/ValuesOnline/")).text
    await second.sign_in()


async def test_a_form_without_its_token_is_refused(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start()
    visitor = await visit(portal)
    answer = await visitor.client.post(SIGN_IN, data={"UserName": "demo", "Password": "demo"})
    assert answer.status_code == 400
    assert (await portal.ledger())["sign_ins"] == 0


async def test_the_grid_is_walked_page_by_page(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start()
    visitor = await visit(portal)
    await visitor.sign_in()
    assert "DXDataRow" not in (await visitor.get(GRID)).text
    seen, view = [], await visitor.grid()
    assert view.pager == "Page 1 of 3 (45 items)"
    while True:
        seen += view.references
        if view.next_tag != "a":
            break
        view = await visitor.grid("next")
    assert view.pager == "Page 3 of 3 (45 items)"
    assert seen == [vehicle["reference"] for vehicle in await portal.inventory()]


async def test_filter_and_page_live_in_the_session(start: StartPortal, visit: NewVisitor) -> None:
    visitor = await visit(await start(header="nested"))
    await visitor.sign_in()
    assert "ShowFilterControl" in (await visitor.grid("page", "2")).filter_bar
    assert (await visitor.grid()).pager == "Page 3 of 3 (45 items)"
    filtered = await visitor.grid("filter", "165530")
    assert filtered.references == ["165530", "165530A"] and "ClearFilter" in filtered.filter_bar
    await visitor.get("/ValuesOnline/")
    assert (await visitor.grid()).references == ["165530", "165530A"]
    assert (await visitor.grid("clear")).pager == "Page 1 of 3 (45 items)"


async def test_a_pager_may_show_for_several_pages_of_rows_only(start: StartPortal, visit: NewVisitor) -> None:
    visitor = await visit(await start(pager="several"))
    await visitor.sign_in()
    assert (await visitor.grid()).pager == "Page 1 of 3 (45 items)"
    for text, rows in (("165530", ["165530", "165530A"]), ("no such", [])):
        view = await visitor.grid("filter", text)
        assert (view.references, view.pager) == (rows, "")
        assert "ClearFilter" in view.filter_bar


async def test_script_links_open_what_the_session_shows_now(start: StartPortal, visit: NewVisitor) -> None:
    visitor = await visit(await start(links="script"))
    await visitor.sign_in()
    page = await visitor.get(GRID)
    assert (await visitor.grid("filter", "165530A")).links == ["javascript:void(0)"]
    opened = await visitor.submit(page, "#rowForm", row="0")
    assert opened.url.path == f"{GRID}Bookout" and "165530A" in opened.text
    # Another tab clears the filter: the same row is now another vehicle.
    await visitor.grid("clear")
    assert "165530A" not in (await visitor.submit(page, "#rowForm", row="0")).text


async def test_a_report_is_bound_as_the_option_says(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start(bound="session")
    visitor = await visit(portal)
    await visitor.sign_in()
    first, second = (await portal.inventory())[3:5]
    for vehicle in (first, second):
        await visitor.get(f"{GRID}Bookout/{vehicle['key']}")
    for bound, meant in (("session", second), ("page", first)):
        await portal.set(bound=bound)
        address = (await visitor.create(first["key"])).json()["address"]
        assert meant["vin"] in pages_of((await visitor.get(address)).content)[0]


async def test_the_export_is_an_attachment_of_the_whole_lot(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start()
    visitor = await visit(portal)
    await visitor.sign_in()
    await visitor.grid("filter", "165530")
    answer = await visitor.get(f"{GRID}ExportCsv")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert len(list(csv.DictReader(io.StringIO(answer.text, newline="")))) == 45
    await portal.set(export_filtered=True)
    assert len((await visitor.get(f"{GRID}ExportCsv")).text.splitlines()) == 3


async def test_a_sign_out_link_works_only_where_it_is_one(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start()
    visitor = await visit(portal)
    await visitor.sign_in()
    assert (await visitor.get("/ValuesOnline/Home/LogOff")).status_code == 405
    await portal.set(logout="link")
    assert 'id="btnLogout" href="/ValuesOnline/Home/LogOff"' in (await visitor.get("/ValuesOnline/")).text
    assert "usernameInput" in (await visitor.get("/ValuesOnline/Home/LogOff")).text
    assert (await portal.ledger())["sign_outs"] == 1


async def test_too_many_reports_a_minute_are_refused(start: StartPortal, visit: NewVisitor) -> None:
    portal = await start(creates_per_minute=1, retry_after_s=9)
    visitor = await visit(portal)
    await visitor.sign_in()
    key = (await portal.inventory())[0]["key"]
    assert (await visitor.create(key)).status_code == 200
    refused = await visitor.create(key)
    assert refused.status_code == 429 and refused.headers["retry-after"] == "9"


async def test_a_changed_lot_shows_at_once_and_a_portal_that_is_down_shows_nothing(
    start: StartPortal, visit: NewVisitor
) -> None:
    portal = await start()
    visitor = await visit(portal)
    await visitor.sign_in()
    gone = (await portal.inventory())[0]
    await portal.change_lot(remove=["165530"], add=1)
    assert (await visitor.grid("filter", "165530")).references == ["165530A"]
    assert (await visitor.get(f"{GRID}Bookout/{gone['key']}")).status_code == 404
    await portal.set(down=True)
    assert (await visitor.get(GRID)).status_code == 503


async def test_an_empty_lot_has_a_pager_and_no_rows(start: StartPortal, visit: NewVisitor) -> None:
    visitor = await visit(await start(vehicles=0))
    await visitor.sign_in()
    view = await visitor.grid()
    assert view.references == [] and view.pager == "Page 1 of 1 (0 items)"


async def test_hostile_references_are_shown_as_text(start: StartPortal, visit: NewVisitor) -> None:
    visitor = await visit(await start(references=("<script>alert(1)</script>", "A&B")))
    await visitor.sign_in()
    body = {"command": "load"}
    answer = await visitor.client.post(f"{GRID}VehicleGridViewPartial", data=body, headers=BY_SCRIPT)
    assert "<script" not in answer.text
    assert read_grid(answer.text).references[2:4] == ["<script>alert(1)</script>", "A&B"]
