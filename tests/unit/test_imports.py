"""The house has floors: a lower one imports no higher one, and the demo portal stands apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "jdp_scraper"
MODULES = sorted((ROOT / PACKAGE).rglob("*.py"))

GROUND = {
    "errors",
    "settings",
    "events",
    "disk",
    "fingerprint",
    "environment",
    "interpreter",
    "system",
    "vehicle",
    "stop",
    "loopback",
    "waiting",
    "redact",
    "report_request",
}
FLOORS: tuple[set[str], ...] = (
    GROUND | {"console", "metrics", "run_log"},
    {"batch"},
    {"browser", "pdf", "checkpoint"},
    {"portal"},
    {"work"},
    {"catalog"},
    {"values"},
    {"archive"},
    {"job", "run_report"},
    {"run", "aftermath"},
    {"report_text", "status", "verify", "doctor"},
    {"cli"},
    {"program"},
    {"__main__"},
)
MEANS = {"browser", "pdf", "checkpoint"}
# What may be imported although it holds nothing but a name or a version.
FREE = {"__version__"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of the modules (or of things in them) that a file imports, wherever it does so."""
    package = list(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            parent = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{parent}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str | None:
    """Return the part of the house that a module's full name lies in, for one of ours."""
    first, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    return part if first == PACKAGE and part and part not in FREE else None


def floor_of(part: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if part in floor)


def parts_used(path: Path) -> set[str]:
    return {part for part in map(part_of, imported(path)) if part is not None}


def test_the_house_is_here_and_every_part_has_its_floor() -> None:
    parts = {part_of(name_of(path)) for path in MODULES} - {None, "__init__", "demo"}
    assert {str(part) for part in parts} <= set().union(*FLOORS)
    assert "jdp_scraper.events.Bus" in set(imported(ROOT / PACKAGE / "portal" / "account.py"))
    assert "jdp_scraper.demo.options.DemoOptions" in set(imported(ROOT / PACKAGE / "demo" / "server.py"))


OURS = [path for path in MODULES if part_of(name_of(path)) not in {"__init__", "demo"}]


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_no_module_imports_a_higher_floor(path: Path) -> None:
    own = floor_of(str(part_of(name_of(path))))
    assert {part for part in parts_used(path) - {"demo"} if floor_of(part) > own} == set()


@pytest.mark.parametrize("name", sorted(GROUND))
def test_the_ground_imports_nothing_but_the_ground(name: str) -> None:
    assert parts_used(ROOT / PACKAGE / f"{name}.py") <= GROUND


@pytest.mark.parametrize("path", [path for path in OURS if part_of(name_of(path)) in MEANS], ids=name_of)
def test_browser_pdf_and_checkpoint_do_not_know_each_other(path: Path) -> None:
    assert parts_used(path) & MEANS <= {part_of(name_of(path))}


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(name_of(path)) == "demo"], ids=name_of)
def test_the_demo_portal_imports_nothing_of_the_rest(path: Path) -> None:
    assert parts_used(path) <= {"demo"}


def test_nothing_but_the_command_line_imports_the_demo_portal() -> None:
    assert {name_of(path) for path in OURS if "demo" in parts_used(path)} == {f"{PACKAGE}.cli"}


def test_no_module_is_a_drawer_for_everything() -> None:
    names = {path.stem for path in MODULES} | {path.parent.name for path in MODULES}
    assert names.isdisjoint({"utils", "util", "helpers", "helper", "common", "misc", "tools"})


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_prints_past_the_console(path: Path) -> None:
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_importing_a_module_calls_nothing_that_waits(path: Path) -> None:
    """No loop, process, thread or connection is begun at import."""
    begun = {"run", "Popen", "Thread", "create_task", "ensure_future", "new_event_loop", "connect", "start"}
    found = []
    for statement in tree_of(path).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in begun:
                    found.append((node.lineno, name))
    assert found == []
