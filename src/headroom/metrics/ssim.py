"""Structural similarity (Wang et al. 2004), with the two borders that the field uses."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]

WINDOW_PX = 11
_SIGMA_PX = 1.5
_K1, _K2 = 0.01, 0.03


def ssim_map(one: Picture, other: Picture, value_range: float, *, border: Literal["inside", "replicate"]) -> Picture:
    """Give the SSIM of each 11 x 11 Gaussian window of sigma 1.5, channel by channel.

    Args:
        one: H x W or H x W x 3.
        other: The same.
        value_range: Largest minus smallest possible value.
        border: `inside` takes whole windows only, which leaves H - 10 x W - 10 of them, or none of a smaller picture;
            `replicate` one for each pixel, as MATLAB's `ssim` does.
    """
    c1, c2 = (_K1 * value_range) ** 2, (_K2 * value_range) ** 2
    mean_x, mean_y = _blurred(one), _blurred(other)
    variance_x, variance_y = _blurred(one * one) - mean_x**2, _blurred(other * other) - mean_y**2
    covariance = _blurred(one * other) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    windows: Picture = likeness / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))
    if border == "replicate":
        return windows
    edge = WINDOW_PX // 2
    return windows[edge : one.shape[0] - edge, edge : one.shape[1] - edge]


def _blurred(picture: Picture) -> Picture:
    window = cv2.getGaussianKernel(WINDOW_PX, _SIGMA_PX)
    blurred: Picture = cv2.sepFilter2D(picture, cv2.CV_64F, window, window, borderType=cv2.BORDER_REPLICATE)
    return blurred
