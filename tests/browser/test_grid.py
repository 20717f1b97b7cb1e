"""The inventory's grid, in the shapes that tables on the web have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page

from jdp_scraper.errors import PortalAnswered, PortalChanged, SessionExpired, StepTimeout, VehicleNotListed
from jdp_scraper.portal.grid import GridPage, GridView, Pager
from jdp_scraper.portal.profile import SiteProfile
from jdp_scraper.portal.site import Site
from jdp_scraper.vehicle import Vehicle

from ..unit.portal.profiles import table_of
from .server import SmallSite

STEP_S = 60.0
ROWS = (("165530", "VIN1"), ("165530A", "VIN2"), ("7", "VIN3"))


def grid_of(page: Page, site: SmallSite, **grid: Any) -> GridPage:
    """Return the grid at ``/lot`` of a small site, read by the rules given."""
    table = table_of("plain")
    rule = {
        "row": "tr.row",
        "reference": {"header": "Ref"},
        "vin": {"header": "VIN"},
        "link": "a",
        "state": "page",
    }
    table["inventory"] = {"address": "/lot", "grid": rule | grid}
    table["license"] = {"checkbox": "#agree", "accepted": "a.in"}
    return GridPage(page, Site(SiteProfile.model_validate(table), site.origin), STEP_S)


async def read(grid: GridPage) -> GridView:
    async for view in grid.walk():
        return view
    raise AssertionError("a walk has at least one page of rows")


def told(view: GridView) -> list[tuple[str, str | None]]:
    return [(row.vehicle.reference, row.vehicle.vin) for row in view.rows]


def cells(reference: str, vin: str) -> str:
    return f"<td><a href='/lot/{reference}'>open</a></td><td>\n {reference} </td><td>{vin.lower()}</td>"


def rows(*vehicles: tuple[str, str]) -> str:
    return "".join(f"<tr class=row>{cells(*vehicle)}</tr>" for vehicle in vehicles or ROWS)


PLAIN = f"<table><thead><tr><th></th><th>Ref</th><th>VIN</th></tr></thead><tbody>{rows()}</tbody></table>"
NESTED_HEAD = (
    "<tr><td class=head></td>"
    "<td class=head><table><tr><td> Ref </td><td class=sort></td></tr></table></td>"
    "<td class=head><table><tr><td>VIN</td><td class=sort><img></td></tr></table></td></tr>"
)
SHAPES = {
    "head and body": PLAIN,
    "header cells of a data row's kind": f"<table><tr><td></td><td>REF</td><td>VIN</td></tr>{rows()}</table>".replace(
        "REF", "Ref"
    ),
    "a table in each header cell": f"<table>{NESTED_HEAD}{rows()}</table>",
    "a frame around the table": f"<table><tr><td><table>{NESTED_HEAD}{rows()}</table></td></tr></table>",
    "headers in a table of their own": (
        f"<table><tr><th></th><th>Ref</th><th>VIN</th></tr></table><div><table>{rows()}</table></div>"
    ),
    "headers in a table of their own, nested": f"<table>{NESTED_HEAD}</table><div><table>{rows()}</table></div>",
    "a header over two columns before": (
        f"<table><tr><th colspan=1></th><th>Ref</th><th>VIN</th></tr>{rows()}</table>"
    ),
    "a title row above": (
        f"<table><tr><th colspan=3>Inventory</th></tr><tr><th></th><th>Ref</th><th>VIN</th></tr>{rows()}</table>"
    ),
    "another table with the same header": f"{PLAIN}<table><tr><th>Ref</th></tr><tr><td>9</td></tr></table>",
    "another table with the same header before": f"<table><tr><th>Ref</th></tr><tr><td>9</td></tr></table>{PLAIN}",
    "the header's word in a cell": PLAIN.replace("</tbody>", "</tbody><tfoot><tr><td>Ref</td></tr></tfoot>"),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_rows_are_read_by_their_headers(shape: str, page: Page, site: SmallSite) -> None:
    site.html("/lot", SHAPES[shape])
    grid = grid_of(page, site)
    await grid.open()
    view = await read(grid)
    assert told(view) == list(ROWS)
    assert [row.link for row in view.rows] == [site.url(f"/lot/{reference}") for reference, _ in ROWS]


async def test_a_header_over_several_columns_moves_what_stands_behind_it(page: Page, site: SmallSite) -> None:
    site.html(
        "/lot",
        "<table><tr><th colspan=2>Do</th><th>Ref</th><th>VIN</th></tr>"
        "<tr class=row><td><a href=/lot/7>o</a></td><td>-</td><td>7</td><td>V</td></tr></table>",
    )
    grid = grid_of(page, site)
    await grid.open()
    assert told(await read(grid)) == [("7", "V")]


async def test_cells_may_be_found_by_a_selector_and_cut_out_by_a_pattern(page: Page, site: SmallSite) -> None:
    site.html("/lot", "<div class=row><b>Stock 7A (new)</b><i>2021 Kia Rio</i><a href='x/7'>o</a></div>")
    grid = grid_of(
        page,
        site,
        row="div.row",
        reference={"css": "b", "pattern": r"Stock (\w+)"},
        vin=None,
        year={"css": "i", "pattern": r"^(\d{4})"},
        make={"css": "i", "pattern": r"^\d{4} (\S+)"},
        mileage={"css": "u"},
    )
    await grid.open()
    view = await read(grid)
    assert [row.vehicle for row in view.rows] == [Vehicle("7A", year=2021, make="Kia")]
    assert view.rows[0].link == site.url("/x/7")


@pytest.mark.parametrize("href", ["#", "javascript:void(0)", " JavaScript:open(7)", None])
async def test_a_link_that_leads_nowhere_has_no_address(href: str | None, page: Page, site: SmallSite) -> None:
    link = "<a>o</a>" if href is None else f"<a href='{href}'>o</a>"
    site.html("/lot", f"<table><tr><th>Ref</th></tr><tr class=row><td>7{link}</td></tr></table>")
    grid = grid_of(page, site, reference={"css": "td", "pattern": r"(\d)"}, vin=None)
    await grid.open()
    assert (await read(grid)).rows[0].link is None


async def test_a_missing_header_is_told_by_its_name(page: Page, site: SmallSite) -> None:
    site.html("/lot", PLAIN.replace("Ref", "Stock"))
    grid = grid_of(page, site)
    await grid.open()
    with pytest.raises(PortalChanged, match="no column 'Ref'"):
        await read(grid)


async def test_a_column_that_need_not_be_there_is_not_told(page: Page, site: SmallSite) -> None:
    site.html("/lot", PLAIN.replace("<th>VIN", "<th>Other"))
    grid = grid_of(page, site)
    await grid.open()
    assert [vin for _, vin in told(await read(grid))] == [None, None, None]


async def test_rows_without_a_reference_are_counted_and_left_out(page: Page, site: SmallSite) -> None:
    site.html(
        "/lot", f"<table><tr><th></th><th>Ref</th><th>VIN</th></tr>{rows(('', 'V'), ('7', 'W'), ('', 'X'))}</table>"
    )
    grid = grid_of(page, site)
    await grid.open()
    view = await read(grid)
    assert (told(view), view.blank) == ([("7", "W")], 2)


async def test_rows_that_are_drawn_late_are_waited_for(page: Page, site: SmallSite) -> None:
    site.html("/lot", f"<div id=g></div><script>setTimeout(() => {{ g.innerHTML = `{PLAIN}` }}, 100)</script>")
    grid = grid_of(page, site)
    await grid.open()
    assert told(await read(grid)) == list(ROWS)


@pytest.mark.parametrize("how", ["empty", "pager"])
async def test_a_grid_that_says_it_is_empty_is_read_at_once(how: str, page: Page, site: SmallSite) -> None:
    site.html("/lot", "<p class=none>No data</p><p>Page 1 of 1 (0 items)</p>")
    rule: dict[str, Any] = {"empty": ".none"} if how == "empty" else {"pager": r"\((?P<items>\d+) items\)"}
    grid = grid_of(page, site, **rule)
    await grid.open()
    async with asyncio.timeout(STEP_S / 2):
        assert (await read(grid)).rows == ()


async def test_a_grid_that_shows_nothing_ends_in_a_timeout(
    page: Page, site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jdp_scraper.portal.in_page._GRACE_S", STEP_S)  # the script itself is to tell what is missing
    site.html("/lot", "<p>loading ...")
    grid = grid_of(page, site)
    await grid.open()
    grid._seconds = 0.3
    with pytest.raises(StepTimeout, match=r"not shown: tr\.row"):
        await read(grid)


BARRIERS = {"a sign-in": "<form><input name=password type=password></form>", "its license": "<input id=agree>"}


@pytest.mark.parametrize("barrier", BARRIERS)
async def test_a_grid_that_asks_for_a_sign_in_or_its_license_is_told(barrier: str, page: Page, site: SmallSite) -> None:
    site.html("/lot", BARRIERS[barrier])
    with pytest.raises(SessionExpired, match=barrier):
        await grid_of(page, site).open()


async def test_a_grid_that_answers_with_an_error_is_told(page: Page, site: SmallSite) -> None:
    site.html("/lot", "no", status=503)
    with pytest.raises(PortalAnswered, match="503"):
        await grid_of(page, site).open()


# -- pages of rows -----------------------------------------------------------------------------------------------------

MANY = [(str(number), f"V{number}") for number in range(1, 8)]
PAGER = r"Page (?P<page>\d+) of (?P<pages>\d+) \((?P<items>\d+) items\)"


def part(number: int, size: int = 3) -> Sequence[tuple[str, str]]:
    return MANY[(number - 1) * size : number * size]


async def walked(grid: GridPage) -> AsyncIterator[list[str]]:
    await grid.open()
    async for view in grid.walk():
        yield [reference for reference, _ in told(view)]


async def served(request: web.Request) -> web.StreamResponse:
    """Three rows a page, the number in the address; past the last page there is an empty table."""
    number = int(request.query.get("page", "1"))
    more = f"<a class=more href='/lot?page={number + 1}'>Next</a>" if number < 3 else "<b class=more>Next</b>"
    table = f"<table><tr><th></th><th>Ref</th><th>VIN</th></tr>{rows(*part(number)) if part(number) else ''}</table>"
    return web.Response(text=f"{table}<p>Page {number} of 3 (7 items)</p>{more}", content_type="text/html")


@pytest.mark.parametrize(
    "rule",
    [
        {"next": "a.more", "pager": PAGER},
        {"next": {"css": "a", "text": "next"}},
        {"pages": "/lot?page={page}", "pager": PAGER},
        {"pages": "/lot?page={page}"},
    ],
    ids=["link", "link by its text", "address", "address without a pager"],
)
async def test_a_walk_sees_every_row_once(rule: dict[str, Any], page: Page, site: SmallSite) -> None:
    site.pages["/lot"] = served
    pages = [one async for one in walked(grid_of(page, site, **rule))]
    assert pages == [["1", "2", "3"], ["4", "5", "6"], ["7"]]


async def test_a_page_of_rows_tells_its_pager_and_whether_there_is_more(page: Page, site: SmallSite) -> None:
    site.pages["/lot"] = served
    grid = grid_of(page, site, next="a.more", pager=PAGER)
    await grid.open()
    views = [view async for view in grid.walk()]
    assert [(view.pager, view.has_next) for view in views] == [
        (Pager(1, 3, 7), True),
        (Pager(2, 3, 7), True),
        (Pager(3, 3, 7), False),
    ]


@pytest.mark.parametrize("told", [True, False], ids=["pager", "no pager"])
@pytest.mark.parametrize("way", ["next", "pages"])
async def test_pages_of_rows_without_a_reference_are_walked_on(
    way: str, told: bool, page: Page, site: SmallSite
) -> None:
    all_rows = [("1", "V1"), *(("", f"V{number}") for number in range(2, 7)), ("7", "V7")]

    async def lot(request: web.Request) -> web.StreamResponse:
        number = min(int(request.query.get("page", "1")), 4)
        body = rows(*all_rows[(number - 1) * 2 : number * 2])
        table = f"<table><tr><th></th><th>Ref</th><th>VIN</th></tr>{body}</table><p>Page {number} of 4 (7 items)</p>"
        more = f"<a class=more href='/lot?page={number + 1}'>Next</a>"  # it stays on the last page, and leads nowhere
        return web.Response(text=table + more, content_type="text/html")

    site.pages["/lot"] = lot
    rule: dict[str, Any] = {"next": "a.more"} if way == "next" else {"pages": "/lot?page={page}"}
    grid = grid_of(page, site, **rule | ({"pager": PAGER} if told else {}))
    await grid.open()
    assert [(len(view.rows), view.blank) async for view in grid.walk()] == [(1, 1), (0, 2), (0, 2), (1, 0)]


@pytest.mark.parametrize(("pager", "seen"), [(PAGER, 3), (r"Page (?P<page>\d+)", 1), (None, 1)])
async def test_rows_that_look_alike_are_told_apart_by_the_pager_s_number_as_far_as_there_are_pages(
    pager: str | None, seen: int, page: Page, site: SmallSite
) -> None:
    async def lot(request: web.Request) -> web.StreamResponse:
        number = int(request.query.get("page", "1"))
        table = "<table><tr><th>Ref</th></tr><tr class=row><td> </td></tr></table>"
        more = f"<p>Page {number} of 3 (3 items)</p><a class=more href='/lot?page={number + 1}'>Next</a>"
        return web.Response(text=table + more, content_type="text/html")

    site.pages["/lot"] = lot
    grid = grid_of(page, site, next="a.more", pager=pager, vin=None)
    await grid.open()
    assert len([view async for view in grid.walk()]) == seen


BY_SCRIPT = """
<div id=bar></div><input id=f><div id=grid></div>
<script>
  const all = %s, size = 3;
  let page = %d, filter = "%s";
  const draw = (late) => setTimeout((page, filter) => {
    const fit = all.filter((one) => one[0].includes(filter));
    const rows = fit.slice((page - 1) * size, page * size).map(([reference, vin]) =>
      `<tr class=row><td><a href='#' onclick="open_('${reference}')">o</a></td>` +
      `<td>${reference}</td><td>${vin}</td></tr>`);
    const pages = Math.max(1, Math.ceil(fit.length / size));
    grid.innerHTML = `<table><tr><th></th><th>Ref</th><th>VIN</th></tr>${rows.join("")}</table>` +
      (pages < %d ? "" : `<p>Page ${page} of ${pages} (${fit.length} items)</p>`) +
      (page < pages ? "<a class=more href='#' onclick='page++; draw(30)'>Next</a>" : "<b>Next</b>");
    bar.innerHTML = filter ? "<a class=clear href='#' onclick='set(\\"\\")'>Clear</a>" : "";
  }, late, page, filter);
  const set = (value) => { filter = value; page = 1; draw(%d); };
  const open_ = (reference) => { location.href = "/lot/" + reference; };
  f.addEventListener("change", () => set(f.value));
  draw(%d);
