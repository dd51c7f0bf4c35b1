"""Gain maps in AVIF and HEIF: pictures of their own, with the numbers of ISO 21496-1 or of Apple."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.colour import cicp
from headroom.colour.icc import encoding_from_profile
from headroom.errors import CorruptFile
from headroom.image import GainMap, Primaries
from headroom.io import apple_gain_map, gain_map_metadata, still_header
from headroom.io.isobmff import DAMAGE
from headroom.io.item_file import ItemFile
from headroom.io.still_header import StillHeader
from headroom.limits import LIMITS

Decode = Callable[[Path, bytes, StillHeader], tuple[NDArray[Any], int]]
"""Gives the codes of the primary picture, cropped and upright, and their bit depth."""

_APPLE_AUXILIARY = b"urn:com:apple:photo:2020:aux:hdrgainmap"


class _Items(NamedTuple):
    """What holds a gain map.

    Attributes:
        picture: Item of its picture.
        numbers: Content of its `tmap` item, or None.
        primaries: Those of the HDR image, as the `tmap` item states them.
        xmp: XMP packet about it, where there is no `tmap` item.
    """

    picture: int
    numbers: bytes | None
    primaries: Primaries | None = None
    xmp: bytes = b""


def read(path: Path, content: bytes, exif: bytes | None, decode: Decode) -> GainMap | None:
    """Return the gain map of the primary picture, upright; None for a file without one.

    Raises:
        InputError: The gain map is damaged or asks for a newer reader.
    """
    try:
        file = ItemFile.of(content)
        found = _iso_items(file) or _apple_items(file)
        if found is None:
            return None
        # To a decoder, the map is the picture of a file that names it as such.
        picture = file.with_primary(found.picture)
    except DAMAGE as error:
        raise CorruptFile(f"{path}: the header of the gain map is damaged. Copy or download it again.") from error
    codes = _eight_bits(*decode(path, picture, still_header.parse(path, picture)))
    if found.numbers is not None:
        # Behind the version of the item itself.
        return gain_map_metadata.from_iso(found.numbers[1:], codes, found.primaries)
    return apple_gain_map.from_apple(found.xmp, exif, codes)


def _iso_items(file: ItemFile) -> _Items | None:
    """Return the inputs of a `tmap` item: the base, which has to be the primary picture, and the map."""
    for item, kind, _ in file.items():
        if kind == b"tmap":
            inputs = next((to for kind, source, to in file.references() if (kind, source) == (b"dimg", item)), [])
            if len(inputs) == 2 and inputs[0] == file.primary:
                numbers = file.data(item, LIMITS.metadata_bytes)
                return _Items(inputs[1], numbers, _primaries(file, item))
    return None


def _primaries(file: ItemFile, item: int) -> Primaries | None:
    """Return the primaries of an item, or None where it states none that have a name here."""
    try:
        nclx, icc = still_header.colours(file.properties(item))
    except KeyError:  # it has no properties
        return None
    stated = cicp.PRIMARIES.get(nclx.primaries) if nclx else None
    profile = encoding_from_profile(icc) if icc else None
    return stated or (profile.primaries if profile else None)


def _apple_items(file: ItemFile) -> _Items | None:
    """Return the auxiliary picture of Apple's type, and the XMP packet that is about it."""
    references = list(file.references())
    for kind, item, to in references:
        if kind != b"auxl" or file.primary not in to:
            continue
        properties = file.properties(item)
        if any(box.kind == b"auxC" and bytes(box.body[4:]).rstrip(b"\0") == _APPLE_AUXILIARY for box in properties):
            about = [source for kind, source, to in references if kind == b"cdsc" and item in to]
            packets = [file.data(source, LIMITS.metadata_bytes) for source in about]
            return _Items(item, None, xmp=b"".join(packets))
    return None


def _eight_bits(raster: NDArray[Any], bit_depth: int) -> NDArray[np.uint8]:
    """Return H x W or H x W x 3 codes, without alpha."""
    if raster.ndim == 3:
        raster = raster[..., 0] if raster.shape[2] < 3 else raster[..., :3]
    return np.asarray(np.rint(raster * (255 / (2**bit_depth - 1))), np.uint8)
