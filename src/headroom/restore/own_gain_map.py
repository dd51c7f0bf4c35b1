"""The gain map that a photo brings along: light that its camera measured, which no network has to guess."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom.colour.gain_map import apply_to_rows, gain_map_weight, log2_gain
from headroom.colour.strips import strips
from headroom.colour.transfer import decode_codes
from headroom.image import Encoding, FloatImage, GainMap, Photo
from headroom.restore.clipping import blocks_with, grown, of_blocks
from headroom.restore.compose import GainRows, LinearRows

_NO_GAIN_STOPS = 0.05
_COMPRESSION_CODES = 2
"""Maps are compressed too: their top wears off by as much."""
_DARKEST = 2**-10  # has a logarithm; no clipped code is as dark


def usable_map(photo: Photo) -> GainMap | None:
    """Return the photo's gain map, unless it only takes light away for SDR screens: then the photo is all there is."""
    gain_map = photo.gain_map
    return gain_map if gain_map and gain_map_weight(gain_map, math.inf) > 0 else None


def linear_rows(photo: Photo, encoding: Encoding, gain_map: GainMap | None) -> LinearRows:
    """Give a photo's light by rows, 1.0 = its full scale: linearised, and lifted by the gain map if there is one.

    The codes are the rounded ones. `headroom.io.unrounded` would be 1 to 8 % nearer to the light of a camera, but
    against the rounded base of a gain-map JPEG, which results become by default, its fractions of a code are gains:
    such files grow by 2 to 7 % and are 2 to 25 % further from that light (RMS over views of HDR panoramas).
    """

    def rows(start: int, stop: int) -> FloatImage:
        light = decode_codes(photo.codes[start:stop], encoding, photo.bit_depth)
        return light if gain_map is None else apply_to_rows(light, gain_map, slice(start, stop), photo.codes.shape)

    return rows


def left_unmeasured(clipped: NDArray[np.bool_], gain_map: GainMap | None) -> NDArray[np.bool_]:
    """Say which of the clipped codes, H x W x 3, a gain map leaves open.

    These are the ones where it is at its own top, and regions that it lifts nowhere. Where it lifts a region's middle,
    no gain at the rim means what it says: that the light only just reached the clip level.
    """
    if gain_map is None or not clipped.any():
        return clipped
    at_top, lifted = np.zeros_like(clipped), np.zeros_like(clipped)
    lowest, highest = np.array(gain_map.minimum, np.float32), np.array(gain_map.maximum, np.float32)
    top = highest - (highest - lowest) * (_COMPRESSION_CODES / 255)
    for rows in strips(clipped.shape):
        if clipped[rows].any():
            gain = log2_gain(gain_map, rows, clipped.shape)
            at_top[rows], lifted[rows] = gain >= top, gain > _NO_GAIN_STOPS
    regions, known = blocks_with(clipped), blocks_with(clipped & lifted)
    for _ in range(max(regions.shape)):  # far enough to cross the picture
        before, known = known, grown(known) & regions
        if (known == before).all():
            break
    return clipped & (at_top | ~of_blocks(known, clipped.shape))


def gain_beyond(light: LinearRows, predicted: GainRows, max_gain_stops: float) -> GainRows:
    """Give what a predicted gain over the clip level adds to light that a gain map has lifted already."""

    def rows(start: int, stop: int) -> Tensor:
        lifted = torch.from_numpy(light(start, stop)).clamp_(min=_DARKEST).log2_()
        return predicted(start, stop).clamp(min=0, max=max_gain_stops) - lifted

    return rows
