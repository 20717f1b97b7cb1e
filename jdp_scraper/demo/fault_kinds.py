"""The faults themselves: a table of names and small functions, each answering one scene wrongly.

A new fault is a function and a line in KINDS. BY_CHANCE holds where a fault happens when it is only given a rate: never
at sign-in or sign-out, where one try is all that a client has; `KIND@POINT` puts it there on purpose.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from .faults import POINTS
from .scene import Scene

Act = Callable[[Scene], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Kind:
    """What a fault does, and the points at which it makes sense."""

    act: Act
    points: frozenset[str]


def _status(status: int, title: str) -> Act:
    async def act(scene: Scene) -> web.StreamResponse:
        text = "Sorry, an error occurred while processing your request."
        response = scene.site.message_page(status, title, text)
        if status == 429:
            response.headers["Retry-After"] = str(scene.portal.options.retry_after_s)
        return response

    return act


async def hang(scene: Scene) -> web.StreamResponse:
    """Send no byte for `hang_s` seconds, then close the connection."""
    await asyncio.sleep(scene.portal.options.hang_s)
    return await reset(scene)


async def reset(scene: Scene) -> web.StreamResponse:
    """Reset the connection: in the middle of a PDF, before the first byte of anything else."""
    response: web.StreamResponse = web.Response()
    if scene.point == "pdf":
        regular = await scene.regular()
        if not _is_pdf(regular):
            return regular
        response = await _send(scene, _body(regular), len(_body(regular)) // 2, length=len(_body(regular)))
    _abort(scene.request)
    return response


async def truncated(scene: Scene) -> web.StreamResponse:
    """Announce the whole PDF, send two thirds of it and close."""
    regular = await scene.regular()
    if not _is_pdf(regular):
        return regular
    body = _body(regular)
    response = await _send(scene, body, len(body) * 2 // 3, length=len(body))
    if scene.request.transport is not None:
        scene.request.transport.close()
    return response


async def truncated_short_length(scene: Scene) -> web.StreamResponse:
    """Send two thirds of the PDF and announce just that, so that the transfer looks complete."""
    regular = await scene.regular()
    body = _body(regular) if _is_pdf(regular) else b""
    return await _send(scene, body, len(body) * 2 // 3, length=len(body) * 2 // 3) if body else regular


async def truncated_chunked(scene: Scene) -> web.StreamResponse:
    """Send two thirds of the PDF without announcing a length, and end in order."""
    regular = await scene.regular()
    body = _body(regular) if _is_pdf(regular) else b""
    return await _send(scene, body, len(body) * 2 // 3, length=None) if body else regular


async def html(scene: Scene) -> web.StreamResponse:
    """Send a page with status 200 in place of the PDF."""
    await scene.regular()
    return scene.site.message_page(200, "Please wait", "Your report is being prepared. Please try again later.")


async def html_as_pdf(scene: Scene) -> web.StreamResponse:
    """Send a page with status 200 in place of the PDF, and call it a PDF."""
    response = await html(scene)
    response.content_type = "application/pdf"
    return response


async def other_vehicle(scene: Scene) -> web.StreamResponse:
    """Do what was asked for, for another vehicle."""
    if scene.vehicles:
        scene = scene.about(scene.portal.lot.another(scene.vehicle))
    return await scene.regular()


async def slow_drip(scene: Scene) -> web.StreamResponse:
    """Send the PDF whole, but only `drip_bytes_s` bytes a second."""
    regular = await scene.regular()
    if not _is_pdf(regular):
        return regular
    body, rate = _body(regular), scene.portal.options.drip_bytes_s
    response = web.StreamResponse(headers={"Content-Type": "application/pdf", "Content-Length": str(len(body))})
    await response.prepare(scene.request)
    for start in range(0, len(body), rate):
        await response.write(body[start : start + rate])
        await asyncio.sleep(1)
    return response


async def redirect_origin(scene: Scene) -> web.StreamResponse:
    """Redirect the PDF to the same server under another name, which is another origin and would serve it."""
    regular = await scene.regular()
    if not _is_pdf(regular):
        return regular
    port = scene.request.url.port
    return web.Response(
        status=302,
        headers={"Location": f"http://localhost:{port}/_demo/elsewhere/GetPdfReport?key={scene.vehicle.key}"},
    )


async def sign_in_page(scene: Scene) -> web.StreamResponse:
    """Show the sign-in page with status 200, though the session is as good as before."""
    return scene.site.sign_in_page(scene.session)


async def expire(scene: Scene) -> web.StreamResponse:
    """End the session as an expiry does, just before the request is answered."""
    if scene.session.signed_in:
        scene.portal.ledger.expiries += 1
        scene.portal.desk.end(scene.session)
    return await scene.regular()


async def license_again(scene: Scene) -> web.StreamResponse:
    """Ask for the license again before anything else."""
    scene.session.license_due = scene.session.signed_in
    return await scene.regular()


async def rotate_cookie(scene: Scene) -> web.StreamResponse:
    """Renew the sign-in cookie with this answer."""
    if scene.session.signed_in:
        scene.portal.desk.rotate(scene.session)
    return await scene.regular()


async def gone(scene: Scene) -> web.StreamResponse:
    """Say that the vehicle is no longer there."""
    return scene.site.message_page(404, "Vehicle not found", "This vehicle is no longer in your inventory.")


async def popup_blocked(scene: Scene) -> web.StreamResponse:
    """Make the report ready, but let the page's script find its new tab blocked."""
    response = await scene.regular()
    if isinstance(response, web.Response) and response.content_type == "application/json" and response.text:
        response.text = json.dumps(json.loads(response.text) | {"blocked": True})
    return response


