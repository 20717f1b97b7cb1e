"""How long each step of the portal takes."""

from __future__ import annotations

import asyncio
import random

# Seconds. An earlier client takes as long a vehicle on `typical` as it reported from the real portal.
TABLE: dict[str, dict[str, float]] = {
    "none": {},
    "typical": {
        "page": 0.25, "grid": 0.35, "vehicle": 0.50, "dialog": 0.15, "create": 0.30, "pdf": 1.00, "static": 0.02,
    },
    "slow": {
        "page": 0.80, "grid": 1.20, "vehicle": 1.50, "dialog": 0.40, "create": 0.80, "pdf": 3.00, "static": 0.06,
    },
}  # fmt: skip
SPREAD = (0.8, 1.3)


class Latency:
    """Draws the times of the table, each from 0.8 to 1.3 times its figure, from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"latency:{seed}")

    def draw(self, table: str, step: str) -> float:
        """Give the seconds that this one step takes."""
        figure = TABLE[table].get(step, 0.0)
        return figure * self._random.uniform(*SPREAD) if figure else 0.0

    async def wait(self, table: str, step: str) -> None:
        """Let the time of one step pass; at `none` nothing is given up, not even a turn of the loop."""
        seconds = self.draw(table, step)
        if seconds:
            await asyncio.sleep(seconds)
