"""Tells that nothing has changed since the last pass, so that it need not be done again.

Nothing has changed where all that a pass reads has the stamps of the last one (the PDFs, the runs' checkpoints and
inventories, the runs that they are compared with, this program's own files), where the rules are the same, and where
the tables in place hold the bytes that were written. Stamps are taken before anything is read. Those that are too near
to that moment are not trusted, as in ``cache.py``: such a pass is not remembered, and the next one looks again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jdp_scraper.catalog.sources import Source, pdfs_below
from jdp_scraper.checkpoint.recovery import FILES
from jdp_scraper.checkpoint.run_folder import RunFolder, parse_name
from jdp_scraper.disk import Disk
from jdp_scraper.errors import ProfileError
from jdp_scraper.values.cache import NAME as CACHE
from jdp_scraper.values.cache import TICK_NS, Stamp, stamp_of, stamp_told
from jdp_scraper.values.files import JSONL, lie_there
from jdp_scraper.values.place import Place, rules_of
from jdp_scraper.values.summary import Summary

NAME = ".values-pass.json"
_FORMAT = 1
_PACKAGE = Path(__file__).parent.parent
_LIBRARIES = ("pypdfium2", "XlsxWriter", "pyarrow")

Outs = Mapping[Path, Sequence[Source]]
Written = Mapping[Path, Mapping[str, str | None]]  # the hash of each table by its name, by their folder


@dataclass(frozen=True, slots=True)
class Known:
    """What the last pass came to, which another one now would come to as well."""

    files: int
    summary: Summary


class LastPass:
    """Make it before anything is read, then ask it, or tell it how this pass went; all of it blocks.

    ``outs`` are the sources by the folder that their values go to, ``portal`` and ``rules_from`` as for ``open_place``.
    ``files`` is about how many PDFs lie there; ``is_first``: nothing is remembered of any of them.
    """

    def __init__(self, outs: Outs, portal: str, rules_from: str | None) -> None:
        self._outs = outs
        self._portal, self._rules_from = portal, rules_from
        self._path = next(iter(outs)) / NAME
        began_ns = time.time_ns()
        self._inputs = _Inputs()
        try:
            self._inputs.look(outs)
        except OSError:
            self._trusted = False  # whoever reads it tells of it
        else:
            self._trusted = self._inputs.newest_ns + TICK_NS < began_ns
        self._key = self._inputs.digest()
        self.files = self._inputs.pdfs
        self.is_first = not any((out / CACHE).exists() for out in outs)

    def known(self) -> Known | None:
        """Return what the last pass came to, where this one would come to the same."""
        try:
            told = json.loads(self._path.read_bytes())
            if not self._trusted or told["format"] != _FORMAT or told["inputs"] != self._key:
                return None
            if told["rules"] != self._rules(told["portals"]) or told["written"].keys() != set(map(str, self._outs)):
                return None
            if not all((out / CACHE).exists() and lie_there(out, told["written"][str(out)]) for out in self._outs):
                return None
            return Known(told["files"], Summary.from_json(told["summary"]))
        except (OSError, ProfileError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def keep(self, places: Sequence[Place], files: int, summary: Summary, written: Written, disk: Disk) -> None:
        """Remember this pass, where it can be told later that nothing has changed; raises ``StorageError``.

        ``places`` are in the order of their sources.
        """
        if not self._trusted:
            return
        portals = [None if place.header is None else place.header.portal for place in places]
        told = {
            "format": _FORMAT,
            "inputs": self._key,
            "portals": portals,
            "rules": _rules_digest([(place.rules, place.own_fields) for place in places]),
            "written": {str(out): hashes for out, hashes in written.items()},
            "files": files,
            "summary": summary.to_json(),
        }
        content = json.dumps(told).encode("ascii") + b"\n"
        try:
            if self._path.read_bytes() == content:
                return
        except OSError:
            pass
        disk.write_whole(self._path, content)

    def _rules(self, portals: Sequence[str | None]) -> str:
        """Return the digest of the rules by which the sources would be read; raises ``ProfileError``."""
        sources = [source for ones in self._outs.values() for source in ones]
        return _rules_digest(
            [rules_of(portal, self._portal, self._rules_from) for _, portal in zip(sources, portals, strict=True)]
        )


@dataclass(slots=True)
class _Inputs:
    """All that a pass reads but the profiles, with stamps; ``newest_ns`` is when the last of it changed.

    ``pdfs`` counts the files that are or may be reports.
    """

    told: list[Any] = field(default_factory=list)
    newest_ns: int = 0
    pdfs: int = 0

    def look(self, outs: Outs) -> None:
        """Take the stamps; raises ``OSError`` where a folder cannot be read."""
        self.told.append((_FORMAT, sys.version, _versions()))
        for path in _program():
            self._take(str(path), stamp_of(path))
        sources = [source for ones in outs.values() for source in ones]
        for out, ones in outs.items():
            self.told.append((str(out), [(str(one.path), one.is_run, one.name) for one in ones]))
        for source in sources:
            if source.is_run:
                self._look_at_run(source.path)
            else:
                for path in pdfs_below(source):
                    self._take(str(path), stamp_of(path))
                    self.pdfs += 1
        asked = {source.path for source in sources if source.is_run}
        for folder in dict.fromkeys(path.parent for path in asked):
            self._look_around(folder, asked)

    def digest(self) -> str:
        """Return what differs where anything differs."""
        return _hash_of(self.told)

    def _take(self, name: str, stamp: Stamp | None) -> None:
        self.told.append((name, stamp))
        if stamp is not None:
            self.newest_ns = max(self.newest_ns, stamp[1], stamp[2])

    def _look_at_run(self, path: Path) -> None:
        folder = RunFolder(path)
        self._look_at_records(folder)
        try:
            with os.scandir(folder.pdfs) as entries:
                found = sorted((one.name, one) for one in entries)
        except FileNotFoundError:
            return
        for name, entry in found:
            try:
                stamp = stamp_told(entry.stat())
            except FileNotFoundError:  # a link that leads nowhere
                stamp = None
            self._take(name, stamp)
        self.pdfs += len(found)

    def _look_around(self, folder: Path, asked: set[Path]) -> None:
        """Look at the runs beside the ones asked for, whose values they are compared with."""
        for name in sorted(name for name in os.listdir(folder) if parse_name(name) is not None):  # noqa: PTH208
            path = folder / name
            if path not in asked:
                run = RunFolder(path)
                self._look_at_records(run)
                self._take(JSONL, stamp_of(run.data / JSONL))

    def _look_at_records(self, folder: RunFolder) -> None:
        self.told.append(str(folder.path))
        for path in (*(folder.data / name for name in FILES), folder.inventory):
            self._take(path.name, stamp_of(path))


def _rules_digest(rules: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    return _hash_of([(text, list(own.items())) for text, own in rules])


def _hash_of(told: object) -> str:
    return hashlib.sha256(ascii(told).encode("ascii")).hexdigest()


@cache
def _versions() -> tuple[str | None, ...]:
    def installed(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    return tuple(map(installed, _LIBRARIES))


def _program() -> Iterator[Path]:
    """Yield the files of this program: another version may come to something else."""
    for folder, folders, names in os.walk(_PACKAGE):
        folders[:] = sorted(one for one in folders if one != "__pycache__")
        yield from (Path(folder) / name for name in sorted(names) if name.endswith(".py"))
