"""Pixels fetched from where they were: one interpolation, whatever moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage

Homography = NDArray[np.float64]
"""3 x 3: takes a pixel (column, row, 1) of the reference to where the frame shows it."""

SourceOf = Callable[[slice, slice], NDArray[np.float32]]
"""Gives the place in the frame, R x C x 2 columns and rows, of each pixel of these rows and columns."""

_TILE_PX = (256, 2048)
_REACH_PX = 3


def project(homography: Homography, points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Take points, ... x 2 (column, row), through a homography."""
    x, y = points[..., 0], points[..., 1]
    (a, b, c), (d, e, f), (g, h, i) = homography
    depth = g * x + h * y + i
    return np.stack(((a * x + b * y + c) / depth, (d * x + e * y + f) / depth), axis=-1).astype(np.float32)


def pixel_grid(rows: slice, columns: slice) -> NDArray[np.float32]:
    """Give column and row of each pixel: R x C x 2."""
    y, x = np.mgrid[rows.start : rows.stop, columns.start : columns.stop].astype(np.float32)
    return np.stack((x, y), axis=-1)


def warp(linear: FloatImage, source_of: SourceOf) -> tuple[FloatImage, NDArray[np.bool_]]:
    """Fetch every pixel from its place in a frame.

    Cubic interpolation of square roots, which treats noise alike in light and shade, held between the darkest and the
    brightest neighbour, so that lamps get no dark rims.

    Args:
        linear: H x W x 3, at least 0.
        source_of: Where each pixel is.

    Returns:
        H x W x 3 linear light and H x W, False where the frame shows nothing; such pixels repeat its edge.
    """
    height, width = linear.shape[:2]
    result, inside = np.empty_like(linear), np.empty((height, width), np.bool_)
    for rows, columns in _tiles(height, width):
        source = source_of(rows, columns)
        x, y = source[..., 0], source[..., 1]
        # A hundredth of a pixel beyond the edge is rounding.
        inside[rows, columns] = (x >= -0.01) & (y >= -0.01) & (x <= width - 0.99) & (y <= height - 0.99)
        result[rows, columns] = _fetch(linear, x, y)
    return result, inside


def _fetch(linear: FloatImage, x: NDArray[np.float32], y: NDArray[np.float32]) -> FloatImage:
    import cv2

    # Only the part that is needed: OpenCV takes no picture wider than 32766 px.
    left, right = _needed(x, linear.shape[1])
    top, bottom = _needed(y, linear.shape[0])
    part = np.sqrt(np.maximum(linear[top:bottom, left:right], 0))
    x, y = x - left, y - top
    box = np.ones((3, 3), np.uint8)
    darkest, brightest = (
        cv2.remap(extreme(part, box), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        for extreme in (cv2.erode, cv2.dilate)
    )
    fetched = cv2.remap(part, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    held: FloatImage = np.clip(fetched, darkest, brightest)
    return np.square(held)


def _needed(places: NDArray[np.float32], length: int) -> tuple[int, int]:
    """First and last pixel, exclusive, around these places."""
    first = int(np.clip(np.floor(places.min()) - _REACH_PX, 0, length - 1))
    return first, int(np.clip(np.ceil(places.max()) + _REACH_PX + 1, first + 1, length))


def _tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, height, _TILE_PX[0]):
        for left in range(0, width, _TILE_PX[1]):
            yield slice(top, min(top + _TILE_PX[0], height)), slice(left, min(left + _TILE_PX[1], width))
