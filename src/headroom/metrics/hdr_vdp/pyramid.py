"""The steerable pyramid: a picture as bands of frequency and orientation, as the visual cortex takes it apart.

Simoncelli and Freeman, "The steerable pyramid: a flexible architecture for multi-scale derivative computation", ICIP
1995.
"""

from __future__ import annotations

import cv2
import numpy as np

from headroom.metrics.hdr_vdp.display import Picture
from headroom.metrics.hdr_vdp.steerable_filters import SteerableFilters

Bands = list[list[Picture]]
"""Levels from the finest to the base band, each a list of orientations; the first and the last have one."""


def steerable_pyramid(picture: Picture, filters: SteerableFilters, height: int) -> Bands:
    """Take a picture apart into `height` levels of oriented bands, the finest residual and the base band.

    The picture goes on mirrored beyond its edges. The filters double the amplitude from one level to the next, which is
    taken back: n_f of eq. 15.
    """
    bands = [[_correlate(picture, filters.high)]]
    low = _correlate(picture, filters.low)
    for level in range(1, height + 1):
        bands.append([_correlate(low, kernel) / 2**level for kernel in filters.oriented])
        low = np.ascontiguousarray(_correlate(low, filters.halve)[::2, ::2])
    return [*bands, [low / 2 ** (height + 1)]]


def greatest_height(shape: tuple[int, ...], filters: SteerableFilters) -> int:
    """Give how often a picture H x W can be halved before it's smaller than the filter that halves it."""
    side, height = min(shape), 0
    while side >= len(filters.halve):
        side, height = side // 2, height + 1
    return height


def band_frequencies(height: int, pixels_per_degree: float) -> list[float]:
    """Give the peak frequency of each level in cycles per degree (eq. 13)."""
    return [pixels_per_degree / 2 / 2**level for level in range(height + 2)]


def _correlate(picture: Picture, kernel: Picture) -> Picture:
    return np.asarray(cv2.filter2D(picture, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT_101))
