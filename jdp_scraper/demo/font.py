"""A web font with one empty glyph: browsers load it, accept it, and draw everything with the next font in line."""

from __future__ import annotations

import random
import struct

# Half of a real web font's size; it is there so that a client which blocks fonts can show what it saved.
_PADDING = 60_000


def make_font() -> bytes:
    """Give a TrueType file (ISO/IEC 14496-22, the Open Font Format) that maps only one private character."""
    tables = {
        b"OS/2": struct.pack(">HhHHH", 4, 500, 400, 5, 0) + bytes(20) + bytes(2) + bytes(10) + bytes(16) + b"DEMO"
        + struct.pack(">HHHhhhHH", 0x40, 0xE000, 0xE000, 800, -200, 90, 1000, 200) + bytes(8)
        + struct.pack(">hhHHH", 500, 700, 0, 32, 1),
        b"cmap": struct.pack(">HHHHI", 0, 1, 3, 1, 12) + struct.pack(">HHHHHHH", 4, 32, 0, 4, 4, 1, 0)
        + struct.pack(">HHHHHhhHH", 0xE000, 0xFFFF, 0, 0xE000, 0xFFFF, 0x2000, 1, 0, 0),
        b"glyf": bytes(4),
        b"head": struct.pack(">HHHHIIHH", 1, 0, 1, 0, 0, 0x5F0F3CF5, 0, 1000) + bytes(16)
        + struct.pack(">hhhhHHhhh", 0, 0, 0, 0, 0, 8, 2, 1, 0),
        b"hhea": struct.pack(">HHhhhHhhhhhh", 1, 0, 800, -200, 90, 500, 0, 0, 0, 1, 0, 0) + bytes(8)
        + struct.pack(">hH", 0, 1),
        b"hmtx": struct.pack(">Hh", 500, 0),
        b"loca": struct.pack(">II", 0, 0),
        b"maxp": struct.pack(">HHH", 1, 0, 1) + bytes(26),
        b"name": struct.pack(">HHH", 0, 0, 6),
        b"post": struct.pack(">HHIhhI", 3, 0, 0, 0, 0, 0) + bytes(16),
        b"pad ": random.Random("font").randbytes(_PADDING),
    }  # fmt: skip
    directory, bodies, at = b"", b"", 12 + 16 * len(tables)
    for tag, body in sorted(tables.items()):
        padded = body + bytes(-len(body) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        directory += tag + struct.pack(">III", total, at, len(body))
        bodies += padded
        at += len(padded)
    return struct.pack(">IHHHH", 0x00010000, len(tables), 128, 3, len(tables) * 16 - 128) + directory + bodies
