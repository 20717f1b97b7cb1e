"""The faults themselves: small functions, each answering one scene wrongly."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import quote

from aiohttp import web

from .scene import Scene

Act = Callable[[Scene], Awaitable[web.StreamResponse]]


def error_page(status: int, title: str) -> Act:
    """Make the fault that answers with an error page; 429 says when to come back."""

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


async def late_answer(scene: Scene) -> web.StreamResponse:
    """Do what was asked for, and send the answer only `hang_s` seconds later."""
    try:
        return await scene.regular()
    finally:
        await asyncio.sleep(scene.portal.options.hang_s)


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


async def scan(scene: Scene) -> web.StreamResponse:
    """Send the report as a scan without any text."""
    return await _another_pdf(scene, lambda: scene.portal.press.scan(scene.vehicle))


async def javascript(scene: Scene) -> web.StreamResponse:
    """Send the right report with a script in it that runs when it is opened."""
    return await _another_pdf(scene, lambda: scene.portal.press.print(scene.vehicle, script="app.alert(1)"))


async def _another_pdf(scene: Scene, body: Callable[[], bytes]) -> web.StreamResponse:
    regular = await scene.regular()
    if not _is_pdf(regular) or not isinstance(regular, web.Response):
        return regular
    headers = {"Content-Disposition": regular.headers["Content-Disposition"]}
    return web.Response(body=body(), content_type="application/pdf", headers=headers)


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


async def echo(scene: Scene) -> web.StreamResponse:
    """Show a page that gives away the password and the cookies that came with the request, written in several ways."""
    told = (scene.portal.options.password, *scene.request.cookies.values())
    ways = (str, escape, quote, json.dumps, lambda text: base64.b64encode(text.encode()).decode("ascii"))
    written = "".join(
        f"<p>{escape(way(text))}</p><a href='?x={quote(text)}'>{escape(text)}</a>" for text in told for way in ways
    )
    field = f'<input type="password" name="Password" id="old" value="{escape(told[0])}">'
    script = f"<script>var told = {json.dumps(told)};</script>"
    title = f"<title>Hello {escape(told[0])}</title>"
    text = f"<!DOCTYPE html><html><head>{title}</head><body>{field}{written}{script}</body></html>"
    return web.Response(text=text, content_type="text/html")


async def gone_softly(scene: Scene) -> web.StreamResponse:
    """Say that the vehicle is no longer there, on a page with status 200."""
    return scene.site.message_page(200, "Vehicle not found", "This vehicle is no longer in your inventory.")


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
