"""The AVIF file around an encoded picture, with what encoders leave out (ISO/IEC 23000-22 and 23008-12)."""

from __future__ import annotations

import math
import struct

from headroom.image import Metadata
from headroom.io.hdr_codes import HdrCodes
from headroom.io.isobmff import first
from headroom.io.item_file import ItemFile

_PICTURE, _EXIF, _XMP = 1, 2, 3  # item numbers
_FULL_RANGE = 0x80
_ESSENTIAL = 0x80
_MOST_NITS = 65_535


def build(encoded: bytes, coded: HdrCodes, matrix: int, metadata: Metadata) -> bytes:
    """Return a file with the picture of an encoder's file and our properties.

    Args:
        encoded: AVIF file whose picture and decoder configuration are taken over.
        coded: What was encoded.
        matrix: Its matrix coefficients (ITU-T H.273).
        metadata: EXIF and XMP go into items of their own.
    """
    source = ItemFile.of(encoded)
    items = {_PICTURE: (b"av01", source.data(source.primary))}
    if metadata.exif:
        items[_EXIF] = (b"Exif", bytes(4) + metadata.exif)
    if metadata.xmp:
        items[_XMP] = (b"mime", metadata.xmp)
    properties = _properties(coded, matrix, bytes(first(source.properties(source.primary), b"av1C")))
    ftyp = _box(b"ftyp", b"avif", bytes(4), b"avifmif1miaf")
    start = len(ftyp) + len(_meta(items, properties, 0)) + 8
    return ftyp + _meta(items, properties, start) + _box(b"mdat", *(data for _, data in items.values()))


def _properties(coded: HdrCodes, matrix: int, configuration: bytes) -> list[tuple[bytes, int]]:
    """Return the boxes of the picture's properties, and whether a reader must know them."""
    height, width = coded.codes.shape[:2]
    colours = struct.pack(">4sHHHB", b"nclx", *coded.cicp, matrix, _FULL_RANGE)
    # Rounded up, so that no pixel is brighter than stated.
    light = (min(math.ceil(nits), _MOST_NITS) for nits in (coded.max_cll_nits, coded.max_fall_nits))
    return [
        (_full_box(b"ispe", struct.pack(">II", width, height)), 0),
        (_full_box(b"pixi", bytes([3, *[coded.bit_depth] * 3])), 0),
        (_box(b"av1C", configuration), _ESSENTIAL),
        (_box(b"colr", colours), 0),
        (_box(b"clli", struct.pack(">HH", *light)), 0),
    ]


def _meta(items: dict[int, tuple[bytes, bytes]], properties: list[tuple[bytes, int]], start: int) -> bytes:
    """Return the `meta` box of items that lie one after the other from `start` on."""
    associations = bytes(essential | index for index, (_, essential) in enumerate(properties, 1))
    references = [struct.pack(">I4sHHH", 14, b"cdsc", item, 1, _PICTURE) for item in items if item != _PICTURE]
    return _full_box(
        b"meta",
        _full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
        _full_box(b"pitm", struct.pack(">H", _PICTURE)),
        _locations(items, start),
        _full_box(b"iinf", struct.pack(">H", len(items)), *(_entry(item, kind) for item, (kind, _) in items.items())),
        *([_full_box(b"iref", *references)] if references else []),
        _box(
            b"iprp",
            _box(b"ipco", *(box for box, _ in properties)),
            _full_box(b"ipma", struct.pack(">IHB", 1, _PICTURE, len(associations)), associations),
        ),
    )


def _locations(items: dict[int, tuple[bytes, bytes]], start: int) -> bytes:
    entries = []
    for item, (_, data) in items.items():
        entries.append(struct.pack(">HHHII", item, 0, 1, start, len(data)))
        start += len(data)
    return _full_box(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)), *entries)


def _entry(item: int, kind: bytes) -> bytes:
    content_type = b"application/rdf+xml\0" if kind == b"mime" else b""
    return _full_box(b"infe", struct.pack(">HH4s", item, 0, kind), b"\0", content_type, version=2)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full_box(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24), *parts)
