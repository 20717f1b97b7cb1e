"""The browser floor: find and launch Chromium, one context, a pool of pages, requests caught before they leave."""
