"""The site `jdpower`: all its pages, shaped like the real portal's."""

from __future__ import annotations

from aiohttp import web

from .assets import Assets
from .jdpower_account import AccountPages
from .jdpower_frame import HOME, ROOT, JdPowerFrame
from .jdpower_inventory import InventoryPages
from .jdpower_vehicle import VehiclePages


class JdPowerSite(JdPowerFrame):
    """The site shaped like the real portal."""

    def routes(self) -> list[web.RouteDef]:
        """Give the site's routes."""
        return [
            web.get("/", self._to_home),
            web.get(ROOT, self._to_home),
            *AccountPages(self).routes(),
            *InventoryPages(self).routes(),
            *VehiclePages(self).routes(),
            *Assets(self.portal, f"{ROOT}/Content").routes(),
        ]

    async def _to_home(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(HOME)
