"""EXIF blocks with what Pillow does not write."""

from __future__ import annotations

import struct


def with_thumbnail(block: bytes, jpeg: bytes) -> bytes:
    """Return an EXIF block with a second directory at its end, that of a thumbnail."""
    order = "<" if block[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, first)
    link = first + 2 + 12 * count
    entries = (0x0201, 4, 1, len(block) + 30), (0x0202, 4, 1, len(jpeg))  # where it is, and its size
    second = struct.pack(order + "HHHIIHHIII", 2, *entries[0], *entries[1], 0)
    return block[:link] + struct.pack(order + "I", len(block)) + block[link + 4 :] + second + jpeg
