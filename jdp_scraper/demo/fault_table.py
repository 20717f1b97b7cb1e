"""The table of faults: their names, where each can happen, and the way of a request past them.

A new fault is a function of `fault_kinds` and a line in KINDS. BY_CHANCE holds where a fault happens when it is only
given a rate: never at sign-in or sign-out, where one try is all that
a client has; `KIND@POINT` puts it there on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from . import fault_kinds as kinds
from .faults import POINTS
from .scene import Scene


@dataclass(frozen=True)
class Kind:
    """What a fault does, and the points at which it makes sense."""

    act: kinds.Act
    points: frozenset[str]


_SIGNED_IN = frozenset(POINTS - {"sign_in_page", "sign_in", "sign_out", "license", "row"})
_REQUESTS = frozenset(POINTS - {"row"})
_PDF = frozenset({"pdf"})

KINDS: dict[str, Kind] = {
    "error_401": Kind(kinds.error_page(401, "Unauthorized"), _REQUESTS),
    "error_403": Kind(kinds.error_page(403, "Forbidden"), _REQUESTS),
    "error_404": Kind(kinds.error_page(404, "Not found"), _REQUESTS),
    "error_500": Kind(kinds.error_page(500, "Server Error"), _REQUESTS),
    "error_503": Kind(kinds.error_page(503, "Service Unavailable"), _REQUESTS),
    "too_many": Kind(kinds.error_page(429, "Too Many Requests"), _REQUESTS),
    "hang": Kind(kinds.hang, _REQUESTS),
    "late_answer": Kind(kinds.late_answer, frozenset({"sign_in"})),
    "reset": Kind(kinds.reset, _REQUESTS),
    "sign_in_page": Kind(kinds.sign_in_page, _SIGNED_IN),
    "expire": Kind(kinds.expire, _REQUESTS - {"sign_in"}),
    "license": Kind(kinds.license_again, _SIGNED_IN),
    "rotate_cookie": Kind(kinds.rotate_cookie, _SIGNED_IN),
    "truncated": Kind(kinds.truncated, _PDF),
    "truncated_short_length": Kind(kinds.truncated_short_length, _PDF),
    "truncated_chunked": Kind(kinds.truncated_chunked, _PDF),
    "html": Kind(kinds.html, _PDF),
    "html_as_pdf": Kind(kinds.html_as_pdf, _PDF),
    "other_vehicle": Kind(kinds.other_vehicle, frozenset({"pdf", "create", "vehicle"})),
    "scan": Kind(kinds.scan, _PDF),
    "javascript": Kind(kinds.javascript, _PDF),
    "slow_drip": Kind(kinds.slow_drip, _PDF),
    "redirect_origin": Kind(kinds.redirect_origin, _PDF),
    "gone": Kind(kinds.gone, frozenset({"vehicle", "create", "pdf"})),
    "gone_softly": Kind(kinds.gone_softly, frozenset({"vehicle"})),
    "row_missing": Kind(kinds.row_missing, frozenset({"row"})),
    "echo": Kind(kinds.echo, _REQUESTS),
    "popup_blocked": Kind(kinds.popup_blocked, frozenset({"create"})),
}

BY_CHANCE: dict[str, frozenset[str]] = {
    name: {"gone": frozenset({"vehicle"}), "other_vehicle": _PDF}.get(name, kind.points & (_SIGNED_IN | {"row"}))
    for name, kind in KINDS.items()
} | {name: frozenset({"create"}) for name in ("error_401", "error_403")}


async def play(scene: Scene) -> web.StreamResponse:
    """Answer a request, with the fault that is due for it where there is one, and with the cookies that are new."""
    scene.portal.ledger.points[scene.point] += 1
    try:
        response = await _act(scene)
    except web.HTTPException as answer:
        scene.site.set_cookies(scene.session, answer)
        raise
    if not response.prepared:
        # One that is under way already keeps its cookies for the next answer.
        scene.site.set_cookies(scene.session, response)
    return response


async def _act(scene: Scene) -> web.StreamResponse:
    drawn = scene.portal.faults.draw(scene.point, scene.vehicles)
    if drawn is None:
        return await scene.regular()
    scene.portal.ledger.faults[f"{drawn[0]}@{scene.point}"] += 1
    return await KINDS[drawn[0]].act(scene)
