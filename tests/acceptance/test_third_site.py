"""A third site, which the code has never seen, by a profile that was written from docs/profiles.md alone."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp

from tests.acceptance.third_site import PASSWORD, UNITS, USER, ThirdSite, Unit
from tests.support.program import Program, pdf_text

PROFILE = Path(__file__).with_name("third_site.toml")


async def test_each_report_of_the_third_site_is_fetched_once_and_is_right(tmp_path: Path) -> None:
    site = ThirdSite()
    async with site.served() as origin:
        settings = {"PORTAL": str(PROFILE), "PORTAL_URL": origin, "JD_USER": USER, "JD_PASS": PASSWORD}
        program = Program(tmp_path, None, settings)
        ended = await program.run()
    assert ended.code == 0, ended.text
    pdfs = program.pdfs()
    assert {path.name for path in pdfs} == {f"{number}.pdf" for number in range(1, UNITS + 1)}
    assert [path.name for path in pdfs if said(path) != ([path.stem], [Unit(int(path.stem)).vin])] == []
    assert program.data("tracking.json") == {str(number): f"{number}.pdf" for number in range(1, UNITS + 1)}
    assert (site.sign_ins, site.sign_outs, site.session) == (1, 1, None)
    assert site.reports == dict.fromkeys(range(1, UNITS + 1), 1)
    assert site.refused == {}


async def test_the_third_site_refuses_a_form_without_its_token() -> None:
    site = ThirdSite()
    jar = aiohttp.CookieJar(unsafe=True)
    async with site.served() as origin, aiohttp.ClientSession(origin, cookie_jar=jar) as client:
        for token in ({}, {"_token": "guessed"}):
            await client.get("/account/enter")
            sent = {"member": USER, "watchword": PASSWORD, **token}
            async with client.post("/account/enter", data=sent) as answer:
                assert answer.status == 403
    assert (site.sign_ins, site.refused) == (0, {"token": 2})


def said(path: Path) -> tuple[list[str], list[str]]:
    """The unit and the chassis that a PDF names, each in a line of its own."""
    text = pdf_text(path)
    return (
        re.findall(r"^Unit no\. (\d+)\s*$", text, re.MULTILINE),
        re.findall(r"^Chassis no\. (\w{17})\s*$", text, re.MULTILINE),
    )
