"""What a worker process does: it answers requests, one after the other, until its parent is gone.

One request is a line of JSON on stdin, one answer a length (four bytes, big endian) and that much JSON on stdout; an
empty answer at the start says that it is ready, another one that it has the request in hand. The end of stdin ends it,
even in the middle of a job: so it never outlives its parent.

``python -m jdp_scraper.batch.child MEMORY_BYTES [MODULE ...]`` runs functions by name, and imports those modules while
it waits for its first request; another child calls ``serve`` itself.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from queue import SimpleQueue
from typing import Any

from jdp_scraper import system

LIFETIME_CPU_S = 3600  # whoever asks more of one process has to replace it in between
Request = dict[str, Any]


def serve(answer: Callable[[Request], dict[str, object]], memory_bytes: int, modules: Iterable[str] = ()) -> None:
    """Answer requests until stdin ends; each may take ``seconds`` of processor time, as it says itself.

    It may also say that it takes less ``memory`` than ``memory_bytes``.

    ``modules`` are imported before the first, beside whatever the parent does meanwhile.
    """
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library in C prints must not mix with the answers
    system.limit_resources(memory_bytes, LIFETIME_CPU_S)
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    _send(answers, b"")
    for module in modules:
        with contextlib.suppress(Exception):  # the request that needs it tells
            importlib.import_module(module)
    while True:
        request = json.loads(requests.get())
        _send(answers, b"")
        system.limit_job(request.get("memory", memory_bytes), request["seconds"])
        _send(answers, json.dumps(answer(request)).encode())


def _listen(requests: SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _send(answers: int, data: bytes) -> None:
    rest = memoryview(len(data).to_bytes(4, "big") + data)
    while rest:
        rest = rest[os.write(answers, rest) :]


def _run(request: Request) -> dict[str, object]:
    try:
        return {"result": _function(request["function"])(*request["arguments"])}
    except MemoryError:
        return {"fault": "it needs too much memory", "limit": True}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}


@cache
def _function(name: str) -> Callable[..., object]:
    module, _, function = name.partition(":")
    found: Callable[..., object] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    serve(_run, int(sys.argv[1]), sys.argv[2:])
