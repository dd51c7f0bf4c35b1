"""GMODiff's gain map as the one that files store and screens apply (ISO 21496-1), and back.

The two are not the same number: one is over code values and log-compressed, the other log2 over linear light. They meet
in the light that both give.
"""

from __future__ import annotations

import numpy as np
import torch

from headroom.colour.gain_map import apply_gain_map, encode_gain_map
from headroom.image import FloatImage, GainMap
from headroom.methods.gmodiff.gain import decode_gain, encode_gain

_GAMMA = 2.2
"""Of the code values of `MergeInput`."""


def to_iso(gain: FloatImage, base: FloatImage, exposure: float) -> GainMap:
    """Turn a gain over the reference into a gain map of the reference's picture.

    Args:
        gain: H x W x 3; see `encode_gain`.
        base: H x W x 3 code values of the reference in [0, 1], gamma 2.2; their full scale is SDR white.
        exposure: Of the reference over that of the shortest frame, so how many SDR whites are 1.0 of the gain's light.
    """
    light = decode_gain(torch.from_numpy(gain), torch.from_numpy(base)).numpy()
    return encode_gain_map(_linear(base), light * np.float32(exposure))


def from_iso(gain_map: GainMap, base: FloatImage, exposure: float) -> FloatImage:
    """Turn a gain map of the reference's picture into a gain, H x W x 3; see `to_iso`."""
    light = apply_gain_map(_linear(base), gain_map) / np.float32(exposure)
    gain: FloatImage = encode_gain(torch.from_numpy(light), torch.from_numpy(base)).numpy()
    return gain


def _linear(base: FloatImage) -> FloatImage:
    return np.asarray(base**_GAMMA, np.float32)
