"""Whether every link of the archive leads somewhere: each ``href`` and ``src``, and the anchor behind it."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from jdp_scraper.archive.xml_text import xml_escaped

_PAGES = (".html", ".htm")
# What begins with one of these leads out of the archive, or nowhere that a file could be.
_OUTSIDE = ("http:", "https:", "mailto:", "tel:", "data:", "//")
_ATTRIBUTES = {"href", "src", "data", "poster"}
_ANYWHERE = {"", "top"}  # fragments that need no anchor


@dataclass(frozen=True, slots=True, order=True)
class BrokenLink:
    """A link that leads nowhere: the page that has it, the link as it is written, and what is wrong with it."""

    page: str
    link: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page}: {self.link}: {self.reason}"


@dataclass(frozen=True, slots=True)
class PageLinks:
    """A page's links, each as (as it is written, the path from the root that it leads to, fragment), and its anchors.

    The path is ``None`` where a link leads out of the archive. All of it depends on the page's path and content alone.
    """

    links: tuple[tuple[str, str | None, str], ...]
    anchors: frozenset[str]

    def to_text(self, page: str) -> str:
        """Return it as two lines of JSON; the first is ``KnownLinks.head`` for a page of that path."""
        told = [[len(self.links), self._needed(page)], [self.links, sorted(self.anchors)]]
        return "\n".join(json.dumps(one, separators=(",", ":")) for one in told)

    def _needed(self, page: str) -> list[str] | None:
        """Return the files that must be there for every link to lead somewhere, ``None`` where that is not all."""
        needed = set()
        for _, target, fragment in self.links:
            if target is None or (fragment not in _ANYWHERE and not (target == page and fragment in self.anchors)):
                return None
            needed.add(target)
        return sorted(needed)


@dataclass(frozen=True, slots=True)
class KnownLinks:
    """The text of a page's links, of which mostly no more than the head need be read."""

    text: str

    @property
    def head(self) -> tuple[int, list[str] | None]:
        """How many links there are, and the files whose being there is enough for them; ``None`` where it is not."""
        count, needed = json.loads(self.text.partition("\n")[0])
        return count, needed

    @property
    def page(self) -> PageLinks:
        """All of it."""
        links, anchors = json.loads(self.text.partition("\n")[2])
        return PageLinks(tuple(tuple(link) for link in links), frozenset(anchors))


_UNKNOWN = KnownLinks("")


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """Each page's links by its path, how many there are in all, and which are broken.

    ``awaited`` tells, by the path of a file that others write at the same time, the links that are broken without it.
    """

    pages: Mapping[str, KnownLinks]
    links: int
    broken: tuple[BrokenLink, ...]
    awaited: Mapping[str, Callable[[], list[BrokenLink]]] = field(default_factory=dict)


def files_below(root: Path) -> frozenset[str]:
    """Return the paths of all files of an archive from its root."""
    return frozenset(_files(root))


def pages_of(files: Iterable[str]) -> list[str]:
    """Return those that are pages."""
    return sorted(path for path in files if path.endswith(_PAGES))


def read_pages(root: str, paths: Iterable[str]) -> dict[str, str]:
    """Return the links of pages as texts of ``KnownLinks``: the part that takes time, also for a worker process."""
    return {path: _links(Path(root), path).to_text(path) for path in paths}