async def row_missing(scene: Scene) -> web.StreamResponse:
    """Leave a row out of the grid; the grid's own answer looks for this kind when it chooses its rows."""
    return await scene.regular()


def _is_pdf(response: web.StreamResponse) -> bool:
    return response.content_type == "application/pdf"


def _body(response: web.StreamResponse) -> bytes:
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        raise TypeError("a regular answer has its body in memory")
    return response.body


async def _send(scene: Scene, body: bytes, count: int, length: int | None) -> web.StreamResponse:
    headers = {"Content-Type": "application/pdf"} | ({} if length is None else {"Content-Length": str(length)})
    response = web.StreamResponse(headers=headers)
    await response.prepare(scene.request)
    await response.write(body[:count])
    return response


def _abort(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    # Lingering zero seconds turns the close into a reset; Windows has two short numbers there.
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


_SIGNED_IN = frozenset(POINTS - {"sign_in_page", "sign_in", "sign_out", "license", "row"})
_REQUESTS = frozenset(POINTS - {"row"})
_PDF = frozenset({"pdf"})

KINDS: dict[str, Kind] = {
    "error_401": Kind(_status(401, "Unauthorized"), _REQUESTS),
    "error_403": Kind(_status(403, "Forbidden"), _REQUESTS),
    "error_404": Kind(_status(404, "Not found"), _REQUESTS),
    "error_500": Kind(_status(500, "Server Error"), _REQUESTS),
    "error_503": Kind(_status(503, "Service Unavailable"), _REQUESTS),
    "too_many": Kind(_status(429, "Too Many Requests"), _REQUESTS),
    "hang": Kind(hang, _REQUESTS),
    "reset": Kind(reset, _REQUESTS),
    "sign_in_page": Kind(sign_in_page, _SIGNED_IN),
    "expire": Kind(expire, _REQUESTS - {"sign_in"}),
    "license": Kind(license_again, _SIGNED_IN),
    "rotate_cookie": Kind(rotate_cookie, _SIGNED_IN),
    "truncated": Kind(truncated, _PDF),
    "truncated_short_length": Kind(truncated_short_length, _PDF),
    "truncated_chunked": Kind(truncated_chunked, _PDF),
    "html": Kind(html, _PDF),
    "html_as_pdf": Kind(html_as_pdf, _PDF),
    "other_vehicle": Kind(other_vehicle, frozenset({"pdf", "create", "vehicle"})),
    "slow_drip": Kind(slow_drip, _PDF),
    "redirect_origin": Kind(redirect_origin, _PDF),
    "gone": Kind(gone, frozenset({"vehicle", "create", "pdf"})),
    "row_missing": Kind(row_missing, frozenset({"row"})),
    "popup_blocked": Kind(popup_blocked, frozenset({"create"})),
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
