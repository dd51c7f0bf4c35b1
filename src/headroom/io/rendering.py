"""An SDR rendition of an HDR image, for any screen."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headroom.colour import transfer
from headroom.colour.primaries import convert
from headroom.colour.strips import strips
from headroom.colour.tone_mapping import ToneMap, tone_map
from headroom.image import Encoding, FloatImage, Hdr, Metadata, Photo, Primaries

_BRIGHTEST = np.float32(1e28)  # stays finite under 32 stops of exposure and any matrix of primaries


def exposed(light: FloatImage | np.float32, exposure_ev: float) -> FloatImage:
    """Return light that is brighter by this many stops, up to 32."""
    return np.asarray(np.minimum(light, _BRIGHTEST) * np.float32(2**exposure_ev))


def render(
    hdr: Hdr,
    *,
    operator: ToneMap = "filmic",
    primaries: Primaries = "bt709",
    exposure_ev: float = 0.0,
    bit_depth: Literal[8, 16] = 8,
) -> Photo:
    """Return a photo of an HDR image, with its metadata but for the ICC profile.

    Args:
        hdr: The image.
        operator: Tone curve; see `headroom.colour.tone_mapping`.
        primaries: Primaries of the photo; colours outside of them are clipped.
        exposure_ev: Stops by which the light is brightened first.
        bit_depth: Bits of a code.
    """
    curve: Literal["adobe-rgb", "srgb"] = "adobe-rgb" if primaries == "adobe-rgb" else "srgb"
    top = np.float32(2**bit_depth - 1)
    codes: NDArray[np.uint8] | NDArray[np.uint16]
    codes = np.empty(hdr.pixels.shape, np.uint8 if bit_depth == 8 else np.uint16)
    peak = float(exposed(hdr.pixels.max(initial=0), exposure_ev))
    for rows in strips(codes.shape):
        light = convert(exposed(hdr.pixels[rows], exposure_ev), hdr.primaries, primaries)
        codes[rows] = np.rint(top * np.clip(transfer.encode(tone_map(light, operator, peak), curve), 0, 1))
    metadata = Metadata(exif=hdr.metadata.exif, xmp=hdr.metadata.xmp)
    return Photo(codes, bit_depth, Encoding(primaries, curve), metadata=metadata, source=hdr.source)
