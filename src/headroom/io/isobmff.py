"""The header of a still picture in an ISO base media file: AVIF and HEIF (ISO/IEC 14496-12, 23008-12, 23000-22)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from headroom.errors import CorruptFile
from headroom.io import orientation
from headroom.limits import LIMITS

_APPLE_AUXILIARY = b"urn:com:apple:photo:2020:aux:hdrgainmap"
_MOST_BOXES = 4096  # of one parent; the tiles of the largest photos are a few hundred items


class Nclx(NamedTuple):
    """Code points of ITU-T H.273."""

    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class StillPicture:
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


class Box(NamedTuple):
    """A box: its four-letter kind and what it holds."""

    kind: bytes
    body: memoryview


class GainMapItems(NamedTuple):
    """What holds a gain map: its picture's item, the content of its `tmap` item or None, and else its XMP."""

    picture: int
    numbers: bytes | None
    xmp: bytes = b""


@dataclass(slots=True)
class _Numbers:
    """Big-endian numbers read one after the other."""

    source: memoryview
    at: int

    def take(self, size: int) -> int:
        """Return the next number of this many bytes."""
        end = self.at + size
        if end > len(self.source):
            raise ValueError("a box breaks off")
        value = int.from_bytes(self.source[self.at : end], "big")
        self.at = end
        return value


