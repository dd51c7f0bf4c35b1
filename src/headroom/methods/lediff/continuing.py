"""Made-up light that continues what a photo measured around it, and in a pixel's other channels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_REACH = 1 / 128
"""How far what was measured is heard, over the photo's longer side."""
_SILENCE = 0.3
"""Share of measured channels within reach below which they say little."""


def continued(gain: Tensor, measured: Tensor) -> Tensor:
    """Take from a log2 gain, N x 3 x H x W, by how much it is wrong where the photo tells: there it should be 0.

    A channel that clipped beside two that did not is about as bright as they are: light that was made up there as if
    all three had clipped would give it a colour that no scene has.

    Args:
        gain: Made up everywhere.
        measured: Share of each cell's pixels whose channel was measured, in [0, 1].
    """
    known = measured.mean(1, keepdim=True)
    wrong = (measured * gain).mean(1, keepdim=True)
    radius = max(1, round(max(gain.shape[2:]) * _REACH / 2))
    return gain - _heard(wrong, radius) / (_heard(known, radius) + _SILENCE)


def _heard(x: Tensor, radius: int) -> Tensor:
    """Add to each cell the average around it, which falls off to the sides."""
    around = x
    for _ in range(2):
        around = F.avg_pool2d(around, 2 * radius + 1, stride=1, padding=radius, count_include_pad=False)
    return x + around
