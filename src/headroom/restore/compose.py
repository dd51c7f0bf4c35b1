"""The honest composition: measured pixels stay as measured, clipped ones get the predicted gain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom.image import FloatImage
from headroom.nn.gain import upsample_gain

LinearRows = Callable[[int, int], FloatImage]
"""Gives the measured light of rows `start` to `stop`: R x W x 3, an array of the caller's own."""

GainRows = Callable[[int, int], Tensor]
"""Gives the log2 gain of rows `start` to `stop`: R x W x 3."""


def compose(
    linear_rows: LinearRows,
    weight: NDArray[np.uint8],
    gain_rows: GainRows,
    *,
    strip_rows: int,
    max_gain_stops: float,
    progress: Callable[[float], None],
) -> tuple[FloatImage, FloatImage]:
    """Take a photo's measured light and lift its clipped codes.

    Args:
        linear_rows: The measured light.
        weight: H x W x 3 share of the gain that each code takes, 0 to 255; 0 at measured codes.
        gain_rows: The predicted gain.
        strip_rows: Rows that are worked on at a time.
        max_gain_stops: Largest gain, which is the log2 value of the brightest recovered pixel.
        progress: Told the finished share.

    Returns:
        H x W x 3 linear pixels, in the scale of `linear_rows`, and the H x W recovered mask.
    """
    height = weight.shape[0]
    pixels = np.empty(weight.shape, dtype=np.float32)
    recovered = np.empty(weight.shape[:2], dtype=np.float32)
    for start in range(0, height, strip_rows):
        stop = min(start + strip_rows, height)
        strip = linear_rows(start, stop)
        strip_weight = weight[start:stop]
        if strip_weight.any():
            # A clipped pixel is at least as bright as the clip level; a measured one is multiplied by exactly 1.
            gain = torch.clamp(gain_rows(start, stop), min=0, max=max_gain_stops)
            torch.from_numpy(strip).mul_(torch.exp2(gain * torch.from_numpy(strip_weight / np.float32(255))))
        pixels[start:stop] = strip
        largest = np.maximum(np.maximum(strip_weight[..., 0], strip_weight[..., 1]), strip_weight[..., 2])
        np.divide(largest, np.float32(255), out=recovered[start:stop])
        progress(stop / height)
    return pixels, recovered


def no_gain(_start: int, _stop: int) -> Tensor:
    """Give no gain at all."""
    return torch.zeros(1, 1, 1)


def cells_to_rows(gain: Tensor, clipped_share: Tensor, cell_px: int, width: int) -> GainRows:
    """Give rows of a gain that was predicted on a grid of cells.

    Args:
        gain: 1 x 3 x h x w log2 gain.
        clipped_share: 1 x 3 x h x w share of each cell that is clipped.
        cell_px: Side of a cell in pixels.
        width: Columns of the photo.
    """
    rows = gain.shape[2]

    def gain_rows(start: int, stop: int) -> Tensor:
        first, last = start // cell_px, -(-stop // cell_px)
        above, below = max(first - 1, 0), min(last + 1, rows)
        size = ((below - above) * cell_px, gain.shape[3] * cell_px)
        fine = upsample_gain(gain[:, :, above:below], clipped_share[:, :, above:below], size)
        offset = start - above * cell_px
        return fine[0, :, offset : offset + stop - start, :width].permute(1, 2, 0)

    return gain_rows
