"""The honest composition: measured pixels stay as measured, clipped and crushed ones get the predicted gain."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom.colour.code_ends import CRUSH_LEVEL
from headroom.image import FloatImage
from headroom.nn.gain import upsample_gain

LinearRows = Callable[[int, int], FloatImage]
"""Gives the measured light of rows `start` to `stop`: R x W x 3, an array of the caller's own."""

GainRows = Callable[[int, int], Tensor]
"""Gives the log2 gain of rows `start` to `stop`: R x W x 3."""


class Shadows(NamedTuple):
    """What is recovered of crushed codes.

    Attributes:
        weight: H x W x 3 share of what is recovered in each code's light, 0 to 255; 0 at measured codes.
        gain_rows: The predicted gain over the measured light, or over `CRUSH_LEVEL` where that is more.
        ceiling: The light, of each channel, that crushed codes were below.
    """

    weight: NDArray[np.uint8]
    gain_rows: GainRows
    ceiling: FloatImage


def compose(
    linear_rows: LinearRows,
    weight: NDArray[np.uint8],
    gain_rows: GainRows,
    *,
    strip_rows: int,
    max_gain_stops: float,
    progress: Callable[[float], None],
    shadows: Shadows | None = None,
) -> tuple[FloatImage, FloatImage]:
    """Take a photo's measured light, lift its clipped codes and part its crushed ones.

    Args:
        linear_rows: The measured light.
        weight: H x W x 3 share of the gain that each code takes, 0 to 255; 0 at measured codes.
        gain_rows: The predicted gain.
        strip_rows: Rows that are worked on at a time.
        max_gain_stops: Largest gain, which is the log2 value of the brightest recovered pixel.
        progress: Told the finished share.
        shadows: What is recovered of crushed codes; None to leave them as they are.

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
        if shadows and (in_shadows := shadows.weight[start:stop]).any():
            _part(strip, in_shadows, shadows.gain_rows(start, stop), shadows.ceiling)
            strip_weight = np.maximum(strip_weight, in_shadows)
        pixels[start:stop] = strip
        largest = np.maximum(np.maximum(strip_weight[..., 0], strip_weight[..., 1]), strip_weight[..., 2])
        np.divide(largest, np.float32(255), out=recovered[start:stop])
        progress(stop / height)
    return pixels, recovered


def _part(light: FloatImage, weight: NDArray[np.uint8], gain: Tensor, ceiling: FloatImage) -> None:
    """Replace the light of crushed codes in place, R x W x 3, by none that they would not have stood for."""
    recovered = np.maximum(light, np.float32(CRUSH_LEVEL)) * torch.exp2(gain).numpy()
    np.minimum(recovered, np.maximum(light, ceiling), out=recovered)
    light += weight / np.float32(255) * (recovered - light)


def no_gain(_start: int, _stop: int) -> Tensor:
    """Give no gain at all."""
    return torch.zeros(1, 1, 1)


def cells_to_rows(gain: Tensor, share: Tensor, cell_px: int, width: int) -> GainRows:
    """Give rows of a gain that was predicted on a grid of cells.

    Args:
        gain: 1 x 3 x h x w log2 gain.
        share: 1 x 3 x h x w share of each cell that the gain is for: that is clipped, or crushed.
        cell_px: Side of a cell in pixels.
        width: Columns of the photo.
    """
    rows = gain.shape[2]

    def gain_rows(start: int, stop: int) -> Tensor:
        first, last = start // cell_px, -(-stop // cell_px)
        above, below = max(first - 1, 0), min(last + 1, rows)
        size = ((below - above) * cell_px, gain.shape[3] * cell_px)
        fine = upsample_gain(gain[:, :, above:below], share[:, :, above:below], size)
        offset = start - above * cell_px
        return fine[0, :, offset : offset + stop - start, :width].permute(1, 2, 0)

    return gain_rows
