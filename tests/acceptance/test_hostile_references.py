"""Whatever a portal calls its vehicles: the right file each, inside the run's folder, and nothing written elsewhere."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from jdp_scraper.demo.lot import Lot
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal
from tests.support.program import Program, asked_twice, pdf_text

TWINS = ("dup", "dup")
# An export holds it as it is. HTML has no way to carry it, so that a page shows nothing in its place, and nothing that
# is typed into a filter can name it: where vehicles are opened by the filter, a portal cannot be asked for such a one.
NUL = "nul\x00165503"
HOSTILE = (
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/shadow",
    "A/B 12",
    "CON",
    "com1.txt",
    "x" * 300,
    *TWINS,
    "165500A",
    "165500a",
    "bell\x07 165501",
    "escape\x1b[31m165502",
    NUL,
    "new\nline 165504",
    "two  spaces\tand a tab 165505",
    "\u202efdp.165506",
    "165507\u200f",
    "zero\u200bwidth 165508",
    "\ufeff165509",
    ".hidden",
    "trailing space ",
    "trailing dot.",
    "a'b\"c\\",
    "<b>&amp;",
    "${x}{{x}}%s",
    '"] *',
    "=1+1",
    "-rf",
    "\U0001f697 165510",
    "caf\u00e9",  # composed
    "cafe\u0301",  # decomposed: the same to a person, and to macOS as a file's name
    "\uff11\uff16\uff15\uff15\uff13\uff10",  # the digits of the first vehicle of every lot, in full width
    "STRASSE",
    "stra\u00dfe",
    f"A_B 12~{hashlib.sha256(b'A/B 12').hexdigest()[:8]}",  # the name that is made for another one
)
VEHICLES = len(HOSTILE) + 8
PLACE = 2  # of the first of them on the lot


def options(**more: Any) -> DemoOptions:
    """A lot with all of them, and with one that equals the key and the name that the second "dup" is given."""
    plain = DemoOptions(vehicles=VEHICLES, page_size=12, references=(*HOSTILE, ""), **more)
    second = PLACE + HOSTILE.index("dup") + 1
    vin = Lot(plain).vehicles[second].vin  # does not depend on what the vehicles are called
    return plain.changed({"references": [*HOSTILE, f"dup~{vin}"]})


def shown(reference: str) -> str:
    """Return a reference as a page shows it: NUL is not there, white space is one space, none at the ends."""
    return re.sub(r"[\s\ufeff]+", " ", reference.replace("\0", "")).strip()


def as_macos_names(name: str) -> str:
    """Return what two names of files must differ in on a disk that regards neither case nor normalization."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def tree(top: Path, without: Path) -> dict[str, tuple[int, int]]:
    """Return every file and folder below ``top`` but those of ``without``, with size and time of change."""
    found = {}
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if Path(folder, name) != without]
        for path in (Path(folder, name) for name in (*folders, *files)):
            state = path.lstat()
            # A folder's entries are told by themselves; its own times change with what comes and goes in it.
            told = (0, 0) if path.is_dir() else (state.st_size, state.st_mtime_ns)
            found[str(path.relative_to(top))] = told
    return found


@pytest.mark.parametrize(
    ("site", "links"), [("jdpower", "address"), ("jdpower", "script"), ("plain", "address")]
)  # the site "plain" has real links only
async def test_each_gets_its_own_pdf_inside_the_folder_and_tracking_finds_it(
    tmp_path: Path, site: str, links: str
) -> None:
    here = tmp_path / "deep" / "er" / "still"
    for folder in (here, tmp_path / "tmp", tmp_path / "etc"):
        folder.mkdir(parents=True)
    (tmp_path / "etc" / "passwd").write_text("root")
    lot = options(site=site, links=links)
    if links == "script":
        lot = lot.changed({"references": [one.replace("\0", " ") for one in lot.references]})
    async with DemoPortal.start(lot) as portal:
        program = Program(here, portal, {"PORTAL": site, "TMPDIR": str(tmp_path / "tmp")})
        program.downloads.mkdir()
        before = tree(tmp_path, program.downloads)
        ended = await program.run()  # its output is read as ASCII
        ledger, vehicles = await portal.ledger(), await portal.inventory()
    assert ended.code == 0, ended.text
    assert_nothing_outside(tmp_path, program, before)
    assert asked_twice(ledger) == {}
    assert (ledger["sign_ins"], ledger["sign_outs"], ledger["open_sessions"]) == (1, 1, 0)

    tracking = program.data("tracking.json")
    assert len(tracking) == VEHICLES
    assert {shown(vehicle["reference"]) for vehicle in vehicles} <= set(tracking)
    names = list(tracking.values())
    assert len({as_macos_names(name) for name in names}) == VEHICLES
    assert {path.name for path in (program.run_folder / "pdfs").iterdir()} == set(names)
    owners = {vehicle["vin"]: vehicle["reference"] for vehicle in vehicles}
    for key, name in tracking.items():
        text = pdf_text(program.run_folder / "pdfs" / name)
        (vin,) = re.findall(r"VIN: (\w{17})", text)
        reference = shown(owners.pop(vin))
        assert key in {reference, f"{reference}~{vin}", f"{reference}~{vin}~2"}, (key, name)
    assert not owners
    assert f"{VEHICLES} done, 0 failed" in (await program.run("status")).out


def assert_nothing_outside(top: Path, program: Program, before: dict[str, tuple[int, int]]) -> None:
    """Beside the download folder the tree is as it was; in it there is the run, and what belongs to no run."""
    assert tree(top, program.downloads) == before
    (run,) = program.runs()
    assert {path.name for path in program.downloads.iterdir()} <= {run.name, ".running.lock", ".session"}
    assert {path.name for path in run.iterdir()} == {"pdfs", "run_data"}
    assert all(path.is_file() for path in (run / "pdfs").iterdir())


async def test_one_that_fails_leaves_its_evidence_inside_the_folder_and_is_told_in_ascii(tmp_path: Path) -> None:
    failing = ("../../etc/passwd", "\u202efdp.165506", "escape\x1b[31m165502")
    async with DemoPortal.start(options()) as portal:
        for reference in failing:
            await portal.fault("error_500", at="create", times=-1, match=reference)
        program = Program(tmp_path, portal, {"MAX_RETRIES": "0"})
        program.downloads.mkdir()
        before = tree(tmp_path, program.downloads)
        ended = await program.run(*(f"--only={reference}" for reference in failing))
    assert ended.code == 1, ended.text
    assert "\\u202efdp.165506: failed" in ended.out
    assert "\\x1b[31m165502" in ended.out
    assert_nothing_outside(tmp_path, program, before)
    failures = program.run_folder / "run_data" / "failures"
    folders = sorted(path.name for path in failures.iterdir())
    assert [name.partition("~")[0] for name in folders] == ["escape_31m165502", "etc_passwd", "fdp.165506"]
    assert all({path.name for path in folder.iterdir()} >= {"error.json"} for folder in failures.iterdir())
