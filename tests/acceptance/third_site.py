"""A web site that the program has never seen: Harbour Motors, described to it by ``third_site.toml`` alone.

The form has a token in a hidden field, the account one session at a time. The lot is a table over pages by address, its
references are 1 to 75, and a vehicle's report is a plain link to a PDF full of numbers that look like references.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO

from aiohttp import web
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

USER, PASSWORD = "harbour", "lights & 7 ropes"
UNITS = 75
ROWS = 20
MODELS = ("Honda Civic", "Mazda 3", "Peugeot 208", "Ford Focus", "Volvo V60")


@dataclass(frozen=True)
class Unit:
    """A vehicle on the lot."""

    number: int

    @property
    def vin(self) -> str:
        return f"WHB{self.number * 7919 % 1000:03}HM7{self.number * 104729 % 10**8:08}"

    @property
    def year(self) -> int:
        return 2000 + self.number % 25

    @property
    def model(self) -> str:
        return MODELS[self.number % len(MODELS)]

    @property
    def mileage(self) -> int:
        """Of every third unit it is the reference of another one."""
        return UNITS + 1 - self.number if self.number % 3 == 0 else self.number * 1037

    @property
    def neighbours(self) -> list[int]:
        return [(self.number + step) % UNITS + 1 for step in (9, 49, 73)]


@dataclass
class ThirdSite:
    """The site, and the count of what was asked of it."""

    sign_ins: int = 0
    sign_outs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    reports: Counter[int] = field(default_factory=Counter)
    units: dict[int, Unit] = field(default_factory=lambda: {number: Unit(number) for number in range(1, UNITS + 1)})
    # The one session that is open, and the tokens of the forms that were handed out, each by its visitor.
    session: str | None = None
    tokens: dict[str, str] = field(default_factory=dict)
    # Addresses that tell nothing of whose report it is.
    papers: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        self.papers = {number: f"{secrets.token_hex(6)}.pdf" for number in self.units}

    @asynccontextmanager
    async def served(self, port: int = 0) -> AsyncIterator[str]:
        """Serve it on this machine; gives its origin."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/", self.home),
                web.get("/account/enter", self.form),
                web.post("/account/enter", self.enter),
                web.get("/account/leave", self.leave),
                web.get("/lot", self.lot),
                web.get("/lot/unit", self.unit),
                web.get("/papers/{name}", self.paper),
            ]
        )
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    # --- the account -------------------------------------------------------------------------------------------------

    async def form(self, request: web.Request) -> web.Response:
        if self.signed_in(request):
            raise web.HTTPSeeOther("/")
        return self.form_page("")

    def form_page(self, complaint: str, status: int = 200) -> web.Response:
        visitor, token = secrets.token_hex(8), secrets.token_hex(16)
        self.tokens[visitor] = token
        response = html(
            "Harbour Motors: who goes there?",
            f"""<p class="complaint">{complaint}</p>
            <form action="/account/enter" method="post">
              <input type="hidden" name="_token" value="{token}">
              <label>Member <input id="member" name="member" autocomplete="off"></label>
              <label>Watchword <input id="watchword" name="watchword" type="password"></label>
              <button id="board">Come on board</button>
            </form>
            <p>1 member, 1 session. Questions? Call extension 75.</p>""",
            status,
        )
        response.set_cookie("visitor", visitor, httponly=True, samesite="Lax")
        return response

    async def enter(self, request: web.Request) -> web.Response:
        sent = await request.post()
        token = self.tokens.pop(request.cookies.get("visitor", ""), None)
        if token is None or sent.get("_token") != token:
            self.refused["token"] += 1
            return html("Harbour Motors: no", "<p>This form is no longer good.</p>", 403)
        if (sent.get("member"), sent.get("watchword")) != (USER, PASSWORD):
            self.refused["watchword"] += 1
            return self.form_page("Member and watchword do not go together.", 401)
        if self.session is not None:
            self.refused["in use"] += 1
            return self.form_page("This member is on board already, from another place.", 409)
        self.sign_ins += 1
        self.session = secrets.token_hex(16)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie("harbour", self.session, httponly=True, samesite="Lax")
        response.del_cookie("visitor")
        return response

    async def leave(self, request: web.Request) -> web.Response:
        if self.signed_in(request):
            self.sign_outs += 1
            self.session = None
        response = web.Response(status=303, headers={"Location": "/account/enter"})
        response.del_cookie("harbour")
        return response

    def signed_in(self, request: web.Request) -> bool:
        return self.session is not None and request.cookies.get("harbour") == self.session

    def guard(self, request: web.Request) -> None:
        if not self.signed_in(request):
            self.refused["signed out"] += 1
            raise web.HTTPSeeOther("/account/enter")

    # --- the lot -----------------------------------------------------------------------------------------------------

    async def home(self, request: web.Request) -> web.Response:
        self.guard(request)
        return html("Harbour Motors", menu() + f"<h2>Welcome, {USER}</h2><p>{UNITS} units on the quay, 4 today.</p>")

    async def lot(self, request: web.Request) -> web.Response:
        self.guard(request)
        sheets = -(-UNITS // ROWS)
        wanted = request.query.get("page", "1")
        sheet = min(max(int(wanted), 1), sheets) if wanted.isdecimal() else 1
        shown = list(self.units.values())[(sheet - 1) * ROWS : sheet * ROWS]
        rows = "".join(
            f"""<tr data-kind="unit"><td class="go"><a href="/lot/unit?no={unit.number}">look</a></td>
            <td>{unit.year}</td><td>{unit.model}</td><td><tt>{unit.vin}</tt></td>
            <td>{unit.mileage:,} mi</td><th scope="row">{unit.number}</th></tr>"""
            for unit in shown
        )
        links = " ".join(f'<a href="/lot?page={number}">{number}</a>' for number in range(1, sheets + 1))
        return html(
            "The quay",
            f"""{menu()}<table id="quay">
            <tr><th></th><th>Built</th><th>Model</th><th>Chassis</th><th>Run</th><th>Unit no.</th></tr>
            {rows}
            <tr data-kind="sum"><td colspan="5">units on this sheet</td><td>{len(shown)}</td></tr></table>
            <p>Sheet {sheet} of {sheets} ({UNITS} units in all): {links}</p>""",
        )

    async def unit(self, request: web.Request) -> web.Response:
        self.guard(request)
        wanted = request.query.get("no", "")
        unit = self.units.get(int(wanted)) if wanted.isdecimal() else None
        if unit is None:
            return html("The quay", menu() + "<p>No such unit on the quay.</p>", 404)
        paper = f"/papers/{self.papers[unit.number]}"
        near = ", ".join(f'<a href="/lot/unit?no={number}">{number}</a>' for number in unit.neighbours)
        return html(
            "A unit on the quay",
            f"""{menu()}<dl id="facts"><dt>Unit no.</dt><dd data-fact="number">{unit.number}</dd>
            <dt>Model</dt><dd>{unit.year} {unit.model}</dd><dt>Chassis</dt><dd data-fact="chassis">{unit.vin}</dd>
            <dt>Run</dt><dd>{unit.mileage:,} mi</dd><dt>Seats</dt><dd>5</dd></dl>
            <p><a data-paper="appraisal" href="{paper}" target="_blank">Appraisal (2 pages)</a></p>
            <p>Others like it: {near}</p>""",
        )

    async def paper(self, request: web.Request) -> web.Response:
        self.guard(request)
        asked = [number for number, name in self.papers.items() if name == request.match_info["name"]]
        if not asked:
            raise web.HTTPNotFound
        self.reports.update(asked)
        return web.Response(
            body=appraisal(self.units[asked[0]]),
            content_type="application/pdf",
            headers={"Content-Disposition": 'inline; filename="appraisal.pdf"', "Cache-Control": "no-store"},
        )


def menu() -> str:
    return '<ul id="helm"><li><a href="/lot">The quay</a></li><li><a href="/account/leave">Go ashore</a></li></ul>'


def html(title: str, body: str, status: int = 200) -> web.Response:
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><body><h1>{title}</h1>{body}</body>"
    return web.Response(text=page, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})


def appraisal(unit: Unit) -> bytes:
    """A report of two pages: one line names the unit, most others hold numbers that other units have as references."""
    near = ", ".join(map(str, unit.neighbours))
    first = [
        "Harbour Motors appraisal, form 7",
        f"Unit no. {unit.number}",
        f"Chassis no. {unit.vin}",
        f"{unit.year} {unit.model}",
        f"Run: {unit.mileage} miles",
        "Seats 5  Doors 4",
        f"Units like it: {near}",
        "Page 1 of 2",
    ]
    second = [
        f"Trade-in $ {unit.number * 100 + 10:,}.75",
        f"Loan $ {unit.neighbours[0]}",
        f"Retail $ {unit.number * 131 + 4000:,}.00",
        f"Days on the quay {unit.neighbours[1]}",
        f"Units on the quay {UNITS}",
        "Page 2 of 2",
    ]
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A5)
    for lines in (first, second):
        for row, line in enumerate(lines):
            canvas.drawString(50, 540 - 24 * row, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()
