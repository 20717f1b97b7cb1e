from __future__ import annotations

from pathlib import Path

import pytest

from jdp_scraper.demo.lot import Lot
from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.report_pdf import ReportPress
from tests.benchmarks.__main__ import arguments
from tests.benchmarks.judging import judge
from tests.benchmarks.measured import Case


def test_sizes_and_pages_are_lists_of_numbers() -> None:
    args = arguments(["speed", "--sizes", "50,200", "--pages", "1,2"])
    assert (args.names, args.sizes, args.pages) == (["speed"], (50, 200), (1, 2))


@pytest.mark.parametrize("bad", [["quick"], ["--sizes", "5"], ["--sizes", "9,5"], ["--pages", "x"]])
def test_what_makes_no_sense_is_refused(bad: list[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(bad)


def test_wanted_vehicles_are_the_first_or_from_all_over_the_lot() -> None:
    lot = [str(number) for number in range(20_000)]
    first = Case("this project", 100, 5, "none", "", 20_000)
    spread = Case("this project", 100, 5, "none", "", 20_000, spread=True)
    assert first.wanted(lot) == lot[:100]
    assert spread.wanted(lot) == lot[::200]


def test_a_pdf_under_another_vehicles_name_is_wrong(tmp_path: Path) -> None:
    lot, press = Lot(DemoOptions(vehicles=3)).vehicles, ReportPress(1, "jdpower")
    owners = {}
    for named, held in zip(lot, (lot[0], lot[2], lot[2]), strict=True):
        owners[named.reference] = tmp_path / f"{named.reference}.pdf"
        owners[named.reference].write_bytes(press.print(held))
    inventory = [one.as_mapping() for one in lot]
    verdict = judge(owners, list(owners), inventory)
    assert (verdict.right, verdict.wrong, verdict.all_right) == (2, 1, False)
    del owners[lot[1].reference]
    assert judge(owners, [one.reference for one in lot], inventory).all_right is False
    assert judge(owners, list(owners), inventory).all_right is True
