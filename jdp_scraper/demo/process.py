"""The demo portal as a child process, and the client of its control API."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, cast

import httpx

from .options import DemoOptions

START_DEADLINE_S = 60.0  # also where the machine is short of time
_STOP_DEADLINE_S = 5.0
_READY = "demo portal ready at "
# The child finds the package also where it is not installed and the parent runs in another folder.
_ROOT = str(Path(__file__).resolve().parents[2])


class PortalStartError(RuntimeError):
    """The demo portal did not come up; the message holds what it said."""


class DemoPortal:
    """A running demo portal in a process of its own; made by `DemoPortal.start`."""

    def __init__(self, url: str, pid: int, client: httpx.AsyncClient) -> None:
        self.url = url
        self.pid = pid
        self._client = client

    @classmethod
    @asynccontextmanager
    async def start(cls, options: DemoOptions | None = None, port: int = 0) -> AsyncIterator[DemoPortal]:
        """Start a portal and stop it at the end of the context; the portal also ends when this process does.

        Raises PortalStartError where it is not ready within 60 seconds.
        """
        errors = await asyncio.to_thread(tempfile.TemporaryFile)
        child = await asyncio.to_thread(_spawn, options or DemoOptions(), port, errors)
        try:
            url = await _ready_line(child, errors)
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=START_DEADLINE_S) as client:
                yield cls(url, child.pid, client)
        finally:
            # Shielded, so that a cancelled caller leaves no process behind.
            await asyncio.shield(asyncio.to_thread(_stop, child, errors))

    async def ledger(self) -> dict[str, Any]:
        """Give what the portal saw."""
        found: dict[str, Any] = (await self._get("ledger")).json()
        return found

    async def inventory(self) -> list[dict[str, Any]]:
        """Give the vehicles on the lot in inventory order, with their values and the label of their report."""
        found: list[dict[str, Any]] = (await self._get("inventory")).json()
        return found

    async def set(self, **options: Any) -> None:
        """Change options while it runs. Raises ValueError for what DemoOptions does not know or allow."""
        await self._post("set", options)

    async def expire(self) -> int:
        """End all sessions as an expiry does, and give how many there were; the account is free."""
        return int((await self._post("expire", {})).json()["ended"])

    async def fault(self, kind: str, at: str | None = None, times: int = 1, match: str | None = None) -> None:
        """Queue a fault for the next `times` requests (below zero: all) at a point, of one reference or VIN if given.

        Raises ValueError for an unknown kind or point.
        """
        await self._post("fault", {"kind": kind, "at": at, "times": times, "match": match})

    async def clear_faults(self) -> None:
        """Forget all queued faults; chances stay."""
        (await self._client.delete("/_demo/fault")).raise_for_status()

    async def change_lot(
        self, remove: Sequence[str] = (), rename: Mapping[str, str] | None = None, add: int = 0
    ) -> None:
        """Change the inventory as between two days: references that go, references that change, vehicles that come."""
        await self._post("lot", {"remove": list(remove), "rename": dict(rename or {}), "add": add})

    async def _get(self, name: str) -> httpx.Response:
        return (await self._client.get(f"/_demo/{name}")).raise_for_status()

    async def _post(self, name: str, body: Mapping[str, Any]) -> httpx.Response:
        response = await self._client.post(f"/_demo/{name}", json=body)
        if response.status_code == 400:
            raise ValueError(response.text)
        return response.raise_for_status()


def _spawn(options: DemoOptions, port: int, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"{__package__}", "--exit-with-parent", "--port", str(port)]
    path = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [*command, "--options", json.dumps(options.as_mapping())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "PYTHONPATH": path},
        # A session of its own: Ctrl-C in the terminal is for the parent, which then still has to sign out here.
        start_new_session=True,
    )


async def _ready_line(child: subprocess.Popen[bytes], errors: IO[bytes]) -> str:
    output = cast("IO[bytes]", child.stdout)
    reading = asyncio.ensure_future(asyncio.to_thread(output.readline))
    done, _ = await asyncio.wait({reading}, timeout=START_DEADLINE_S)
    line = reading.result().decode("ascii", "replace").strip() if done else ""
    if line.startswith(_READY):
        return line.removeprefix(_READY)
    child.kill()
    await reading
    said = await asyncio.to_thread(_tail, errors)
    raise PortalStartError(f"demo portal did not start within {START_DEADLINE_S:.0f} s: {line} {said}".strip())


def _tail(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read()[-2000:].decode("utf-8", "replace").strip()


def _stop(child: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    cast("IO[bytes]", child.stdin).close()
    try:
        child.wait(_STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    cast("IO[bytes]", child.stdout).close()
    errors.close()