</script>
"""


def by_script(
    site: SmallSite,
    number: int = 1,
    filtered: str = "",
    *,
    vehicles: Sequence[tuple[str, str]] = MANY,
    pager_from: int = 1,
    first_after_ms: int = 0,
    filter_after_ms: int = 30,
    more: str = "",
) -> None:
    """Serve a grid that is drawn by a script, each answer some time after it was asked for.

    The pager shows from so many pages of rows on.
    """
    listed = [list(one) for one in vehicles]
    drawn = BY_SCRIPT % (listed, number, filtered, pager_from, filter_after_ms, first_after_ms)
    site.html("/lot", drawn + more)


@pytest.mark.parametrize("barrier", BARRIERS)
@pytest.mark.parametrize("way", ["another page", "in place of the rows", "beside the rows"])
async def test_what_the_portal_asks_for_in_the_middle_is_told_at_once(
    way: str, barrier: str, page: Page, site: SmallSite
) -> None:
    shown = BARRIERS[barrier]
    site.html("/in", shown)
    more = "<a class=more href='%s'>Next</a><div id=late hidden></div>"
    if way == "another page":
        site.html("/lot", PLAIN + more % "/in")
    elif way == "in place of the rows":
        site.html("/lot", f"<div id=g>{PLAIN}</div>" + more % f'javascript:g.innerHTML="{shown}";void 0')
    else:
        site.html("/lot", PLAIN + more % f'javascript:late.innerHTML="{shown}";late.hidden=false;void 0')
    grid = grid_of(page, site, next="a.more")
    await grid.open()
    async with asyncio.timeout(STEP_S / 2):
        walk = grid.walk()
        assert told(await anext(walk)) == list(ROWS)
        with pytest.raises(SessionExpired, match=barrier):
            await anext(walk)


FILTERED = {"filter": {"input": "#f", "clear": "a.clear"}, "next": "a.more", "pager": PAGER}


@pytest.fixture(params=[1, 2], ids=["pager", "pager for several pages"])
def pager_from(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


async def test_a_walk_goes_on_by_script(pager_from: int, page: Page, site: SmallSite) -> None:
    by_script(site, pager_from=pager_from)
    pages = [one async for one in walked(grid_of(page, site, **FILTERED))]
    assert pages == [["1", "2", "3"], ["4", "5", "6"], ["7"]]


@pytest.mark.parametrize(("number", "filtered"), [(1, "7"), (3, ""), (1, "nothing like it")])
async def test_a_filter_and_a_page_number_left_on_are_cleared(
    number: int, filtered: str, pager_from: int, page: Page, site: SmallSite
) -> None:
    by_script(site, number, filtered, pager_from=pager_from)
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    async with asyncio.timeout(STEP_S / 2):
        await grid.clear()
        view = await read(grid)
    assert ([reference for reference, _ in told(view)], view.filtered) == (["1", "2", "3"], False)


async def test_rows_of_a_filter_that_are_drawn_late_are_not_taken_for_all_rows(page: Page, site: SmallSite) -> None:
    bar = """<script>bar.innerHTML = "<a class=clear href='#' onclick='set(\\"\\")'>Clear</a>"</script>"""
    by_script(site, filtered="7", pager_from=2, first_after_ms=2500, filter_after_ms=1500, more=bar)
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    await grid.clear()
    assert [reference for reference, _ in told(await read(grid))] == ["1", "2", "3"]


async def test_a_row_is_found_by_the_filter_and_opened_in_this_tab(
    pager_from: int, page: Page, site: SmallSite
) -> None:
    by_script(site, pager_from=pager_from)
    site.html("/lot/6", "<p>six")
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    vehicle = Vehicle("6", "V6")
    await grid.click_row(await grid.find(vehicle), vehicle)
    await page.wait_for_url(site.url("/lot/6"))


async def test_what_the_filter_does_not_show_is_not_listed(pager_from: int, page: Page, site: SmallSite) -> None:
    by_script(site, pager_from=pager_from)
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    async with asyncio.timeout(STEP_S / 2):
        for vehicle in (Vehicle("8"), Vehicle("6", "V7"), Vehicle("8 9"), Vehicle("8")):
            with pytest.raises(VehicleNotListed):
                await grid.find(vehicle)
        assert await grid.find(Vehicle("6")) == 0


async def test_two_that_are_not_listed_one_after_the_other_are_told_alike(
    pager_from: int, page: Page, site: SmallSite
) -> None:
    by_script(site, pager_from=pager_from)
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    for reference in ("8", "9"):
        with pytest.raises(VehicleNotListed):
            await grid.find(Vehicle(reference))


async def test_a_filter_that_shows_nothing_is_not_left_on(pager_from: int, page: Page, site: SmallSite) -> None:
    by_script(site, pager_from=pager_from)
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    assert [view async for view in grid.filtered("8")] == []
    assert not (await read(grid)).filtered


@pytest.mark.parametrize("clear", ["a.clear", None])
async def test_a_vehicle_is_found_whatever_filter_was_left_on(
    clear: str | None, pager_from: int, page: Page, site: SmallSite
) -> None:
    by_script(site, filtered="nothing like it", pager_from=pager_from)
    grid = grid_of(page, site, **FILTERED | {"filter": {"input": "#f", "clear": clear}})
    await grid.open()
    grid._seconds = STEP_S if clear else 2
    assert await grid.find(Vehicle("6")) == 0


async def test_a_filter_that_only_the_field_can_end_is_ended(pager_from: int, page: Page, site: SmallSite) -> None:
    by_script(site, filtered="nothing like it", pager_from=pager_from)
    grid = grid_of(page, site, **FILTERED | {"filter": {"input": "#f"}})
    await grid.open()
    grid._seconds = 2
    await grid.clear()
    if pager_from > 1:  # else the pager tells of no row, and there is no filter as far as the profile can tell
        assert [reference for reference, _ in told(await read(grid))] == ["1", "2", "3"]


async def test_a_grid_that_is_never_quiet_is_cleared_all_the_same(page: Page, site: SmallSite) -> None:
    clock = "<p id=clock></p><script>setInterval(() => { clock.innerHTML = Date.now() }, 50)</script>"
    by_script(site, filtered="nothing like it", pager_from=2, more=clock)
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    grid._seconds = 2
    await grid.clear()
    assert [reference for reference, _ in told(await read(grid))] == ["1", "2", "3"]


async def test_rows_that_come_late_behind_a_filter_are_waited_for_where_a_pager_tells_of_them(
    page: Page, site: SmallSite
) -> None:
    late = f"<div id=g></div><script>setTimeout(() => {{ g.innerHTML = `{PLAIN}` }}, 2500)</script>"
    site.html("/lot", f"<p>Page 1 of 1 (3 items)</p><a class=clear href='#'>Clear</a><input id=f>{late}")
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    assert told(await grid._read_filtered()) == list(ROWS)


async def test_a_filter_shows_what_contains_it_and_the_whole_reference_is_compared(
    pager_from: int, page: Page, site: SmallSite
) -> None:
    by_script(site, vehicles=[("165530A", "VIN2"), ("165530", "VIN1"), ("165530", "VIN9")], pager_from=pager_from)
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    assert await grid.find(Vehicle("165530", "VIN1")) == 1
    assert await grid.find(Vehicle("165530", "VIN9")) == 2
    assert await grid.find(Vehicle("165530"), skip=1) == 2
    with pytest.raises(VehicleNotListed):
        await grid.find(Vehicle("165530", "VIN1"), skip=1)


async def test_the_grid_s_first_rows_are_not_taken_for_the_filter_s(
    pager_from: int, page: Page, site: SmallSite
) -> None:
    by_script(site, first_after_ms=300, filter_after_ms=600, pager_from=pager_from)
    grid = grid_of(page, site, **FILTERED)
    await grid.open()
    assert await grid.find(Vehicle("6")) == 0


async def test_a_grid_without_a_filter_cannot_find(page: Page, site: SmallSite) -> None:
    site.html("/lot", PLAIN)
    grid = grid_of(page, site)
    await grid.open()
    with pytest.raises(PortalChanged, match="no filter"):
        await grid.find(Vehicle("7"))
