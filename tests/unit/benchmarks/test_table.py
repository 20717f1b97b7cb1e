from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.report import Part, save
from tests.benchmarks.table import Table, number
from tests.unit.benchmarks.outcomes import outcome

TABLE = Table("typical, 5 pages", ("client", "s"), [("this project", "0.25"), ("floor", "-")])


def test_the_console_gets_even_columns_with_numbers_to_the_right() -> None:
    assert TABLE.ascii().splitlines() == [
        "typical, 5 pages",
        "client           s",
        "------------  ----",
        "this project  0.25",
        "floor            -",
    ]


def test_the_documentation_gets_a_markdown_table() -> None:
    assert TABLE.markdown().splitlines() == [
        "### typical, 5 pages",
        "",
        "| client | s |",
        "|---|---|",
        "| this project | 0.25 |",
        "| floor | - |",
    ]


def test_a_figure_that_there_is_none_of_is_a_dash() -> None:
    assert (number(None, 2), number(1234.567, 1)) == ("-", "1,234.6")


def test_what_was_found_is_saved_for_people_and_for_programs(tmp_path: Path) -> None:
    path = save([Part("speed", [TABLE], {"lines": [1]}, [outcome("plain", 3)])], {"processors": 4}, tmp_path)
    assert "processors 4" in path.read_text("ascii")
    found = json.loads(path.with_suffix(".json").read_text("ascii"))
    assert found["machine"] == {"processors": 4}
    assert found["parts"][0]["outcomes"][0]["case"]["vehicles"] == 3
