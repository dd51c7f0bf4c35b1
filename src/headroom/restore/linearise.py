"""Which curve turns a photo's codes into light, and how sure that is.

A photo that names no curve is sRGB by convention, and stays so: no picture changes its own curve here. What its pixels
could tell is how straight the blends across colour edges are in light (Lin et al. 2004, "Radiometric calibration from a
single image"). On lossless pictures with physically blended edges that finds the right curve, but all software that
scales or blends codes (resizers, drawn text, JPEG with halved chroma) leaves the traces of another one: of 41 camera
JPEGs scaled to 1024 px, it called 30 linear and 2 sRGB. An honest uncertainty is better than a wrong curve.

The uncertainty comes from how cameras differ. Over the mid-tones, log true light is nearly a multiple of log assumed
light, so the error grows with the photo's own contrast. Its factor was fitted on those 41 photos, whose true light was
merged from brackets: their errors of 0.09 to 0.70 stops correlate with this uncertainty by 0.89.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headroom.colour.transfer import decode_codes
from headroom.image import Encoding, Photo

_ERROR_PER_STOP = 0.24
"""RMS error of the curve in stops per stop of contrast. Of the response families of `headroom.data`, gamma curves have
0.11, shoulders 0.17, bent sRGB 0.25 and sigmoids 0.29; the test draws from all of them."""
_MID_TONES = (1 / 16, 15 / 16)
_SAMPLE_SIDE_PX = 512


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve with its certainty.

    Attributes:
        encoding: Curve and primaries.
        uncertainty_stops: Standard deviation, after one common gain, of the linearised mid-tones against the true
            light, in stops; 0 for a curve that the file names.
    """

    encoding: Encoding
    uncertainty_stops: float


def linearise(photo: Photo) -> Curve:
    """Settle a photo's curve: the one its file names, else the one that is assumed, with its uncertainty."""
    return Curve(photo.encoding, 0.0 if photo.encoding.known else _ERROR_PER_STOP * _contrast_stops(photo))


def _contrast_stops(photo: Photo) -> float:
    """Give the standard deviation of log2 light over mid-tones, in green, which has most of the luminance."""
    step = -(-max(photo.height, photo.width) // _SAMPLE_SIDE_PX)
    sample = photo.codes[::step, ::step]
    light = decode_codes(sample, photo.encoding, photo.bit_depth)[..., 1]
    low, high = (share * photo.top_code for share in _MID_TONES)
    codes = sample[..., 1]
    mid_tones = light[(codes >= low) & (codes <= high) & (light > 0)]
    return float(np.log2(mid_tones).std()) if mid_tones.size else 0.0
