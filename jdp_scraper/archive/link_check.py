"""Whether every link of the archive leads somewhere: each ``href`` and ``src``, and the anchor behind it."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape, unescape

from selectolax.lexbor import LexborHTMLParser

_PAGES = (".html", ".htm")
# What begins with one of these leads out of the archive, or nowhere that a file could be.
_OUTSIDE = ("http:", "https:", "mailto:", "tel:", "data:", "//")
_ATTRIBUTES = {"href", "src", "data", "poster"}


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

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps([self.links, sorted(self.anchors)], separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> PageLinks:
        """Return what ``to_json`` told."""
        links, anchors = json.loads(text)
        return cls(tuple(tuple(link) for link in links), frozenset(anchors))


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """Each page's links by its path, how many there are in all, and which are broken.

    ``awaited`` has, by the path of a file that others write at the same time, the links that are broken without it.
    """

    pages: Mapping[str, PageLinks]
    links: int
    broken: tuple[BrokenLink, ...]
    awaited: Mapping[str, tuple[BrokenLink, ...]] = field(default_factory=dict)


def files_below(root: Path) -> frozenset[str]:
    """Return the paths of all files of an archive from its root."""
    return frozenset(_files(root))


def pages_of(files: Iterable[str]) -> list[str]:
    """Return those that are pages."""
    return sorted(path for path in files if path.endswith(_PAGES))


def read_pages(root: str, paths: Iterable[str]) -> dict[str, str]:
    """Return the links of pages as texts of ``PageLinks``: the part that takes time, also for a worker process."""
    return {path: _links(Path(root), path).to_json() for path in paths}


def check_links(
    root: Path,
    awaited: Collection[str] = (),
    known: Mapping[str, PageLinks] | None = None,
    files: Collection[str] | None = None,
) -> LinkCheck:
    """Check all pages of an archive; ``awaited`` are paths from its root that others write at the same time.

    ``known`` are the links of pages that need not be read, ``files`` is what ``files_below`` tells where that is known.
    """
    files = files_below(root) if files is None else files
    known = known or {}
    pages = {path: known.get(path) or _links(root, path) for path in pages_of(files)}
    broken: list[BrokenLink] = []
    later: dict[str, list[BrokenLink]] = {}
    for path, page in pages.items():
        for link, target, fragment in page.links:
            if target is not None and target in awaited:
                later.setdefault(target, []).append(BrokenLink(path, link, f"there is no {target}"))
            elif reason := _fault(target, fragment, files, pages):
                broken.append(BrokenLink(path, link, reason))
    return LinkCheck(pages, sum(len(page.links) for page in pages.values()), tuple(broken), _frozen(later))


def check_document(content: bytes, path: str, base: str, files: Collection[str]) -> list[BrokenLink]:
    """Check the archive's own addresses, which begin with ``base``, in a feed or a sitemap; ``files`` are all there."""
    # Looked for in the text: to parse feeds of thousands of entries takes as long as to make them.
    found = re.findall(f'[>"]({re.escape(escape(base))}[^<"]*)', content.decode())
    told = {unescape(one) for one in found}
    targets = {address: unquote(address.removeprefix(base)) or "index.html" for address in sorted(told)}
    return [
        BrokenLink(path, address, f"there is no {target}") for address, target in targets.items() if target not in files
    ]


def _frozen(links: Mapping[str, list[BrokenLink]]) -> dict[str, tuple[BrokenLink, ...]]:
    return {path: tuple(found) for path, found in links.items()}


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


def _fault(target: str | None, fragment: str, files: Collection[str], pages: Mapping[str, PageLinks]) -> str | None:
    if target is None:
        return "leads out of the archive"
    if target not in files:
        return f"there is no {target}"
    if fragment and fragment != "top" and target in pages and fragment not in pages[target].anchors:
        return f"{target} has no anchor {fragment}"
    return None
