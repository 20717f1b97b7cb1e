"""The documentation says what the code does: settings, profile keys, errors, exit codes, commands and links."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import jdp_scraper.run  # noqa: F401 - so that every error class there is has been defined
from jdp_scraper import cli
from jdp_scraper.errors import ScraperError
from jdp_scraper.portal.profile import Cell, Control, SiteProfile
from jdp_scraper.settings import OPTIONS, Settings

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NAMED_ONCE: dict[type[BaseModel], str] = {Control: "control", Cell: "cell"}
# Options of other programs that the documentation shows.
FOREIGN = {
    *("--blink-settings", "--disable-remote-fonts", "--host-resolver-rules"),
    *("--install", "--only-shell", "--require-hashes"),
    *("--disable-gpu", "--directory"),  # of Chromium; of `python -m http.server`
    *("--long", "--repeat", "--sizes", "--browser"),  # of `make bench`
}
EXIT_CODES = {0, 1, 2, 3, 4, 129, 130, 143}


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables in a Markdown text, without heads and rules."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        is_head = number + 1 < len(lines) and re.fullmatch(r"\|(-+\|)+", lines[number + 1])
        if line.startswith("|") and not is_head and not re.fullmatch(r"\|(-+\|)+", line):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def code(cell: str) -> str:
    """Return what a cell shows as code, empty for an empty one."""
    found = re.fullmatch(r"`(.*)`", cell)
    return found[1] if found else cell


# -- settings ----------------------------------------------------------------------------------------------------------


def written(field: FieldInfo) -> str:
    """Return a setting's default as it stands in a file."""
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if default is None:
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


DEFAULTS = {name.upper(): written(field) for name, field in Settings.model_fields.items()}


def settings_table() -> dict[str, list[str]]:
    first = text_of("docs/settings.md").partition("\n## ")[0]
    return {code(row[0]): row for row in rows(first)}


def test_the_example_file_holds_every_setting_with_its_default_and_no_other() -> None:
    assert dotenv_values(ROOT / ".env.example") == DEFAULTS


def test_every_setting_of_the_example_file_has_a_comment_above_it() -> None:
    lines = text_of(".env.example").splitlines()
    bare = [line for above, line in zip(["", *lines], lines, strict=False) if "=" in line and not above.startswith("#")]
    assert [line for line in bare if not line.startswith("#")] == []


def test_the_settings_page_holds_every_setting_with_its_default_and_no_other() -> None:
    assert {name: code(row[1]) for name, row in settings_table().items()} == DEFAULTS


def test_the_settings_page_names_the_option_of_each_setting_that_has_one() -> None:
    run = run_options()
    told = {name.lower(): code(row[3]) for name, row in settings_table().items() if row[3]}
    fields = {action.dest: action.option_strings[0] for action in run if action.dest in Settings.model_fields}
    assert told == fields | {"headless": "--headed"}
    assert fields == OPTIONS
    without = {action.option_strings[0] for action in run} - set(told.values()) - {"-h"}
    second = text_of("docs/settings.md").partition("## Options without a variable")[2].partition("\n## ")[0]
    assert {code(row[0]).partition(" ")[0] for row in rows(second)} == without


# -- profiles ----------------------------------------------------------------------------------------------------------


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model within an annotation such as ``tuple[Annotated[Control, ...], ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part)) is not None), None)


