"""WebP photos, by Pillow; of animated ones the first frame."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL.WebPImagePlugin import WebPImageFile

from headroom.errors import CorruptFile
from headroom.image import Photo
from headroom.io import assemble, profile
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.guard import check_size
from headroom.io.unread import further_pictures

# The quantiser of VP8 lies inside its arithmetic-coded header; this is what JPEG of the usual quality 75 leaves.
_LOSSY_STEP = 2.6


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the chunks say."""
    return _facts(path, content, _open(path, content))


def read(path: Path, content: bytes) -> Photo:
    """Return the photo; alpha and further pictures are dropped."""
    image = _open(path, content)
    facts = _facts(path, content, image)
    return assemble.photo(path, facts, np.asarray(image), left_out=further_pictures(image.n_frames - 1))


def _open(path: Path, content: bytes) -> WebPImageFile:
    # The decoder makes its canvas when it opens a file, so the size is checked before that.
    check_size(path, *_size(path, content))
    return WebPImageFile(BytesIO(content))


def _size(path: Path, content: bytes) -> tuple[int, int]:
    """Return width and height from the first chunk (RFC 9649, 2.5-2.7; RFC 6386, 9.1)."""
    first, body = content[12:16], content[20:30]
    if first == b"VP8X" and len(body) == 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if first == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if first == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise CorruptFile(f"{path}: the WebP header is damaged. Copy or download it again.")


def _facts(path: Path, content: bytes, image: WebPImageFile) -> FileFacts:
    metadata = assemble.blocks_of(image)
    return stored_facts(
        path,
        container="webp",
        kind="photo",
        size=image.size,
        bit_depth=8,
        encoding=profile.encoding_of(metadata),
        metadata=metadata,
        file_bytes=len(content),
        lossy_step=0.0 if _is_lossless(content) else _LOSSY_STEP,
    )


def _is_lossless(content: bytes) -> bool:
    """Return True when the first picture is of the lossless kind."""
    at = 12
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        if kind in {b"VP8 ", b"VP8L"}:
            return bool(kind == b"VP8L")
        at += 8 + (16 if kind == b"ANMF" else size + size % 2)  # a frame's picture follows its 16 bytes of numbers
    return False
