"""Give a generated picture back the colours of the one that it was made from, and keep only what was wanted of it.

A decoded latent drifts in colour. The wavelet fix keeps its detail and takes everything coarser from the reference
(Wang et al. 2024, "Exploiting Diffusion Prior for Real-World Image Super-Resolution", section 3.4).
"""

from __future__ import annotations

import functools
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

ColourFix = Literal["wavelet", "adain", "none"]

LEVELS = 5
REACH_PX = 2**LEVELS - 1
"""How far from a pixel the wavelet fix looks."""

_SMALLEST_DEVIATION = 1e-5


def fix_colours(picture: Tensor, reference: Tensor, kind: ColourFix) -> Tensor:
    """Bring the colours of N x 3 x H x W code values nearer to those of a reference of the same size."""
    if kind == "wavelet":
        return wavelet_fix(picture, reference)
    return adain_fix(picture, reference) if kind == "adain" else picture


def wavelet_fix(picture: Tensor, reference: Tensor) -> Tensor:
    """Replace the lowest frequencies of a picture by the reference's."""
    # Low frequencies are linear in the picture, so those of the difference are enough.
    return picture + low_frequencies(reference - picture)


def adain_fix(picture: Tensor, reference: Tensor) -> Tensor:
    """Give each channel the mean and the deviation that the reference has (Huang and Belongie 2017, eq. 8)."""
    mean, reference_mean = (x.mean((2, 3), keepdim=True) for x in (picture, reference))
    deviation, reference_deviation = (x.std((2, 3), keepdim=True) for x in (picture, reference))
    return (picture - mean) * (reference_deviation / deviation.clamp(min=_SMALLEST_DEVIATION)) + reference_mean


def low_frequencies(picture: Tensor, levels: int = LEVELS) -> Tensor:
    """Leave of N x C x H x W what the a trous wavelet transform has below its `levels` levels."""
    for level in range(levels):
        picture = _smooth(_smooth(picture, 2**level, dimension=2), 2**level, dimension=3)
    return picture


def cross_fade(inside: Tensor, outside: Tensor, region: Tensor, band_px: int) -> Tensor:
    """Take one picture in a region and the other one outside it, with a linear ramp around the region.

    Args:
        inside: N x 3 x H x W.
        outside: The same; farther than `band_px` from the region the result equals it exactly.
        region: N x 1 x H x W, 1 inside, where the result equals `inside` up to rounding, else 0.
        band_px: Width of the ramp, a multiple of 2.
    """
    weight = region
    # The mean of a square is 1 inside a region that has grown by half of it, and 0 from its whole side on.
    for pool in (F.max_pool2d, functools.partial(F.avg_pool2d, count_include_pad=False)):
        for side in ((band_px + 1, 1), (1, band_px + 1)):
            weight = pool(weight, side, stride=1, padding=(side[0] // 2, side[1] // 2))
    return outside.lerp(inside, weight.clamp(0, 1))


def _smooth(picture: Tensor, spacing: int, *, dimension: Literal[2, 3]) -> Tensor:
    """Take the mean [1 2 1] / 4 of pixels that lie `spacing` apart; those beyond a border equal the border's."""
    padding = (0, 0, spacing, spacing) if dimension == 2 else (spacing, spacing, 0, 0)
    padded = F.pad(picture, padding, mode="replicate")
    size = picture.shape[dimension]
    before, after = padded.narrow(dimension, 0, size), padded.narrow(dimension, 2 * spacing, size)
    return (before + after) / 4 + picture / 2
