"""The variables that every child process inherits: some are kept from them, others set while one is started."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def taken_out(*names: str) -> dict[str, str]:
    """Remove variables, in whatever case they are written, as the settings read them; return what they were."""
    return {one: os.environ.pop(one) for one in list(os.environ) if one.upper() in names}


@contextmanager
def set_meanwhile(given: Mapping[str, str]) -> Iterator[None]:
    """Set these variables in this block, and put back what was there before."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
