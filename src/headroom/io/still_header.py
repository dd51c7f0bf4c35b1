"""What the header of an AVIF or HEIF file says about its picture (ISO/IEC 23008-12, 23000-22)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from headroom.errors import CorruptFile
from headroom.io import light_levels
from headroom.io.isobmff import DAMAGE, Box, first
from headroom.io.item_file import ItemFile
from headroom.io.light_levels import LightLevels
from headroom.io.still_view import View, view_of
from headroom.limits import LIMITS


class Nclx(NamedTuple):
    """Code points of ITU-T H.273."""

    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class StillHeader:
    """What the header says about the primary picture.

    Attributes:
        width: Columns as stored.
        height: Rows as stored.
        view: What is shown of them, and which way up.
        bit_depth: Bits of a channel; 8 where nothing is said.
        nclx: Code points of its colours, or None.
        icc: ICC profile.
        light_levels: Brightness that it states.
        exif: EXIF block from its byte order on.
        xmp: XMP packet.
    """

    width: int
    height: int
    view: View
    bit_depth: int
    nclx: Nclx | None
    icc: bytes | None
    light_levels: LightLevels
    exif: bytes | None
    xmp: bytes | None


def parse(path: Path, content: bytes) -> StillHeader:
    """Read the `meta` box.

    Raises:
        CorruptFile: It is missing, damaged or has no picture.
    """
    try:
        return _header(ItemFile.of(content))
    except (*DAMAGE, ZeroDivisionError) as error:
        raise CorruptFile(f"{path}: the AVIF or HEIC header is damaged. Copy or download it again.") from error


def colours(properties: list[Box]) -> tuple[Nclx | None, bytes | None]:
    """Return the code points and the ICC profile of an item, as far as it has them."""
    stated = [box.body for box in properties if box.kind == b"colr"]
    nclx = next((Nclx(*struct.unpack_from(">HH", body, 4)) for body in stated if bytes(body[:4]) == b"nclx"), None)
    icc = next((bytes(body[4:]) for body in stated if bytes(body[:4]) in {b"prof", b"rICC"}), None)
    return nclx, icc


def _header(file: ItemFile) -> StillHeader:
    properties = file.properties(file.primary)
    width, height = struct.unpack_from(">II", first(properties, b"ispe"), 4)
    nclx, icc = colours(properties)
    exif, xmp = _metadata_items(file)
    return StillHeader(
        width=width,
        height=height,
        view=view_of(width, height, properties),
        bit_depth=_bit_depth(properties),
        nclx=nclx,
        icc=icc,
        light_levels=light_levels.stated(*(_body(properties, kind) for kind in (b"clli", b"mdcv"))),
        exif=exif,
        xmp=xmp,
    )


def _body(properties: list[Box], kind: bytes) -> bytes:
    """Return the body of the first property of a kind; nothing where there is none."""
    return next((bytes(box.body) for box in properties if box.kind == kind), b"")


def _bit_depth(properties: list[Box]) -> int:
    """Return the depth of `pixi`, else of the decoder's configuration."""
    for kind, body in properties:
        if kind == b"pixi":
            return body[5]
        if kind == b"av1C":
            return 8 if not body[2] & 0x40 else 12 if body[2] & 0x20 else 10
        if kind == b"hvcC":
            return 8 + (body[17] & 7)
    return 8


def _metadata_items(file: ItemFile) -> tuple[bytes | None, bytes | None]:
    """Return the first EXIF block and the first XMP packet, each cut one byte behind the limit."""
    exif = xmp = b""
    for item, kind, names in file.items():
        if kind == b"Exif" and not exif:
            block = file.data(item, LIMITS.metadata_bytes + 1)
            exif = block[4 + int.from_bytes(block[:4], "big") :].removeprefix(b"Exif\0\0")
        elif kind == b"mime" and not xmp and b"application/rdf+xml\0" in names:
            xmp = file.data(item, LIMITS.metadata_bytes + 1)
    return exif or None, xmp or None