def check_links(
    root: Path,
    awaited: Collection[str] = (),
    known: Mapping[str, KnownLinks] | None = None,
    files: Collection[str] | None = None,
) -> LinkCheck:
    """Check all pages of an archive; ``awaited`` are paths from its root that others write at the same time.

    ``known`` are the links of pages that need not be read, ``files`` is what ``files_below`` tells where that is known.
    """
    files = files_below(root) if files is None else files
    known = known or {}
    pages = {path: known.get(path, _UNKNOWN) for path in pages_of(files)}
    here = frozenset(files).difference(awaited)
    count = 0
    doubtful: list[str] = []
    waiting: dict[str, list[str]] = {path: [] for path in awaited}
    for path, told in pages.items():
        try:
            links, needed = told.head
        except (ValueError, TypeError):  # it is not known, or what is remembered was changed by hand
            pages[path] = KnownLinks(_links(root, path).to_text(path))
            links, needed = pages[path].head
        count += links
        if needed is None:
            doubtful.append(path)
        elif not here.issuperset(needed):
            missing = frozenset(needed).difference(here)
            for target in missing.intersection(awaited):
                waiting[target].append(path)
            if not missing.issubset(awaited):
                doubtful.append(path)
    broken: list[BrokenLink] = []
    anchors = _Anchors(pages)
    for path in doubtful:
        for link, to, fragment in pages[path].page.links:
            if to is not None and to in awaited:
                waiting[to].append(path)
            elif reason := _fault(to, fragment, files, anchors):
                broken.append(BrokenLink(path, link, reason))
    later = {target: partial(_all_to, target, paths, pages) for target, paths in waiting.items() if paths}
    return LinkCheck(pages, count, tuple(broken), later)


def _all_to(target: str, paths: Iterable[str], pages: Mapping[str, KnownLinks]) -> list[BrokenLink]:
    return [
        BrokenLink(path, link, f"there is no {target}")
        for path in dict.fromkeys(paths)
        for link, to, _ in pages[path].page.links
        if to == target
    ]


def check_document(content: bytes, path: str, base: str, files: Collection[str]) -> list[BrokenLink]:
    """Check the archive's own addresses, which begin with ``base``, in a feed or a sitemap; ``files`` are all there."""
    # Looked for in the text: to parse feeds of thousands of entries takes as long as to make them.
    found = re.findall(f'[>"]({re.escape(xml_escaped(base))}[^<"]*)', content.decode())
    told = {unescape(one) for one in found}
    targets = {address: unquote(address.removeprefix(base)) or "index.html" for address in sorted(told)}
    return [
        BrokenLink(path, address, f"there is no {target}") for address, target in targets.items() if target not in files
    ]


def _files(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        inner = Path(folder).relative_to(root).as_posix()
        yield from names if inner == "." else (f"{inner}/{name}" for name in names)


def _links(root: Path, path: str) -> PageLinks:
    """Return the links of a page that lead into the archive, and its anchors."""
    tree = LexborHTMLParser((root / path).read_bytes())
    links: list[str] = []
    anchors: set[str] = set()
    for node in tree.css("[href], [src], [srcset], [data], [poster], [id], a[name]"):
        for name, value in node.attributes.items():
            if name in _ATTRIBUTES:
                links.append((value or "").strip())
            elif name == "srcset":
                links += (candidate.split()[0] for candidate in (value or "").split(",") if candidate.strip())
            elif value and (name == "id" or (name == "name" and node.tag == "a")):
                anchors.add(value)
    inner = (link for link in links if not link.lower().startswith(_OUTSIDE))
    return PageLinks(tuple((link, *_resolve(path, link)) for link in inner), frozenset(anchors))


def _resolve(page: str, link: str) -> tuple[str | None, str]:
    """Return the path from the root that a link leads to, ``None`` where it leads out of it, and its fragment."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None, ""
    path, fragment = unquote(parts.path), unquote(parts.fragment)
    if parts.scheme or path.startswith("/"):
        return None, fragment
    if not path:
        return page, fragment
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    if target == ".." or target.startswith("../"):
        return None, fragment
    return (posixpath.join(target, "index.html").removeprefix("./") if path.endswith("/") else target), fragment


class _Anchors(dict[str, frozenset[str] | None]):
    """The anchors of each page that a link leads to, read when they are first asked for; ``None``: it is no page."""

    def __init__(self, pages: Mapping[str, KnownLinks]) -> None:
        super().__init__()
        self._pages = pages

    def __missing__(self, path: str) -> frozenset[str] | None:
        self[path] = self._pages[path].page.anchors if path in self._pages else None
        return self[path]


def _fault(target: str | None, fragment: str, files: Collection[str], anchors: _Anchors) -> str | None:
    if target is None:
        return "leads out of the archive"
    if target not in files:
        return f"there is no {target}"
    if fragment in _ANYWHERE or (there := anchors[target]) is None or fragment in there:
        return None
    return f"{target} has no anchor {fragment}"
