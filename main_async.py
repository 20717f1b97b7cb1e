"""The program by the name that its users know: ``python main_async.py`` is ``jdp-scraper run``."""

from jdp_scraper.program import main

if __name__ == "__main__":
    raise SystemExit(main())
