"""Full-resolution methods on photos of any size: overlapping tiles, held together by one look at the whole photo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from headroom.methods.contract import ExpandInput
from headroom.nn.tiles import tiles
from headroom.restore.reduce import full_input, reduced_input

RunNetwork = Callable[[ExpandInput], Tensor]
"""Pads, runs and crops: 1 x 3 x h x w tensors in, 1 x 3 x h x w log2 gain out."""


def run_tiled(
    run: RunNetwork,
    codes: NDArray[np.uint8],
    clipped: NDArray[np.bool_],
    *,
    tile_px: int,
    overlap_px: int,
    progress: Callable[[float], None],
) -> NDArray[np.float32]:
    """Predict the log2 gain of a photo tile by tile.

    A tile alone does not know the light of the whole scene, and two neighbours would disagree. So the photo is first
    seen whole at the size of a tile; that gain gives the coarse shape everywhere, and tiles only add what is finer
    than its cells. Overlaps are cross-faded.

    Returns:
        H x W x 3 log2 gain.
    """
    height, width = codes.shape[:2]
    cell = -(-max(height, width) // tile_px)
    whole = run(reduced_input(codes, clipped, cell))
    if cell == 1:
        progress(1.0)
        return _image(whole)
    coarse = _image(_enlarge(whole, cell)[:, :, :height, :width])
    total = np.zeros((height, width, 3), np.float32)
    pieces = list(tiles(height, width, tile_px, overlap_px))
    for number, (rows, columns, fade) in enumerate(pieces, start=1):
        gain = run(full_input(codes[rows, columns], clipped[rows, columns]))
        total[rows, columns] += fade * (_image(gain - _coarse_part(gain, cell)) + coarse[rows, columns])
        progress(number / len(pieces))
    return total


def _coarse_part(gain: Tensor, cell: int) -> Tensor:
    """Keep of a tile's gain what the look at the whole photo knows already."""
    height, width = gain.shape[2:]
    return _enlarge(F.avg_pool2d(gain, cell, ceil_mode=True, count_include_pad=False), cell)[:, :, :height, :width]


def _enlarge(gain: Tensor, cell: int) -> Tensor:
    return F.interpolate(gain, scale_factor=float(cell), mode="bilinear", align_corners=False)


def _image(gain: Tensor) -> NDArray[np.float32]:
    image: NDArray[np.float32] = gain[0].permute(1, 2, 0).numpy()
    return image
