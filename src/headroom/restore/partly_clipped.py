"""Pixels of a sensor of which some channels clip and others still measure: they say how bright it is.

What colour it has, the pixels around it say. Each channel clips at a light of its own, so bright areas have a rim of
such pixels that is much wider than that of an RGB photo.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from headroom.colour.strips import strips
from headroom.image import FloatImage
from headroom.restore.compose import GainRows, LinearRows, cells_to_rows

_GRID_SIDE = 256
_DARKEST = np.float32(2**-12)  # has a logarithm


def continued_rows(codes: FloatImage, clipped: NDArray[np.bool_], white: NDArray[np.float32]) -> LinearRows:
    """Give codes of which the clipped ones are what their pixel's measured channels and the colour around it ask for.

    They are not below what they were and, beyond that, not brighter than a grey whose last channel clips, which is also
    what pixels become that measure nothing.

    Args:
        codes: H x W x 3 codes of a sensor, at most 1.
        clipped: H x W x 3.
        white: Codes of the brightest grey that no channel clips in.
    """
    colour = _colour_around(codes, clipped, white)

    def rows(start: int, stop: int) -> FloatImage:
        strip = codes[start:stop].astype(np.float32)
        unknown = clipped[start:stop]
        pixels = any_channel(unknown)
        if pixels.any():
            strip[pixels] = _continued(strip[pixels], unknown[pixels], colour(start, stop).numpy()[pixels], white)
        return strip

    return rows


def any_channel(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which pixels of an H x W x 3 mask have a channel in it; much faster than NumPy's own `any`."""
    return np.asarray(mask[..., 0] | mask[..., 1] | mask[..., 2])


def _continued(
    codes: FloatImage, unknown: NDArray[np.bool_], colour: FloatImage, white: NDArray[np.float32]
) -> FloatImage:
    """Return the codes, N x 3, of pixels with unknown channels amid a log2 colour."""
    stops = _stops(codes, white)
    trust = codes * ~unknown
    total = trust.sum(axis=1, keepdims=True)
    told = ((stops - colour) * trust).sum(axis=1, keepdims=True) / np.maximum(total, _DARKEST)
    least = (stops - colour).max(axis=1, keepdims=True)
    brightest = -np.log2(white.min())
    asked = np.minimum(np.where(total > 0, told, least) + colour, brightest)
    asked[(codes >= 1).all(axis=1)] = brightest
    return np.where(unknown, np.maximum(np.exp2(asked) * white, codes), codes)


def _stops(codes: FloatImage, white: NDArray[np.float32]) -> FloatImage:
    return np.asarray(np.log2(np.maximum(codes, _DARKEST) / white), np.float32)


def _colour_around(codes: FloatImage, clipped: NDArray[np.bool_], white: NDArray[np.float32]) -> GainRows:
    """Give the log2 colour, each channel over their mean, of measured pixels by brightness, spread over the others."""
    height, width = codes.shape[:2]
    cell = -(-max(height, width) // _GRID_SIDE)
    mean = np.full((3, 1), 1 / 3, np.float32)
    sums = []
    for rows in strips(codes.shape, multiple=cell):
        stops = _stops(codes[rows], white)
        weight = (codes[rows] @ mean) * ~any_channel(clipped[rows])[..., None]
        weighted = np.concatenate([weight * (stops - stops @ mean), weight], axis=-1)
        planes = torch.from_numpy(np.ascontiguousarray(weighted.transpose(2, 0, 1)))[None]
        sums.append(F.avg_pool2d(planes, cell, ceil_mode=True))
    grid = _spread(torch.cat(sums, dim=2))
    return cells_to_rows(grid, torch.ones_like(grid), cell, width)


def _spread(sums: Tensor) -> Tensor:
    """Turn weighted sums and their weights, 1 x 4 x h x w, into means, of larger cells where nothing has weight."""
    values, weight = sums[:, :3], sums[:, 3:]
    means = values / weight.clamp(min=torch.finfo(torch.float32).tiny)
    if max(weight.shape) == 1 or weight.all():
        return means
    coarse = _spread(F.avg_pool2d(sums, 2, ceil_mode=True))
    return torch.where(weight > 0, means, F.interpolate(coarse, weight.shape[2:], mode="bilinear"))
