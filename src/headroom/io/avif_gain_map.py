"""Gain maps in AVIF: a picture of its own, and an item `tmap` with the numbers of ISO 21496-1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headroom.image import GainMap
from headroom.io import child, gain_map_metadata, isobmff

_PIXEL_BYTES = 48


def read(path: Path, content: bytes) -> GainMap | None:
    """Return the gain map of the primary picture, in the orientation of its stored raster; None for a file without one.

    Raises:
        InputError: The gain map is damaged or asks for a newer reader.
    """
    found = isobmff.gain_map_item(path, content)
    if found is None:
        return None
    item, numbers = found
    # To a decoder, the map is the picture of a file that names it as such.
    picture = isobmff.with_primary_item(content, item)
    header = isobmff.parse(path, picture)
    decoded = child.decode(path, picture, "avif", header.width, header.height, title="AVIF", pixel_bytes=_PIXEL_BYTES)
    codes = _eight_bits(decoded.raster, header.bit_depth)
    return gain_map_metadata.from_iso(numbers[1:], codes)  # behind the version of the item itself


def _eight_bits(raster: NDArray[Any], bit_depth: int) -> NDArray[np.uint8]:
    """Return H x W or H x W x 3 codes, without alpha."""
    if raster.ndim == 3:
        raster = raster[..., 0] if raster.shape[2] < 3 else raster[..., :3]
    return np.asarray(np.rint(raster * (255 / (2**bit_depth - 1))), np.uint8)
