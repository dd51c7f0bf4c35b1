"""Made-up detail as strong as the photo's own.

What passes an autoencoder comes out smoother, more so the finer it is, and most so of a sharp photo. How much is seen
where the photo shows what came out smoother: where it is bright, as what is to be found is, and not clipped.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BANDS = 3
"""Octaves of detail that are matched, from the finest; what is coarser comes out of an autoencoder as it was."""

_MOST = 4.0
_BRIGHT = (0.45, 0.97)
"""Codes of the brightest channel between which a cell is bright and surely not clipped."""
_AWAY_CELLS = 4
"""How far other cells have to be, for the edge to them is no detail."""
_LEAST_SHARE = 0.002
_LEAST_POWER = 1e-9


def strengths(seen: Tensor, made: Tensor, encoded: Tensor, *, is_reduced: bool) -> Tensor:
    """Say how many times stronger the detail of a photo is than that of what was made of it.

    Args:
        seen: N x 1 x H x W log2 luminance of photos.
        made: The same of what the autoencoder made of them.
        encoded: N x 3 x H x W codes of the photos, in [0, 1].
        is_reduced: Whether a cell is several pixels of the photo. Of one that is not, the finest octave is noise and
            compression as much as detail, and is not strengthened.

    Returns:
        N x BANDS, from 1 / 4 to 4; 1 where a photo has hardly anything bright.
    """
    top = encoded.amax(1, keepdim=True)
    other = ((top <= _BRIGHT[0]) | (top >= _BRIGHT[1])).to(seen.dtype)
    told = 1 - F.max_pool2d(other, 2 * _AWAY_CELLS + 1, stride=1, padding=_AWAY_CELLS)
    powers = [
        torch.stack([(band.square() * told).mean((1, 2, 3)) for band in _octaves(log)[0]], 1) for log in (seen, made)
    ]
    found = (powers[0] / (powers[1] + _LEAST_POWER)).sqrt().clamp(1 / _MOST, _MOST)
    found = torch.where(told.mean((1, 2, 3))[:, None] < _LEAST_SHARE, torch.ones_like(found), found)
    return found if is_reduced else torch.cat((found[:, :1].clamp(max=1), found[:, 1:]), 1)


def strengthened(detail: Tensor, strength: Tensor) -> Tensor:
    """Make each octave of N x 1 x H x W detail so many times stronger, N x BANDS."""
    octaves, rest = _octaves(detail)
    factors = strength[:, :, None, None, None].unbind(1)
    return sum((factor * octave for factor, octave in zip(factors, octaves, strict=True)), start=rest)


def _octaves(x: Tensor) -> tuple[list[Tensor], Tensor]:
    """Part N x 1 x H x W into octaves, from the finest, and what is coarser; their sum is `x`."""
    octaves, finer = [], x
    for i in range(1, BANDS + 1):
        coarser = _averaged(x, 2**i)
        octaves.append(finer - coarser)
        finer = coarser
    return octaves, finer


def _averaged(x: Tensor, side: int) -> Tensor:
    """Average squares of cells, and go from one to the next smoothly."""
    height, width = x.shape[2:]
    padded = F.pad(x, (0, -width % side, 0, -height % side), mode="replicate")
    means = F.interpolate(F.avg_pool2d(padded, side), scale_factor=float(side), mode="bilinear", align_corners=False)
    return means[:, :, :height, :width]
