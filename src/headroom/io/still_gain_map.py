"""Gain maps in AVIF and HEIF: pictures of their own, with the numbers of ISO 21496-1 or of Apple."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headroom.image import GainMap
from headroom.io import apple_gain_map, child, gain_map_metadata, isobmff

_PIXEL_BYTES = 64


def read(path: Path, content: bytes, decoder: Literal["avif", "heif"], exif: bytes | None) -> GainMap | None:
    """Return the gain map of the primary picture, turned as `decoder` leaves pictures; None for a file without one.

    Raises:
        InputError: The gain map is damaged or asks for a newer reader.
    """
    found = isobmff.gain_map_items(path, content)
    if found is None:
        return None
    # To a decoder, the map is the picture of a file that names it as such.
    picture = isobmff.with_primary_item(content, found.picture)
    header = isobmff.parse(path, picture)
    decoded = child.decode(
        path, picture, decoder, header.width, header.height, title="gain map", pixel_bytes=_PIXEL_BYTES
    )
    codes = _eight_bits(decoded.raster, decoded.facts.get("bit_depth", header.bit_depth))
    if found.numbers is not None:
        return gain_map_metadata.from_iso(found.numbers[1:], codes)  # behind the version of the item itself
    return apple_gain_map.from_apple(found.xmp, exif, codes)


def _eight_bits(raster: NDArray[Any], bit_depth: int) -> NDArray[np.uint8]:
    """Return H x W or H x W x 3 codes, without alpha."""
    if raster.ndim == 3:
        raster = raster[..., 0] if raster.shape[2] < 3 else raster[..., :3]
    return np.asarray(np.rint(raster * (255 / (2**bit_depth - 1))), np.uint8)
