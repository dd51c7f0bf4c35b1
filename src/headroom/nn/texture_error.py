"""A loss that counts texture: how strong detail is around each pixel, wherever its edges are."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_WINDOW_PX = 7
_FAINTEST = 1e-3
"""Strength of detail below which differences count for little; without it, flat places have no gradient."""


def texture_error(a: Tensor, b: Tensor) -> Tensor:
    """Compare the strength of fine detail around each pixel, wherever its edges are: mean absolute error.

    A sharp guess at texture costs more than a blur by every other term; by this one it costs less.
    """
    return (_texture(a) - _texture(b)).abs().mean()


def _texture(x: Tensor) -> Tensor:
    """Give the deviation around each pixel of what a blur over 3 x 3 pixels takes away."""
    detail = x - F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    over_columns = F.avg_pool2d(detail**2, (1, _WINDOW_PX), stride=1)
    return (F.avg_pool2d(over_columns, (_WINDOW_PX, 1), stride=1) + _FAINTEST**2).sqrt()
