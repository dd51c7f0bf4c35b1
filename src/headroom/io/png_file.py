"""PNG files with the chunks that say what they hold; HDR images as 16-bit PQ or HLG (PNG 3, 11.3.2.6 to 11.3.2.8)."""

from __future__ import annotations

import math
import struct
import zlib

from headroom.image import Metadata
from headroom.io.hdr_codes import HdrCodes

_HEADER_END = 33  # of signature and IHDR, which stand first
_FAST = 1
_RUN_LENGTHS, _UP_FILTER = 3, 32
_LIGHT_UNIT = 10_000  # of a cd/m2
_XMP = b"XML:com.adobe.xmp\0\0\0\0\0"


def build(coded: HdrCodes, metadata: Metadata) -> bytes:
    """Return the file, with MaxCLL, MaxFALL, EXIF and XMP.

    There is no mDCV chunk: no display has mastered the picture.
    """
    import imagecodecs

    encoded = bytes(imagecodecs.png_encode(coded.codes, level=_FAST, strategy=_RUN_LENGTHS, filter=_UP_FILTER))
    light = (math.ceil(nits * _LIGHT_UNIT) for nits in (coded.max_cll_nits, coded.max_fall_nits))
    return with_chunks(
        encoded, [(b"cICP", bytes([*coded.cicp, 0, 1])), (b"cLLI", struct.pack(">II", *light))], metadata
    )


def with_chunks(encoded: bytes, chunks: list[tuple[bytes, bytes]], metadata: Metadata) -> bytes:
    """Return a PNG with these chunks, kind and content, and those of EXIF and XMP after its header."""
    if metadata.exif:
        chunks = [*chunks, (b"eXIf", metadata.exif)]
    if metadata.xmp:
        chunks = [*chunks, (b"iTXt", _XMP + metadata.xmp)]
    framed = b"".join(_chunk(kind, body) for kind, body in chunks)
    return encoded[:_HEADER_END] + framed + encoded[_HEADER_END:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))
