"""Structural similarity (Wang et al. 2004) as something to learn from: on the device, with gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW_PX = 11
_SIGMA_PX = 1.5
_K1, _K2 = 0.01, 0.03


def ssim(one: Tensor, other: Tensor, value_range: float = 1.0) -> Tensor:
    """Give the mean SSIM over the 11 x 11 Gaussian windows of sigma 1.5 that lie wholly in the picture.

    Each channel counts on its own; `headroom.metrics.ssim` is the same in NumPy, for scores.

    Args:
        one: N x C x H x W, both sides 11 or more.
        other: The same.
        value_range: Largest minus smallest possible value.

    Returns:
        N means, at most 1.
    """
    c1, c2 = (_K1 * value_range) ** 2, (_K2 * value_range) ** 2
    one, other = one.float(), other.float()
    mean_x, mean_y = _blurred(one), _blurred(other)
    variances = _blurred(one * one + other * other) - mean_x**2 - mean_y**2
    covariance = _blurred(one * other) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    windows = likeness / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))
    return windows.mean((1, 2, 3))


def _blurred(x: Tensor) -> Tensor:
    offset = torch.arange(WINDOW_PX, dtype=x.dtype, device=x.device) - WINDOW_PX // 2
    window = torch.softmax(-(offset**2) / (2 * _SIGMA_PX**2), 0)  # a normalised Gaussian
    n, c, h, w = x.shape
    rows = F.conv2d(x.reshape(n * c, 1, h, w), window.view(1, 1, -1, 1))
    return F.conv2d(rows, window.view(1, 1, 1, -1)).reshape(n, c, h - WINDOW_PX + 1, w - WINDOW_PX + 1)
