"""An 8-bit rendition of an HDR image for any screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headroom.colour import transfer
from headroom.colour.primaries import convert
from headroom.colour.strips import strips
from headroom.colour.tone_mapping import filmic
from headroom.errors import UsageError
from headroom.image import Hdr

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def rendition(hdr: Hdr) -> NDArray[np.uint8]:
    """Return H x W x 3 sRGB codes."""
    codes = np.empty(hdr.pixels.shape, np.uint8)
    for rows in strips(hdr.pixels.shape):
        toned = filmic(convert(hdr.pixels[rows], hdr.primaries, "bt709"))
        codes[rows] = np.rint(255 * np.clip(transfer.encode(toned, "srgb"), 0, 1))
    return codes


def format_of(path: Path) -> str:
    """Return Pillow's name of the format to write.

    Raises:
        UsageError: The suffix is that of no preview.
    """
    name = _FORMATS.get(path.suffix.lower())
    if name is None:
        raise UsageError(f"{path}: a preview is written as {', '.join(_FORMATS)}. Use one of these suffixes.")
    return name


def write(path: Path, hdr: Hdr, image_format: str) -> None:
    """Write the rendition as "PNG" or "JPEG"."""
    Image.fromarray(rendition(hdr)).save(path, image_format, quality=92, subsampling=0)
