"""What is shown: two pictures in cd/m2, and how large a pixel of them looks."""

from __future__ import annotations

from math import atan, degrees, hypot

import numpy as np
from numpy.typing import NDArray

from headroom.errors import UsageError

Picture = NDArray[np.float64]

_MM_PER_INCH = 25.4
_SMALLEST_PX = 17
"""Side of the largest filter."""

_PIXELS_PER_DEGREE = (8.0, 240.0)


def pixels_per_degree(diagonal_inch: float, resolution_px: tuple[int, int], distance_m: float) -> float:
    """Give the pixels that one degree of view holds, at the centre of a display of square pixels.

    Args:
        diagonal_inch: Diagonal of the display.
        resolution_px: Its width and height.
        distance_m: From the eye to the display.
    """
    width, height = resolution_px
    height_mm = diagonal_inch * _MM_PER_INCH * height / hypot(width, height)
    return height / degrees(2 * atan(height_mm / 2 / (distance_m * 1000)))


def checked(test: NDArray[np.floating], reference: NDArray[np.floating], resolution: float) -> tuple[Picture, Picture]:
    """Give both pictures as float64.

    Args:
        test: H x W x 3, cd/m2.
        reference: H x W x 3, cd/m2.
        resolution: Pixels per degree.

    Raises:
        UsageError: Shapes that differ, no light in cd/m2, or a resolution that the model isn't made for.
    """
    if test.shape != reference.shape:
        raise UsageError(f"test {test.shape}, reference {reference.shape}. Give pictures of one size.")
    if reference.ndim != 3 or reference.shape[2] != 3 or min(reference.shape[:2]) < _SMALLEST_PX:
        raise UsageError(
            f"Pictures of shape {reference.shape}. Give H x W x 3 of at least {_SMALLEST_PX} pixels a side."
        )
    for name, picture in (("test", test), ("reference", reference)):
        # A NaN passes neither comparison.
        if not (picture.min() >= 0 and picture.max() < np.inf):
            raise UsageError(f"{name}: values from {picture.min():g} to {picture.max():g}. Give finite light >= 0.")
    if reference.max() <= 1:  # the MATLAB programs warn here
        raise UsageError(f"reference: at most {reference.max():g} cd/m2, darker than any display. Scale it to cd/m2.")
    low, high = _PIXELS_PER_DEGREE
    if not low <= resolution <= high:
        raise UsageError(f"{resolution:g} pixels per degree, allowed are {low:g} to {high:g}. Use pixels_per_degree().")
    return test.astype(np.float64), reference.astype(np.float64)
