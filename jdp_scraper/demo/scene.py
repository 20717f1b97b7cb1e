"""One request on its way through the portal, as the sites make it and the faults change it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from .account import Session
from .lot import Vehicle

if TYPE_CHECKING:
    from .portal import Portal


class Site(Protocol):
    """What the rest of the demo needs of a site."""

    def session(self, request: web.Request) -> Session:
        """Give the session of a request's cookies, a new one where there is none."""

    def set_cookies(self, session: Session, response: web.StreamResponse) -> None:
        """Send the cookies that are new in a session."""

    def sign_in_page(self, session: Session, message: str = "") -> web.Response:
        """Give the sign-in form, with a message above it."""

    def message_page(self, status: int, title: str, text: str) -> web.Response:
        """Give a page that says one thing."""


@dataclass(frozen=True)
class Scene:
    """A request, whose it is, what it is about, and how the portal answers it when nothing goes wrong.

    `vehicles` are those that the request names: one for a vehicle's page or report, those of the filter for the grid.
    """

    portal: Portal
    site: Site
    request: web.Request
    session: Session
    point: str
    vehicles: Sequence[Vehicle]
    answer: Callable[[Scene], Awaitable[web.StreamResponse]]

    @property
    def vehicle(self) -> Vehicle:
        """The one vehicle that the request is about. Raises IndexError where it is about none."""
        return self.vehicles[0]

    async def regular(self) -> web.StreamResponse:
        """Answer as if nothing went wrong."""
        return await self.answer(self)

    def about(self, vehicle: Vehicle) -> Scene:
        """Give the same request about another vehicle."""
        return replace(self, vehicles=(vehicle,))
