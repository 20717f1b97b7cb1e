"""Where the program begins: it can be stopped in order before its parts are imported, and while they end."""

from __future__ import annotations

from jdp_scraper import system

_STOPPED = "error: Interrupted before the work began or after it ended: start the command again.\n"


def main() -> int:
    """Run the command line and return its exit code; what cannot be told by it, as yet, is one line here."""
    system.end_at_stop_signals(_STOPPED)
    from jdp_scraper.cli import main as command_line  # noqa: PLC0415 - takes a tenth of a second

    try:
        return command_line()
    finally:
        system.ignore_stop_signals()
