"""``python -m jdp_scraper`` is ``jdp-scraper``."""

from jdp_scraper.program import main

if __name__ == "__main__":
    raise SystemExit(main())
