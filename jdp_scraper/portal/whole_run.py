"""What fails in a step that no vehicle can do without ends the run: its errors, mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jdp_scraper.errors import (
    BrowserLost,
    PageLost,
    PortalAnswered,
    PortalChanged,
    PortalDown,
    SessionExpired,
    StepTimeout,
)


@contextmanager
def whole_run_errors(origin: str) -> Iterator[None]:
    """Map what fails in a step that no vehicle can do without to an error that stops the run."""
    try:
        yield
    except PortalAnswered as error:
        raise PortalDown(
            f"the portal at {origin} cannot be used: {error}; check the network, PORTAL_URL, or wait"
        ) from error
    except StepTimeout as error:
        raise PortalChanged(f"the portal does not behave as the profile says: {error}") from error
    except SessionExpired as error:
        raise PortalDown(f"the portal ended the session at once: {error}") from error
    except PageLost as error:
        raise BrowserLost(f"the browser's page was lost: {error}") from error
