"""One worker process as its parent sees it: started, asked, killed by its own handle, replaced."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jdp_scraper import system
from jdp_scraper.errors import UnusableError

_START_S = 30.0
_END_S = 2.0
_MAX_ANSWER = 16 * 1024 * 1024
_ROOT = Path(__file__).parent.parent.parent
# All that the child needs; the rest, credentials among it, is not for a process that reads other people's files.
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT", "TEMP", "TMP", "VIRTUAL_ENV")


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs one of our modules in a process of its own."""
    return (sys.executable, "-P", "-m", module, *arguments)


class ChildEnded(Exception):
    """The child process ended without an answer."""


class WorkerProcess:
    """A place for one child process, which is started again after it was killed or has died.

    It runs ``command``, which has to call ``serve`` of ``child``; ``name`` is what messages call it.
    """

    def __init__(self, command: Sequence[str], name: str) -> None:
        self._command = command
        self._name = name
        self._process: Process | None = None
        self._ready = False
        self._killed: list[Process] = []
        self._launching = asyncio.Lock()  # or a second child would take the place of one that nobody ends any more

    @property
    def is_there(self) -> bool:
        """Tell whether there is a child, ready or about to be."""
        return self._process is not None and not _has_ended(self._process)

    async def launch(self) -> None:
        """Launch a child without waiting until it is ready; raises ``UnusableError``."""
        async with self._launching:
            if self.is_there:
                return
            self.kill()
            await self._launch()

    async def start(self) -> None:
        """Return once a child is ready for a file; raises ``UnusableError``."""
        await self.launch()
        if self._ready:
            return
        try:
            async with asyncio.timeout(_START_S):
                await self._receive()
        except (TimeoutError, ChildEnded) as error:
            self.kill()
            raise UnusableError(f"{self._name} does not start: {error}") from error
        except BaseException:
            self.kill()
            raise
        self._ready = True

    def send_ahead(self, request: Mapping[str, object]) -> Process | None:
        """Give a child that is at work its next request, so that it never waits for its parent; for ``ask``.

        Returns the child, or ``None`` where there is none that is ready. Whoever does not ask then has to ``kill``.
        """
        if self._process is None or not self._ready or not self.is_there:
            return None
        self._write(self._process, request)
        return self._process

    async def ask(self, request: Mapping[str, object], sent_to: Process | None = None) -> dict[str, Any]:
        """Return the child's answer; raises ``ChildEnded``. Whatever else interrupts it, the child is killed.

        ``sent_to`` is the child that was given this request ahead; another one is given it anew.
        """
        try:
            try:
                if sent_to is None or sent_to is not self._process:
                    await self._hand_over(request)
                else:
                    await self._receive()
            except ChildEnded:  # it died idle, before it saw this file
                await self._hand_over(request)
            answer = _object(await self._receive())
        except BaseException:
            self.kill()
            raise
        return answer

    def kill(self) -> None:
        """Kill the child at once, if there is one; its end is awaited by ``close``."""
        process, self._process = self._process, None
        self._ready = False
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        self._killed = [one for one in [*self._killed, process] if one.returncode is None]

    async def close(self) -> None:
        """End the child in order, or by force if it does not end within two seconds; returns within four."""
        async with self._launching:
            process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await _wait([process])
        self.kill()
        await self.reap()

    async def reap(self) -> None:
        """Return once all that was killed has ended, within two seconds."""
        await _wait(self._killed)
        self._killed = []

    async def _launch(self) -> None:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        detached: dict[str, Any] = system.detached_child()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, **detached
            )
        except OSError as error:
            raise UnusableError(f"{self._name} cannot be started: {error}") from error

    async def _hand_over(self, request: Mapping[str, object]) -> None:
        """Return once a child has the request in hand; from then on its end is the file's fault."""
        await self.start()
        if self._process is None:
            raise ChildEnded("it has been closed")
        self._write(self._process, request)
        await self._receive()

    def _write(self, process: Process, request: Mapping[str, object]) -> None:
        """Write without waiting: what the pipe does not hold, the transport keeps until the child has read."""
        if process.stdin is None:
            raise ChildEnded("it has been closed")
        process.stdin.write(json.dumps(request).encode() + b"\n")

    async def _receive(self) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise ChildEnded("it has been closed")
        process, stdout = self._process, self._process.stdout
        try:
            length = int.from_bytes(await stdout.readexactly(4), "big")
            if length > _MAX_ANSWER:
                raise ChildEnded("its answer is too long")
            return await stdout.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await _wait([process])
            raise ChildEnded(f"exit code {process.returncode}") from error


def _object(data: bytes) -> dict[str, Any]:
    """Return an answer; what a child that a file has taken over may send is not trusted to be one."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ChildEnded("its answer cannot be read") from error
    if not isinstance(answer, dict):
        raise ChildEnded("its answer is not an object")
    return answer


def _has_ended(process: Process) -> bool:
    return process.returncode is not None or process.stdout is None or process.stdout.at_eof()


async def _wait(processes: Sequence[Process]) -> None:
    """Wait for these processes to end, at most two seconds."""
    if processes:
        waits = [asyncio.ensure_future(process.wait()) for process in processes]
        _, late = await asyncio.wait(waits, timeout=_END_S)
        for wait in late:
            wait.cancel()
