"""The files that values are written as: CSV, JSON lines, a workbook, and Parquet where its library is installed.

The same values give the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jdp_scraper.disk import Disk
from jdp_scraper.values.changes import COLUMNS as CHANGE_COLUMNS
from jdp_scraper.values.changes import Change
from jdp_scraper.values.extract import file_sha256
from jdp_scraper.values.table import Table

if TYPE_CHECKING:
    from jdp_scraper.values.workbook import Book

JSONL, WORKBOOK, PARQUET = "values.jsonl", "values.xlsx", "values.parquet"
CHANGES = "changes.csv"
RECIPE = 2  # counted up whenever the same values are written in another way
# What a spreadsheet may take for the beginning of a formula, full-width forms too.
_SIGNS = "=+-@|%\uff1d\uff0b\uff0d\uff20"
_FORMULA = tuple(f"{_SIGNS}\t\r\n")
# The same behind what ends a cell where a spreadsheet does not split at commas: quotes are of no use then.
_LATER_FORMULA = re.compile(rf"([;\t\r\n]\s*)(?=[{re.escape(_SIGNS)}])")
_ROW_ENDS = "\r\n"  # of the excel dialect
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def begun_workbook(table: Table) -> Book:
    """Return the workbook of a table that grows; blocks."""
    from jdp_scraper.values.workbook import Book  # noqa: PLC0415 - slow to import, and often nothing is written

    return Book(table)


def contents(
    table: Table, changed: Sequence[Change] | None, book: Book | None = None
) -> dict[str, Callable[[], bytes]]:
    """Return what makes the content of each file, by its name; ``changed`` is ``None`` where nothing is compared.

    ``book`` is the table's workbook, where it was begun before; its content can be made but once.
    """
    made: dict[str, Callable[[], bytes]] = {
        "values.csv": lambda: values_csv(table),
        JSONL: lambda: values_jsonl(table),
        WORKBOOK: lambda: (book or begun_workbook(table)).content(changed),
    }
    if find_spec("pyarrow") is not None:
        made[PARQUET] = lambda: _parquet(table)
    if changed is not None:
        made[CHANGES] = lambda: changes_csv(changed)
    return made


def write_all(folder: Path, made: dict[str, Callable[[], bytes]], disk: Disk) -> dict[str, str | None]:
    """Write the files, and remove those of an earlier time that would not agree; blocks, raises ``StorageError``.

    None is replaced before all are on the disk: where there is no room for them, those that were there still agree.
    Return the SHA-256 of each by its name, ``None`` for one that is not to be there.
    """
    disk.make_folder(folder)
    hashes: dict[str, str | None] = dict.fromkeys((CHANGES, PARQUET))
    told = {name: make() for name, make in made.items()}
    disk.write_together({folder / name: content for name, content in told.items()})
    hashes |= {name: hashlib.sha256(content).hexdigest() for name, content in told.items()}
    for name, sha256 in hashes.items():
        if sha256 is None:
            disk.remove(folder / name)
    return hashes


def lie_there(folder: Path, hashes: Mapping[str, str | None]) -> bool:
    """Tell whether the files of such hashes lie in a folder, and none that is not to be there; blocks."""
    return all(
        not os.path.lexists(folder / name) if sha256 is None else file_sha256(str(folder / name)) == sha256
        for name, sha256 in hashes.items()
    )


def digest_of(table: Table, changed: Sequence[Change] | None) -> str:
    """Return what tells two sets of files apart, without making them."""
    told = [RECIPE, find_spec("pyarrow") is not None, table.columns, None if changed is None else len(changed)]
    digest = hashlib.sha256(json.dumps(told).encode("ascii") + values_jsonl(table))
    digest.update(changes_csv(changed or ()))
    return digest.hexdigest()


def values_jsonl(table: Table) -> bytes:
    """Return an object a line; money is a string with two digits behind the point, ``flags`` come last."""
    return "".join(f"{row.line}\n" for row in table.rows).encode("ascii")


def values_csv(table: Table) -> bytes:
    """Return the table as CSV in UTF-8."""
    return _csv(table.columns, ([row.values[name] for name in table.columns] for row in table.rows))


def changes_csv(changed: Iterable[Change]) -> bytes:
    """Return the changes as CSV in UTF-8."""
    return _csv(CHANGE_COLUMNS, ([getattr(change, name) for name in CHANGE_COLUMNS] for change in changed))


def defused(value: object) -> object:
    """Return a value as CSV holds it: before what a spreadsheet would take for a formula stands a ``'``."""
    if not isinstance(value, str) or _PLAIN_NUMBER.fullmatch(value):
        return value
    text = _LATER_FORMULA.sub(r"\1'", value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(head: Iterable[str], rows: Iterable[Sequence[Any]]) -> bytes:
    lines = _Lines()
    writer = csv.writer(lines)
    writer.writerow(head)
    writer.writerows([defused(value) for value in row] for row in rows)
    return "".join(lines.told).encode("utf-8", "backslashreplace")


class _Lines:
    """Takes a writer's rows and ends them with a newline alone.

    The writer itself ends them with both characters: it quotes only those that stand in its line's end, and a carriage
    return without quotes would begin another row.
    """

    def __init__(self) -> None:
        self.told: list[str] = []

    def write(self, row: str) -> None:
        self.told.append(f"{row.removesuffix(_ROW_ENDS)}\n")


def _parquet(table: Table) -> bytes:
    from jdp_scraper.values.parquet import parquet  # noqa: PLC0415 - as above

    return parquet(table)
