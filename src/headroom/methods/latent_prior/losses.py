"""How far a picture that came back from latents is from what went in."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_WINDOW = 7
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2  # Wang et al. 2004, for codes in [0, 1]
_DARKEST_TEXTURE = 1e-3


def gradient_error(a: Tensor, b: Tensor) -> Tensor:
    """Compare the differences of neighbouring pixels: mean absolute error, both directions."""
    error = a - b
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()


def structure_error(a: Tensor, b: Tensor) -> Tensor:
    """Give 1 - SSIM (Wang et al. 2004), with a box of 7 x 7 pixels for the window."""
    mean_a, mean_b = _box(a), _box(b)
    variance_a, variance_b = _box(a * a) - mean_a**2, _box(b * b) - mean_b**2
    covariance = _box(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + _SSIM_C1) / (mean_a**2 + mean_b**2 + _SSIM_C1)
    return 1 - (luminance * (2 * covariance + _SSIM_C2) / (variance_a + variance_b + _SSIM_C2)).mean()


def texture_error(a: Tensor, b: Tensor) -> Tensor:
    """Compare the strength of fine detail around each pixel, wherever its edges are: mean absolute error.

    A sharp guess at texture costs more than a blur by every other term; by this one it costs less.
    """
    return (_texture(a) - _texture(b)).abs().mean()


def _texture(x: Tensor) -> Tensor:
    detail = x - F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    return (_box(detail**2) + _DARKEST_TEXTURE**2).sqrt()


def _box(x: Tensor) -> Tensor:
    """Average over the window, one direction after the other."""
    return F.avg_pool2d(F.avg_pool2d(x, (_WINDOW, 1), stride=1), (1, _WINDOW), stride=1)