def tables_of(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the heading under which each table of the profile is documented, with its model."""
    yield NAMED_ONCE.get(model) or (f"[{path}]" if path else "top level"), model
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None:
            yield from tables_of(inner, f"{path}.{name}" if path else name)


def documented_tables() -> dict[str, dict[str, str]]:
    """Return key to default, by table, as docs/profiles.md tells them."""
    found = {}
    for section in text_of("docs/profiles.md").split("\n### ")[1:]:
        heading, _, body = section.partition("\n")
        keys = [row for row in rows(body.partition("\n## ")[0]) if len(row) == 4]
        found[code(heading)] = {code(row[0]): code(row[2]) for row in keys}
    return found


def default_of(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "none"
    if isinstance(field.default, BaseModel):
        return "its defaults"
    return json.dumps(field.default)


def test_the_profiles_page_holds_every_key_with_its_default_and_no_other() -> None:
    expected = {
        heading: {name: default_of(field) for name, field in model.model_fields.items()}
        for heading, model in tables_of(SiteProfile)
    }
    assert documented_tables() == expected


def test_the_example_profile_is_valid() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", text_of("docs/profiles.md"), re.DOTALL)
    assert SiteProfile.model_validate(tomllib.loads(example)).name == "corner"


def test_the_snippets_of_the_profiles_page_are_valid_where_they_belong() -> None:
    """Each table's snippet replaces that table of the example, and the whole has to stay valid."""
    text = text_of("docs/profiles.md")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    snippets = re.findall(r"((?:^    .*\n)+)", text, re.MULTILINE)
    tables = [found for snippet in snippets if (found := re.sub(r"^    ", "", snippet, flags=re.MULTILINE))[0] == "["]
    assert len(tables) >= 7
    for table in tables:
        loaded, profile = tomllib.loads(table), tomllib.loads(example)
        replace(profile, loaded)
        SiteProfile.model_validate(profile)


def replace(profile: dict[str, Any], table: dict[str, Any]) -> None:
    for name, value in table.items():
        if name == "inventory":
            profile[name] |= value if "grid" not in value or "row" in value["grid"] else {}
            if "filter" in value.get("grid", {}):
                profile[name]["grid"]["filter"] = value["grid"]["filter"]
        else:
            profile[name] = value


# -- errors and exit codes ---------------------------------------------------------------------------------------------


def error_classes(root: type[ScraperError] = ScraperError) -> Iterator[type[ScraperError]]:
    for kind in [root, *root.__subclasses__()]:
        if kind is root:
            yield kind
        elif kind.__module__.startswith("jdp_scraper."):
            yield from error_classes(kind)


@pytest.mark.parametrize("name", sorted({kind.__name__ for kind in error_classes()}))
def test_the_troubleshooting_page_tells_of_every_error(name: str) -> None:
    assert re.search(rf"\b{name}\b", text_of("docs/troubleshooting.md"))


@pytest.mark.parametrize("page", ["docs/troubleshooting.md", "README.md"])
def test_the_exit_codes_are_told(page: str) -> None:
    cells = [row[0] for row in rows(text_of(page)) if re.fullmatch(r"[\d, ]+", row[0])]
    assert {int(number) for cell in cells for number in cell.split(",")} == EXIT_CODES


def test_no_error_class_has_an_exit_code_that_is_not_told() -> None:
    assert {kind.exit_code for kind in error_classes()} <= EXIT_CODES


# -- the command line --------------------------------------------------------------------------------------------------


def subparsers() -> dict[str, Any]:
    (action,) = [action for action in cli._parser()._actions if action.dest == "command"]
    assert isinstance(action.choices, dict)
    return action.choices


def run_options() -> list[Any]:
    return list(subparsers()["run"]._actions)


def all_options() -> set[str]:
    parsers = [cli._parser(), *subparsers().values()]
    return {option for parser in parsers for action in parser._actions for option in action.option_strings}


def pieces(text: str) -> Iterator[str]:
    """Yield what a page shows as code: indented lines, and what stands in backticks."""
    yield from re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", text)


def commands() -> list[str]:
    found = set()
    for page in DOCS:
        for piece in pieces(page.read_text("utf-8")):
            shown = re.search(r"(?:python\s+|python3\s+)main_async\.py(.*)|^jdp-scraper (.*)", piece)
            if shown is not None:
                found.add((shown[1] or shown[2] or "").partition(" >>")[0].strip())
    return sorted(found)


@pytest.mark.parametrize("arguments", commands())
def test_every_command_that_is_shown_can_be_given(arguments: str) -> None:
    given = shlex.split(arguments)
    if "--help" in given:
        assert set(given) - {"--help"} <= set(cli.COMMANDS)
        return
    cli._parser().parse_args(cli._with_command(given))


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_option_that_is_mentioned_exists(page: Path) -> None:
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text("utf-8")))
    assert mentioned - all_options() - FOREIGN == set()


def test_the_commands_are_found() -> None:
    assert {"", "doctor", "--demo"} <= set(commands())


# -- links and characters ----------------------------------------------------------------------------------------------


def links() -> list[tuple[str, str]]:
    return [
        (str(page.relative_to(ROOT)), target)
        for page in DOCS
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
        if not target.startswith(("http://", "https://"))
    ]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "target"), links())
def test_every_link_leads_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    linked = (ROOT / page).parent / path if path else ROOT / page
    assert linked.exists()
    if anchor:
        assert anchor in anchors(linked)


WRITTEN = [*DOCS, ROOT / ".env.example", *(ROOT / "docs").glob("*.svg")]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_the_documentation_is_ascii(page: Path) -> None:
    assert page.read_bytes().isascii()
