"""The JPEG XL file around an encoded picture, with its brightness, EXIF and XMP (ISO/IEC 18181-2)."""

from __future__ import annotations

import struct

from headroom.image import Metadata
from headroom.io import isobmff
from headroom.io.jxl_codestream import SIGNATURE, with_intensity_target
from headroom.io.jxl_header import codestream

_START = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
_LEVEL = b"jxll"  # stands before the codestream


def build(encoded: bytes, metadata: Metadata, intensity_target_nits: float) -> bytes:
    """Return a file with the picture, brightness and level of an encoder's file, and with this metadata.

    `encoded` is a file or a bare codestream.
    """
    boxes = [] if encoded.startswith(SIGNATURE) else isobmff.boxes(memoryview(encoded))
    parts = [_box(kind, body) for kind, body in boxes if kind == _LEVEL]
    parts.append(_box(b"jxlc", with_intensity_target(codestream(encoded, len(encoded)), intensity_target_nits)))
    if metadata.exif:
        parts.append(_box(b"Exif", bytes(4) + metadata.exif))  # an offset of 0 to the byte order
    if metadata.xmp:
        parts.append(_box(b"xml ", metadata.xmp))
    return _START + b"".join(parts)


def _box(kind: bytes, body: bytes | memoryview) -> bytes:
    size = 8 + len(body)
    if size < 2**32:
        return struct.pack(">I4s", size, kind) + body
    return struct.pack(">I4sQ", 1, kind, size + 8) + body
