"""`python -m jdp_scraper.demo`: the demo portal by itself."""

from __future__ import annotations

import argparse
import asyncio
import sys

from .command import add_arguments, options_from
from .server import serve


def main() -> int:
    """Serve as the command line says; 0 after an orderly end, 2 for senseless options or a port that is taken."""
    parser = argparse.ArgumentParser(prog="python -m jdp_scraper.demo", description="Serve the demo portal.")
    add_arguments(parser)
    args = parser.parse_args()
    try:
        options = options_from(args)
        asyncio.run(serve(options, args.port, announce, exit_with_parent=args.exit_with_parent))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"demo portal: {error}\n")
        return 2
    return 0


def announce(url: str) -> None:
    """Print the one line that says where the portal is."""
    sys.stdout.write(f"demo portal ready at {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
