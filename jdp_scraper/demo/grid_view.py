"""What the grid shows: a page of the rows that the session's filter leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .account import Session
from .lot import Lot, Vehicle

# The pager names the pages around the current one, like the real control.
_NUMBERED = 4


@dataclass(frozen=True)
class GridView:
    """A page of rows; `page` counts from 0, `first` is the place of its first row among all `total` filtered ones."""

    rows: Sequence[Vehicle]
    first: int
    page: int
    pages: int
    total: int
    filter: str

    @property
    def numbered(self) -> range:
        """The pages that the pager names."""
        return range(max(0, self.page - _NUMBERED), min(self.pages, self.page + _NUMBERED + 1))


def obey(session: Session, command: str, value: str) -> None:
    """Change a session's view by a command of the page's script; an unknown one, like `load`, changes nothing."""
    if command == "filter":
        session.filter, session.page = value.strip(), 0
    elif command == "clear":
        session.filter, session.page = "", 0
    elif command == "next":
        session.page += 1
    elif command == "previous":
        session.page -= 1
    elif command == "page" and value.isdecimal():
        session.page = int(value)


def look(session: Session, lot: Lot, page_size: int) -> GridView:
    """Give what a session's view shows of the lot; a page beyond the last becomes the last, also in the session."""
    found = lot.containing(session.filter)
    pages = max(1, -(-len(found) // page_size))
    session.page = min(max(session.page, 0), pages - 1)
    first = session.page * page_size
    return GridView(found[first : first + page_size], first, session.page, pages, len(found), session.filter)


def row_at(session: Session, lot: Lot, index: int) -> Vehicle | None:
    """Give the vehicle at a place among the rows that the session's filter leaves now, whichever page asked."""
    found = lot.containing(session.filter)
    return found[index] if 0 <= index < len(found) else None