def parse(path: Path, content: bytes) -> StillPicture:
    """Read the `meta` box.

    Raises:
        CorruptFile: It is missing, damaged or has no picture.
    """
    try:
        return _still_picture(content)
    except (struct.error, KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise CorruptFile(f"{path}: the AVIF or HEIC header is damaged. Copy or download it again.") from error


def property_of(content: bytes, kind: bytes) -> bytes:
    """Return the body of the first property of a kind; KeyError where there is none."""
    return bytes(_child(_meta(content), b"iprp", b"ipco", kind))


def gain_map_items(path: Path, content: bytes) -> GainMapItems | None:
    """Return what holds the gain map of the primary picture; None for a file without one.

    Raises:
        CorruptFile: The `meta` box is damaged.
    """
    try:
        meta = _meta(content)
        return _iso_gain_map(content, meta) or _apple_gain_map(content, meta)
    except (struct.error, KeyError, IndexError, ValueError) as error:
        raise CorruptFile(f"{path}: the header of the gain map is damaged. Copy or download it again.") from error


def with_primary_item(content: bytes, item: int) -> bytes:
    """Return the file with another item as its picture, which then is no longer auxiliary to the one that was."""
    for iref in (box.body for box in boxes(_meta(content)) if box.kind == b"iref"):
        for kind, body in boxes(iref[4:]):
            if kind == b"auxl" and _Numbers(body, 0).take(4 if iref[0] else 2) == item:
                content = content.replace(kind + bytes(body), b"skip" + bytes(body), 1)
    changed = bytearray(content)
    pitm = _child(_meta(changed), b"pitm")
    size = 4 if pitm[0] else 2
    pitm[4 : 4 + size] = item.to_bytes(size, "big")
    return bytes(changed)


def item_data(content: bytes, item: int) -> bytes:
    """Return the bytes of an item, cut at `Limits.file_bytes`."""
    return _item_data(content, _meta(content), item, LIMITS.file_bytes)


def _still_picture(content: bytes) -> StillPicture:
    meta = _meta(content)
    item = _primary_item(_child(meta, b"pitm"))
    properties = _properties_of(_child(meta, b"iprp"), item)
    width, height = struct.unpack_from(">II", _first(properties, b"ispe"), 4)
    colours = [box.body for box in properties if box.kind == b"colr"]
    nclx = next((Nclx(*struct.unpack_from(">HH", body, 4)) for body in colours if bytes(body[:4]) == b"nclx"), None)
    icc = next((bytes(body[4:]) for body in colours if bytes(body[:4]) in {b"prof", b"rICC"}), None)
    exif, xmp = _metadata_items(content, meta)
    return StillPicture(
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


def _meta(content: bytes | bytearray) -> memoryview:
    """Return the body of the `meta` box behind its version and flags."""
    return _child(memoryview(content), b"meta")[4:]


def boxes(parent: memoryview) -> Iterator[Box]:
    """Yield the boxes inside a body, cut where it ends.

    Raises:
        ValueError: One is damaged.
    """
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(parent):
            return
        size, kind = struct.unpack_from(">I4s", parent, at)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", parent, at + 8)
            header = 16
        end = at + size if size else len(parent)
        if end < at + header:
            raise ValueError("a box is smaller than its header")
        yield Box(kind, parent[at + header : end])
        at = end


def _first(boxes: list[Box], kind: bytes) -> memoryview:
    for box in boxes:
        if box.kind == kind:
            return box.body
    raise KeyError(kind)


def _child(parent: memoryview, *kinds: bytes) -> memoryview:
    for kind in kinds:
        parent = _first(list(boxes(parent)), kind)
    return parent


def _primary_item(pitm: memoryview) -> int:
    return _Numbers(pitm, 4).take(4 if pitm[0] else 2)


def _properties_of(iprp: memoryview, item: int) -> list[Box]:
    """Return the properties that `ipma` gives an item, in its order (ISO/IEC 23008-12, 9.3)."""
    shared = list(boxes(_child(iprp, b"ipco")))
    ipma = _child(iprp, b"ipma")
    index_size = 1 + (ipma[3] & 1)
    numbers = _Numbers(ipma, 4)
    for _ in range(min(numbers.take(4), _MOST_BOXES)):
        found = numbers.take(4 if ipma[0] else 2)
        indices = [numbers.take(index_size) & (0x7FFF if index_size == 2 else 0x7F) for _ in range(numbers.take(1))]
        if found == item:
            return [shared[index - 1] for index in indices if 0 < index <= len(shared)]
    raise KeyError(item)


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


def _metadata_items(content: bytes, meta: memoryview) -> tuple[bytes | None, bytes | None]:
    """Return the first EXIF block and the first XMP packet, each cut one byte behind the limit."""
    exif = xmp = b""
    for item, kind, names in _items(meta):
        if kind == b"Exif" and not exif:
            block = _item_data(content, meta, item, LIMITS.metadata_bytes + 1)
            exif = block[4 + int.from_bytes(block[:4], "big") :].removeprefix(b"Exif\0\0")
        elif kind == b"mime" and not xmp and b"application/rdf+xml\0" in names:
            xmp = _item_data(content, meta, item, LIMITS.metadata_bytes + 1)
    return exif or None, xmp or None


def _items(meta: memoryview) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number, kind and names of every item (ISO/IEC 14496-12, 8.11.6)."""
    iinf = _child(meta, b"iinf")
    for kind, body in boxes(iinf[8 if iinf[0] else 6 :]):
        if kind == b"infe" and body[0] >= 2:
            numbers = _Numbers(body, 4)
            item, _protection = numbers.take(4 if body[0] > 2 else 2), numbers.take(2)
            yield item, bytes(body[numbers.at : numbers.at + 4]), bytes(body[numbers.at + 4 :])


def _iso_gain_map(content: bytes, meta: memoryview) -> GainMapItems | None:
    """Return the inputs of a `tmap` item: the base, which has to be the primary picture, and the map."""
    primary = _primary_item(_child(meta, b"pitm"))
    for item, kind, _ in _items(meta):
        if kind == b"tmap":
            inputs = next((to for kind, source, to in _references(meta) if (kind, source) == (b"dimg", item)), [])
            if len(inputs) == 2 and inputs[0] == primary:
                return GainMapItems(inputs[1], _item_data(content, meta, item, LIMITS.metadata_bytes))
    return None


def _apple_gain_map(content: bytes, meta: memoryview) -> GainMapItems | None:
    """Return the auxiliary picture of Apple's type, and the XMP packet that is about it."""
    primary = _primary_item(_child(meta, b"pitm"))
    references = list(_references(meta))
    for kind, item, to in references:
        if kind != b"auxl" or primary not in to:
            continue
        properties = _properties_of(_child(meta, b"iprp"), item)
        if any(box.kind == b"auxC" and bytes(box.body[4:]).rstrip(b"\0") == _APPLE_AUXILIARY for box in properties):
            about = [source for kind, source, to in references if kind == b"cdsc" and item in to]
            packets = [_item_data(content, meta, source, LIMITS.metadata_bytes) for source in about]
            return GainMapItems(item, None, b"".join(packets))
    return None


def _references(meta: memoryview) -> Iterator[tuple[bytes, int, list[int]]]:
    """Yield kind, item and the items that it refers to (ISO/IEC 14496-12, 8.11.12)."""
    for iref in (box.body for box in boxes(meta) if box.kind == b"iref"):
        size = 4 if iref[0] else 2
        for kind, body in boxes(iref[4:]):
            numbers = _Numbers(body, 0)
            item = numbers.take(size)
            yield kind, item, [numbers.take(size) for _ in range(numbers.take(2))]


def _item_data(content: bytes, meta: memoryview, item: int, most: int) -> bytes:
    """Return an item's extents, as far as they lie in the file, cut at `most` bytes (ISO/IEC 14496-12, 8.11.3)."""
    iloc = _child(meta, b"iloc")
    version = iloc[0]
    offset_size, length_size, base_size = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
    index_size = iloc[5] & 15 if version else 0
    numbers = _Numbers(iloc, 6)
    for _ in range(min(numbers.take(4 if version == 2 else 2), _MOST_BOXES)):
        found = numbers.take(4 if version == 2 else 2)
        method = numbers.take(2) & 15 if version else 0
        _reference, base = numbers.take(2), numbers.take(base_size)
        extents = [
            (numbers.take(index_size), base + numbers.take(offset_size), numbers.take(length_size))
            for _ in range(numbers.take(2))
        ]
        if found == item:
            source = _child(meta, b"idat") if method == 1 else memoryview(content)
            data = bytearray()
            for _, start, size in extents:
                data += source[start : start + min(size or most, most - len(data))]
            return bytes(data)
    return b""
