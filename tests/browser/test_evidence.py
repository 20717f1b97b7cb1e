"""What a vehicle that finally failed leaves: error, page and last answers."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from jdp_scraper.disk import Disk
from jdp_scraper.pdf.answer import Answer
from jdp_scraper.redact import Secrets
from jdp_scraper.work import evidence as module
from jdp_scraper.work.evidence import Evidence

from .server import SmallSite

LONG_S = 60.0
ASKS = "<script>fetch('/asked?token=1', {method: 'POST'}).then(() => document.title = 'done')</script>"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is well tells everything, however slow the machine is."""
    monkeypatch.setattr(module, "LONGEST_S", LONG_S)
    monkeypatch.setattr(module, "ANSWERED_S", LONG_S)


async def written(evidence: Evidence, folder: Path, secrets: Secrets | None = None) -> dict[str, Any]:
    await evidence.write(folder, {"error": "PageLost"}, Disk(), secrets or Secrets())
    content: dict[str, Any] = json.loads((folder / "error.json").read_text("ascii"))
    return content


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def visit(page: Page, site: SmallSite, path: str) -> None:
    site.html(path, ASKS)
    site.content("/asked", "no", status=429)
    await page.goto(site.url(path))
    await page.wait_for_function("document.title === 'done'")


async def test_the_answers_of_this_attempt_with_method_and_status_and_without_queries(
    page: Page, site: SmallSite, tmp_path: Path
) -> None:
    await visit(page, site, "/earlier")
    evidence = Evidence()
    await visit(page, site, "/this")
    await page.goto(site.url("/none?secret=1"))
    await evidence.look_at(page, Secrets())
    content = await written(evidence, tmp_path)
    assert [(one["method"], one["address"], one["kind"], one["status"]) for one in content["responses"]] == [
        ("GET", site.url("/this"), "document", 200),
        ("POST", site.url("/asked"), "fetch", 429),
        ("GET", site.url("/none"), "document", 404),
    ]
    assert content["error"] == "PageLost"
    assert content["page"] == "as it was at the failure"
    assert names(tmp_path) == {"error.json", "page.html", "screenshot.png"}


async def test_more_than_ten_answers_are_kept(page: Page, site: SmallSite, tmp_path: Path) -> None:
    evidence = Evidence()
    for number in range(12):
        await page.goto(site.html(f"/{number}", "x"))
    await evidence.look_at(page, Secrets())
    assert len((await written(evidence, tmp_path))["responses"]) == 12


async def test_a_request_without_an_answer_is_told_and_delays_little(
    page: Page, site: SmallSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWERED_S", 1.0)
    monkeypatch.setattr(module, "LONGEST_S", 5.0)
    await page.goto(site.html("/page", "x"))
    evidence = Evidence()
    site.hanging("/hangs")
    async with asyncio.timeout(LONG_S):
        asked = asyncio.ensure_future(page.goto(site.url("/hangs")))
        while not any(one.url == site.url("/hangs") for one in await page.requests()):
            await asyncio.sleep(0.01)  # the portal may have the request before the driver tells of it
        await evidence.look_at(page, Secrets())
    content = await written(evidence, tmp_path)
    assert [(one["address"], one["status"]) for one in content["responses"]] == [(site.url("/hangs"), None)]
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await page.close()


async def test_a_page_that_was_given_back_still_tells_its_answers_and_no_later_ones(
    page: Page, site: SmallSite, tmp_path: Path
) -> None:
    evidence = Evidence()
    await visit(page, site, "/mine")
    evidence.page_returned(page)
    await visit(page, site, "/anothers")
    content = await written(evidence, tmp_path)
    assert [one["address"] for one in content["responses"]] == [site.url("/mine"), site.url("/asked")]
    assert "given back" in content["page"]
    assert names(tmp_path) == {"error.json"}


async def test_a_page_that_is_gone_leaves_what_there_is(page: Page, site: SmallSite, tmp_path: Path) -> None:
    evidence = Evidence()
    await page.goto(site.html("/page", "x"))
    await page.close()
    await evidence.look_at(page, Secrets())
    content = await written(evidence, tmp_path)
    assert "gone or hangs" in content["page"]
    assert names(tmp_path) == {"error.json"}


async def test_a_page_that_shows_a_secret_leaves_no_picture(page: Page, site: SmallSite, tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("a<secret>&more")
    await page.goto(site.html("/page", "<p>a&lt;secret&gt;&amp;more</p>"))
    evidence = Evidence()
    await evidence.look_at(page, secrets)
    assert "shows a secret" in (await written(evidence, tmp_path, secrets))["page"]
    assert names(tmp_path) == {"error.json", "page.html"}
    assert "<p>[removed]</p>" in (tmp_path / "page.html").read_text("utf-8")


async def test_what_came_in_place_of_a_pdf_is_kept_short_and_clean(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("secretsecret")
    body = b"<p>secretsecret</p>" + b"x" * 5000
    answer = Answer("GET", "http://h/report", 503, "text/html", "5019", "7", received=5019, start=body)
    content = await written(Evidence(answers=[answer]), tmp_path, secrets)
    (told,) = content["report"]
    assert (told["status"], told["content_type"], told["retry_after"], told["received"]) == (
        503,
        "text/html",
        "7",
        5019,
    )
    assert "start" not in told
    kept = (tmp_path / "answer.html").read_bytes()
    assert kept.startswith(b"<p>[removed]</p>")
    assert len(kept) == module.MOST_OF_ANSWER


async def test_what_is_no_page_is_kept_as_text(tmp_path: Path) -> None:
    answer = Answer("GET", "http://h/report", 200, "text/plain", "", "", start=b"not ready")
    await written(Evidence(began=time.time(), answers=[answer]), tmp_path)
    assert (tmp_path / "answer.txt").read_bytes() == b"not ready"
