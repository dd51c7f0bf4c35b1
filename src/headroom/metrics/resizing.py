"""Bicubic resizing as MATLAB's `imresize` does it: Keys' cubic of 1981 (a = -1/2), widened where pictures shrink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]


def resize(picture: Picture, shape: tuple[int, ...]) -> Picture:
    """Resize H x W to another H x W; edges are mirrored, their pixel doubled."""
    if picture.shape == shape:
        return picture
    height, width = shape
    rows = _resize_rows(picture, height, height / picture.shape[0])
    return _resize_rows(rows.T, width, width / picture.shape[1]).T


def halve(picture: Picture) -> Picture:
    """Resize H x W to half of it; of an odd size, the last pixel is half beyond the edge."""
    height, width = picture.shape
    return _resize_rows(_resize_rows(picture, -(-height // 2), 0.5).T, -(-width // 2), 0.5).T


def _resize_rows(picture: Picture, count: int, scale: float) -> Picture:
    rows, weights = _taps(len(picture), count, scale)
    return np.asarray(sum(weight[:, None] * picture[row] for row, weight in zip(rows.T, weights.T, strict=True)))


def _taps(count_in: int, count_out: int, scale: float) -> tuple[NDArray[np.intp], Picture]:
    """Give the rows that each new row is made of, and their weights: both count_out x taps."""
    shrink = min(scale, 1.0)
    width = 4 / shrink
    centre = (np.arange(count_out) + 0.5) / scale - 0.5
    row = np.floor(centre - width / 2).astype(np.intp)[:, None] + np.arange(int(np.ceil(width)) + 2)
    weight = _cubic((centre[:, None] - row) * shrink)
    mirrored = np.mod(row, 2 * count_in)
    return np.minimum(mirrored, 2 * count_in - 1 - mirrored), weight / weight.sum(axis=1, keepdims=True)


def _cubic(distance: Picture) -> Picture:
    x = np.abs(distance)
    near, far = (1.5 * x - 2.5) * x**2 + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))
