"""What the header of an AVIF or HEIF file says about its picture (ISO/IEC 23008-12, 23000-22)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from headroom.errors import CorruptFile
from headroom.io import orientation
from headroom.io.isobmff import DAMAGE, Box, first
from headroom.io.item_file import ItemFile
from headroom.limits import LIMITS


class Nclx(NamedTuple):
    """Code points of ITU-T H.273."""

    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class StillHeader:
    """What the header says about the primary picture.

    Attributes:
        width: Columns as stored, before it is turned.
        height: Rows as stored.
        cropped: Columns and rows that its `clap` property leaves, before it is turned; those stored where it has none.
        bit_depth: Bits of a channel; 8 where nothing is said.
        nclx: Code points of its colours, or None.
        icc: ICC profile.
        orientation: EXIF orientation that its `irot` and `imir` properties amount to.
        exif: EXIF block from its byte order on.
        xmp: XMP packet.
    """

    width: int
    height: int
    cropped: tuple[int, int]
    bit_depth: int
    nclx: Nclx | None
    icc: bytes | None
    orientation: int
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


def _header(file: ItemFile) -> StillHeader:
    properties = file.properties(file.primary)
    width, height = struct.unpack_from(">II", first(properties, b"ispe"), 4)
    colours = [box.body for box in properties if box.kind == b"colr"]
    nclx = next((Nclx(*struct.unpack_from(">HH", body, 4)) for body in colours if bytes(body[:4]) == b"nclx"), None)
    icc = next((bytes(body[4:]) for body in colours if bytes(body[:4]) in {b"prof", b"rICC"}), None)
    exif, xmp = _metadata_items(file)
    return StillHeader(
        width=width,
        height=height,
        cropped=_cropped(properties) or (width, height),
        bit_depth=_bit_depth(properties),
        nclx=nclx,
        icc=icc,
        orientation=_orientation(properties),
        exif=exif,
        xmp=xmp,
    )


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


def _cropped(properties: list[Box]) -> tuple[int, int] | None:
    for kind, body in properties:
        if kind == b"clap":
            width, width_divisor, height, height_divisor = struct.unpack_from(">4I", body)
            return width // width_divisor, height // height_divisor
    return None


def _orientation(properties: list[Box]) -> int:
    """Return the EXIF orientation with the effect of all turns and flips, tried on a picture of four pixels."""
    stored = np.arange(4).reshape(2, 2)
    turned = stored
    for kind, body in properties:
        if kind == b"irot":
            turned = np.rot90(turned, body[0] & 3)
        elif kind == b"imir":  # 0 exchanges top and bottom, 1 left and right
            turned = turned[:, ::-1] if body[0] & 1 else turned[::-1]
    return next(number for number in range(1, 9) if np.array_equal(orientation.apply(stored, number), turned))


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
