"""Pictures made from numbers, so that the package holds no binary files."""

from __future__ import annotations

import math
import random
import struct
import zlib
from dataclasses import dataclass

# Grain takes five of eight bits: about 0.63 bytes a pixel are left after compression, so sizes are easy to foresee.
_GRAIN = 31


@dataclass(frozen=True)
class Picture:
    """A grey picture: size in pixels, and its rows one after another, a byte a pixel."""

    width: int
    height: int
    pixels: bytes

    def png(self) -> bytes:
        """Give the picture as a PNG file."""
        size = struct.pack(">IIBBBBB", self.width, self.height, 8, 0, 0, 0, 0)
        rows = (self.pixels[start : start + self.width] for start in range(0, len(self.pixels), self.width))
        body = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
        return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def draw_car(width: int, height: int, seed: int) -> Picture:
    """Draw a grainy car under a bright sky."""
    source = random.Random(f"picture:{seed}")
    rows: list[bytes] = []
    for y in range(height):
        down = y / height
        light, dark = _shade(int(205 - 60 * down) if down < 0.84 else 80), _shade(24)
        row, at = source.randbytes(width), 0
        for left, right in _silhouette(down, width):
            row = row[:at] + row[at:left].translate(light) + row[left:right].translate(dark) + row[right:]
            at = right
        rows.append(row[:at] + row[at:].translate(light))
    return Picture(width, height, b"".join(rows))


def draw_book() -> Picture:
    """Draw the little book of the Bookout links, 16 by 16."""
    rows = [bytes([60 if x in (2, 8, 13) or y in (2, 13) else 230 for x in range(16)]) for y in range(16)]
    return Picture(16, 16, b"".join(rows))


def _silhouette(down: float, width: int) -> list[tuple[int, int]]:
    """Give the dark stretches of the row that lies this far down: roof, body, then two wheels."""
    if 0.35 < down <= 0.55:
        slope = (0.55 - down) * 0.5
        return [(int(width * (0.3 + slope)), int(width * (0.72 - slope)))]
    if 0.55 < down <= 0.76:
        return [(int(width * 0.12), int(width * 0.9))]
    reach = 0.08 * math.sqrt(max(0.0, 1 - ((down - 0.76) / 0.12) ** 2))
    return [(int(width * (hub - reach)), int(width * (hub + reach))) for hub in (0.28, 0.74)] if down > 0.76 else []


def _shade(base: int) -> bytes:
    return bytes(min(255, base + (value & _GRAIN)) for value in range(256))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
