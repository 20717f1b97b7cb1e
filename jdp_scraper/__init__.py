"""An asyncio headless-browser scraping daemon that fetches one proven valuation PDF a vehicle."""

__version__ = "0.1.0"
