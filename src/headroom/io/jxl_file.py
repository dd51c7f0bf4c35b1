"""The JPEG XL file around an encoded picture, with EXIF and XMP (ISO/IEC 18181-2)."""

from __future__ import annotations

import struct

from headroom.image import Metadata
from headroom.io import isobmff

_CODESTREAM = b"\xff\x0a"
_START = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
_REPLACED = {b"JXL ", b"ftyp", b"Exif", b"xml ", b"brob"}


def build(encoded: bytes, metadata: Metadata) -> bytes:
    """Return a file with this metadata behind the picture, in place of what its encoder has put there.

    `encoded` is a file or a bare codestream.
    """
    parts = [(b"jxlc", encoded)] if encoded.startswith(_CODESTREAM) else isobmff.boxes(memoryview(encoded))
    boxes = [_box(kind, body) for kind, body in parts if kind not in _REPLACED]
    if metadata.exif:
        boxes.append(_box(b"Exif", bytes(4) + metadata.exif))  # an offset of 0 to the byte order
    if metadata.xmp:
        boxes.append(_box(b"xml ", metadata.xmp))
    return _START + b"".join(boxes)


def _box(kind: bytes, body: bytes | memoryview) -> bytes:
    size = 8 + len(body)
    if size < 2**32:
        return struct.pack(">I4s", size, kind) + body
    return struct.pack(">I4sQ", 1, kind, size + 8) + body
