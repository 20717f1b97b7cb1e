"""What the last build made, so that the next one makes only what has changed: assets by content, and each file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import aiosqlite

from jdp_scraper.archive.parts import Part
from jdp_scraper.catalog.database import open_database
from jdp_scraper.catalog.entries import to_json
from jdp_scraper.disk import Disk

VERSION = 2
_SCHEMA = """
CREATE TABLE asset (
    sha256 TEXT NOT NULL, stem TEXT NOT NULL, recipe TEXT NOT NULL, pdf TEXT NOT NULL, size INTEGER NOT NULL,
    picture TEXT, text TEXT NOT NULL, faults TEXT NOT NULL, PRIMARY KEY (sha256, stem)
) WITHOUT ROWID;
CREATE TABLE file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, made_from TEXT NOT NULL,
    facts TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE part (
    path TEXT NOT NULL, name TEXT NOT NULL, made_from TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (path, name)
) WITHOUT ROWID;
CREATE TABLE searched (row INTEGER PRIMARY KEY, text BLOB NOT NULL);
CREATE TABLE build (name TEXT PRIMARY KEY, told TEXT NOT NULL) WITHOUT ROWID
"""


class Asset(NamedTuple):
    """What there is of one PDF: paths from the archive's root, size in bytes of the PDF that is shown.

    ``faults`` tell what could not be made; ``lasting`` that it would not be made at another time either.
    """

    pdf: str
    size: int
    picture: str | None = None
    text: str = ""
    faults: tuple[str, ...] = ()
    lasting: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of its files."""
        return (self.pdf,) if self.picture is None else (self.pdf, self.picture)


class FileFacts(NamedTuple):
    """A file of the archive as it was put there: size in bytes, time in ns since 1970.

    ``made_from`` is a hash of all that a page is made of, empty for other files; ``facts`` are what its links are.
    """

    size: int
    mtime_ns: int
    made_from: str = ""
    facts: str = ""


AssetKey = tuple[str, str]  # the SHA-256 of the PDF in its run, and the stem of the names of its files


@dataclass(frozen=True, slots=True)
class Kept:
    """All that a build leaves for the next: assets by their key, files and vehicles' parts by path, and lines ``told``.

    ``searched`` are the texts of which the search index was made, in the order of its rows.
    """

    assets: Mapping[AssetKey, Asset]
    files: Mapping[str, FileFacts]
    parts: Mapping[str, Part]
    searched: Sequence[str]
    told: Mapping[str, Any]


class Cache:
    """An open cache; whoever writes to it holds the build's lock."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database
        self._assets: dict[AssetKey, Asset] = {}  # what was asked for is what is known to be there
        self._files: dict[str, FileFacts] = {}
        self._parts: dict[str, Part] = {}
        self._searched: list[str] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, disk: Disk) -> AsyncIterator[Cache]:
        """Open a cache, empty where there is none or it cannot be used; raises ``StorageError``."""
        async with open_database(path, _SCHEMA, VERSION, disk) as database:
            yield cls(database)

    async def assets(self, recipe: str) -> dict[AssetKey, Asset]:
        """Return all assets that were made by a recipe."""
        rows = await self._database.execute_fetchall(
            "SELECT sha256, stem, pdf, size, picture, text, faults FROM asset WHERE recipe = ?", (recipe,)
        )
        self._assets = {
            (sha256, stem): Asset(pdf, size, picture, text, tuple(json.loads(faults)))
            for sha256, stem, pdf, size, picture, text, faults in rows
        }
        return self._assets

    async def files(self) -> dict[str, FileFacts]:
        """Return all files of the archive by their path from its root."""
        rows = await self._database.execute_fetchall("SELECT path, size, mtime_ns, made_from, facts FROM file")
        self._files = {path: FileFacts._make(row) for path, *row in rows}
        return self._files

    async def parts(self) -> dict[str, Part]:
        """Return what each vehicle has added to what was made of all, by the path of its page."""
        parts = self._parts = {}
        for path, name, made_from, text in await self._database.execute_fetchall("SELECT * FROM part"):
            if path not in parts:
                parts[path] = Part(made_from)
            parts[path].texts[name] = text
        return parts

    async def searched(self) -> list[str]:
        """Return the texts of which the last search index was made, in their order."""
        rows = await self._database.execute_fetchall("SELECT text FROM searched ORDER BY row")
        self._searched = [text.decode("utf-8", "surrogatepass") for (text,) in rows]
        return self._searched

    async def told(self) -> dict[str, Any]:
        """Return what the last build has left for the next."""
        rows = await self._database.execute_fetchall("SELECT name, told FROM build")
        return {name: json.loads(told) for name, told in rows}

    async def keep(self, recipe: str, kept: Kept) -> None:
        """Replace all of it at once, writing what differs; what would be made otherwise another time is not kept."""
        database = self._database
        lasting = {key: one for key, one in kept.assets.items() if one.lasting}
        await database.execute("DELETE FROM asset WHERE recipe <> ?", (recipe,))
        gone = self._assets.keys() - lasting.keys()
        await database.executemany("DELETE FROM asset WHERE sha256 = ? AND stem = ?", gone)
        await self._put(
            "asset",
            (
                (*key, recipe, one.pdf, one.size, one.picture, one.text, to_json(one.faults))
                for key, one in lasting.items()
                if _differ(self._assets.get(key), one)
            ),
        )
        await self._drop("file", self._files.keys() - kept.files.keys())
        await self._put(
            "file",
            (
                (path, one.size, one.mtime_ns, one.made_from, one.facts)
                for path, one in kept.files.items()
                if _differ(self._files.get(path), one)
            ),
        )
        changed = {path: one for path, one in kept.parts.items() if _differ(self._parts.get(path), one)}
        await self._drop("part", (self._parts.keys() - kept.parts.keys()) | (self._parts.keys() & changed.keys()))
        await self._put(
            "part",
            ((path, name, one.made_from, text) for path, one in changed.items() for name, text in one.texts.items()),
        )
        await database.execute("DELETE FROM searched WHERE row >= ?", (len(kept.searched),))
        texts = zip_longest(kept.searched, self._searched[: len(kept.searched)])
        other = ((row, now) for row, (now, before) in enumerate(texts) if now != before)
        await self._put("searched", ((row, text.encode("utf-8", "surrogatepass")) for row, text in other))
        await database.execute("DELETE FROM build")
        await self._put("build", ((name, to_json(one)) for name, one in kept.told.items()))
        await database.commit()

    async def _drop(self, table: str, paths: Iterable[str]) -> None:
        await self._database.executemany(f"DELETE FROM {table} WHERE path = ?", [(path,) for path in paths])  # noqa: S608

    async def _put(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        given = list(rows)
        if given:
            marks = ", ".join("?" for _ in given[0])
            await self._database.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", given)  # noqa: S608


def _differ(known: object, now: object) -> bool:
    return known is not now and known != now  # most are the same object, which need not be looked into
