"""``make bench``: measures the parts, as ratios within one run; nothing here fails for being slow."""

from __future__ import annotations

import asyncio

from tests.benchmarks import recording, sign_in_window, verifying

if __name__ == "__main__":
    asyncio.run(recording.main())
    asyncio.run(verifying.main())
    asyncio.run(sign_in_window.main())
