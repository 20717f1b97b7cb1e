"""Text of a portal never becomes script, selector or path by string building: it is handed over as a value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "jdp_scraper"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "demo" not in path.parts)
SCRIPTS = sorted(path for path in PACKAGE.rglob("*.js") if "demo" not in path.parts)
# Calls whose first argument is script or selector to the browser.
TAKES_SCRIPT = {
    *("evaluate", "evaluate_all", "evaluate_handle", "eval_on_selector", "eval_on_selector_all", "wait_for_function"),
    *("add_init_script", "add_script_tag", "add_style_tag", "set_content"),
    *("locator", "query_selector", "query_selector_all", "wait_for_selector", "frame_locator", "css", "css_first"),
}
# Ours whose script is named, not given.
NAMED = {"run_script", "run_across_navigation"}
# The one place that puts a script together, of two files of the package.
SCRIPT_OF_FILES = ("portal/in_page.py", "_script")


def calls(path: Path, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield node


def is_built(node: ast.expr) -> bool:
    """Tell whether an expression puts a string together: f-string, +, %, format, join, replace."""
    if isinstance(node, ast.Call):
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        return method in {"format", "join", "replace", "format_map", "substitute", "translate"}
    if isinstance(node, ast.IfExp | ast.BoolOp):
        return any(is_built(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
    return isinstance(node, ast.JoinedStr | ast.BinOp)


def built_names(tree: ast.AST) -> set[str]:
    """Return the names that are given a built string somewhere."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and is_built(node.value):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.NamedExpr | ast.AnnAssign) and node.value is not None and is_built(node.value):
            found |= {node.target.id} if isinstance(node.target, ast.Name) else set()
    return found


def faults(path: Path) -> list[int]:
    names = built_names(ast.parse(path.read_text("utf-8")))
    return [
        call.lineno
        for call in calls(path, TAKES_SCRIPT)
        for given in (
            *call.args[:1],
            *(keyword.value for keyword in call.keywords if keyword.arg in {"path", "script"}),
        )
        if is_built(given) or (isinstance(given, ast.Name) and given.id in names)
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_script_or_selector_is_put_together(path: Path) -> None:
    assert faults(path) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_script_of_the_package_is_named_by_a_constant_and_its_values_are_handed_over(path: Path) -> None:
    for call in calls(path, NAMED):
        name = call.args[1]
        forwarded = path.name == "in_page.py" and isinstance(name, ast.Name)
        assert forwarded or (isinstance(name, ast.Constant) and isinstance(name.value, str)), call.lineno


def test_only_the_package_s_own_files_are_put_together_as_a_script() -> None:
    path = PACKAGE / SCRIPT_OF_FILES[0]
    (evaluated,) = calls(path, {"evaluate"})
    assert ast.unparse(evaluated.args[1]) == f"{SCRIPT_OF_FILES[1]}(name)"
    assert ast.unparse(evaluated.args[2]) == "given", "values are handed over, as JSON"


@pytest.mark.parametrize(
    "code",
    [
        "page.evaluate(f'find({text})')",
        "page.locator('tr:has-text(' + text + ')')",
        "page.query_selector('#%s' % text)",
        "page.wait_for_selector('#{}'.format(text))",
        "css = f'#{text}'\npage.locator(css)",
        "page.evaluate(one if two else f'{text}')",
    ],
)
def test_what_is_put_together_would_be_found(tmp_path: Path, code: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(code)
    assert faults(path) != []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_build_no_selector_and_run_no_text(path: Path) -> None:
    source = re.sub(r"^\s*//.*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
    assert not re.search(r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write", source)
    assert not re.search(r"set(Timeout|Interval)\(\s*['\"`]", source)
    for given in re.findall(r"(?:querySelector(?:All)?|matches|closest)\(([^()]*)", source):
        assert "${" not in given and "+" not in given, given
