"""The few facts that matter here from an EXIF block, and the few that are changed in it.

An EXIF block is a TIFF structure: a byte order, and directories of 12-byte entries (CIPA DC-008, 4.6). It is patched
in place instead of being written anew, so that everything else in it stays byte for byte.
"""

from __future__ import annotations

import struct
from typing import Literal

from headroom.io.orientation import turns_sides

_ORIENTATION = 0x0112
_EXIF_DIRECTORY = 0x8769
_COLOR_SPACE = 0xA001
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_INTEROPERABILITY_DIRECTORY = 0xA005
_INTEROPERABILITY_INDEX = 0x0001
_GPS_DIRECTORY = 0x8825
_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_ELEMENT_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # by kind; 1 for the others


def orientation(exif: bytes | None) -> int:
    """Return the orientation, 1 to 8; 1 where there is none or the block is damaged."""
    value = number(exif or b"", _ORIENTATION)
    return value if value is not None and 1 <= value <= 8 else 1


def upright(exif: bytes) -> bytes:
    """Return the same block with an orientation of 1; unchanged where it has none.

    If the picture has been turned, width and height change places as they did in the picture, and the thumbnail, which
    has not been turned, is not found any more.
    """
    entry = _entry(exif, _ORIENTATION)
    if entry is None:
        return exif
    turn, order, patched = orientation(exif), _order(exif), bytearray(exif)
    kind = struct.unpack_from(order + "H", exif, entry + 2)[0]
    struct.pack_into(order + ("I" if kind == _LONG else "H"), patched, entry + 8, 1)
    link = _thumbnail_link(exif)
    if turn != 1 and link is not None:
        patched[link : link + 4] = bytes(4)
    width, height = (_entry(exif, _EXIF_DIRECTORY, tag) for tag in (_PIXEL_WIDTH, _PIXEL_HEIGHT))
    if turns_sides(turn) and width is not None and height is not None:
        patched[width + 2 : width + 12], patched[height + 2 : height + 12] = (
            exif[height + 2 : height + 12],
            exif[width + 2 : width + 12],
        )
    return bytes(patched)


def has_thumbnail(exif: bytes) -> bool:
    """Return True when a second directory, which is that of a thumbnail, follows the first."""
    return _thumbnail_link(exif) is not None


def color_space(exif: bytes | None) -> Literal["srgb", "adobe-rgb"] | None:
    """Return the colour space that the block names, if it does (DC-008 ColorSpace, and DCF's R03 for Adobe RGB)."""
    block = exif or b""
    if number(block, _EXIF_DIRECTORY, _COLOR_SPACE) == 1:
        return "srgb"
    index = _entry(block, _EXIF_DIRECTORY, _INTEROPERABILITY_DIRECTORY, _INTEROPERABILITY_INDEX)
    return "adobe-rgb" if index is not None and block[index + 8 : index + 11] == b"R03" else None


def undefined(exif: bytes | None, *tags: int) -> bytes | None:
    """Return the bytes of an entry of undefined kind, such as a maker note, at the end of a path of directories."""
    block = exif or b""
    entry = _entry(block, *tags)
    if entry is None:
        return None
    kind, size, start = struct.unpack_from(_order(block) + "HII", block, entry + 2)
    return block[start : start + size] if kind == _UNDEFINED and size > 4 else None


def without_gps(exif: bytes) -> bytes:
    """Return the same block without its GPS directory: the pointer goes, and what it led to is overwritten by 0."""
    entry = _entry(exif, _GPS_DIRECTORY)
    if entry is None:
        return exif
    order, patched = _order(exif), bytearray(exif)
    _blank_directory(patched, order, struct.unpack_from(order + "I", exif, entry + 8)[0])
    (start,) = struct.unpack_from(order + "I", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    struct.pack_into(order + "H", patched, start, count - 1)
    end = start + 2 + 12 * count + 4  # the pointer to the next directory moves up too
    patched[entry:end] = patched[entry + 12 : end] + bytes(12)
    return bytes(patched)


def _blank_directory(block: bytearray, order: str, start: int) -> None:
    """Overwrite a directory and the values outside of it."""
    if start + 2 > len(block):
        return
    (count,) = struct.unpack_from(order + "H", block, start)
    end = min(start + 2 + 12 * count + 4, len(block))
    for entry in range(start + 2, end - 11, 12):
        (elements, at) = struct.unpack_from(order + "II", block, entry + 4)
        kind = struct.unpack_from(order + "H", block, entry + 2)[0]
        size = elements * _ELEMENT_BYTES.get(kind, 1)
        if size > 4 and at >= 8:
            stop = min(at + size, len(block))
            block[at:stop] = bytes(max(stop - at, 0))
    block[start:end] = bytes(end - start)


def _order(exif: bytes) -> str:
    return "<" if exif[:2] == b"II" else ">"


def number(exif: bytes, *tags: int) -> int | None:
    """Return the value of a SHORT or LONG entry at the end of a path of directories."""
    entry = _entry(exif, *tags)
    if entry is None:
        return None
    kind = struct.unpack_from(_order(exif) + "H", exif, entry + 2)[0]
    if kind not in {_SHORT, _LONG}:
        return None
    return int(struct.unpack_from(_order(exif) + ("H" if kind == _SHORT else "I"), exif, entry + 8)[0])


def has(exif: bytes, tag: int) -> bool:
    """Return True when the first directory has an entry of this tag."""
    return _entry(exif, tag) is not None


def _thumbnail_link(exif: bytes) -> int | None:
    """Return the offset of the pointer to the directory of the thumbnail, if there is one."""
    order = _order(exif)
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        link = int(start + 2 + 12 * count)
        return link if struct.unpack_from(order + "I", exif, link) != (0,) else None
    except struct.error:
        return None


def _entry(exif: bytes, *tags: int) -> int | None:
    """Return the offset of an entry: each tag but the last points to the directory of the next."""
    if exif[:2] not in {b"II", b"MM"}:
        return None
    order, at, pointer = _order(exif), 0, 4
    try:
        for tag in tags:
            (directory,) = struct.unpack_from(order + "I", exif, pointer)
            (count,) = struct.unpack_from(order + "H", exif, directory)
            entries = (directory + 2 + 12 * i for i in range(count))
            found = next((e for e in entries if struct.unpack_from(order + "H", exif, e)[0] == tag), None)
            if found is None or found + 12 > len(exif):
                return None
            at, pointer = found, found + 8
    except struct.error:
        return None
    return at
