"""What a well-exposed picture is: light of a known key, gently tone-mapped.

Light in which the log-average luminance of a view is 0.18, the key of Reinhard et al. 2002, is called well exposed
here, and 1.0 is white.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headroom.colour.primaries import luminance_weights
from headroom.colour.tone_mapping import filmic
from headroom.colour.transfer import encode
from headroom.image import FloatImage, Primaries

KEY = 0.18
"""Log-average luminance of a well-exposed view, before tone mapping."""

_KNEE = 0.25
"""Light up to which a picture is not tone-mapped: half a stop above the key."""

_DARKEST = 2.0**-14
_DARKEST_MEDIAN = 1e-5


def key_gain(light: FloatImage, primaries: Primaries = "bt709") -> float:
    """Give the factor that brings the log-average luminance of H x W x 3 light of any unit to the key.

    Luminance counts as no less than 14 stops below the view's median, so that black pixels do not decide.
    """
    middle = (light.size - 1) // 2
    median = max(float(np.partition(light, middle, axis=None)[middle]), _DARKEST_MEDIAN)
    luminance = (light / np.float32(median)) @ luminance_weights(primaries)
    return float(KEY / (median * np.exp2(np.log2(np.maximum(luminance, _DARKEST)).mean())))


def display_codes(light: ArrayLike) -> NDArray[np.float32]:
    """Tone-map ... x 3 well-exposed light gently: sRGB code values in [0, 1].

    The shoulder of `filmic` from a quarter of white on: mid-tones stay as they are, the view from a window keeps its
    colours, and in 8 bits only light above a hundred times white clips.
    """
    return encode(filmic(light, knee=_KNEE), "srgb")
