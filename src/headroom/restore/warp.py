"""Pixels fetched from where they were: one interpolation, whatever moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage

Homography = NDArray[np.float64]
"""3 x 3: takes a pixel (column, row, 1) of the reference to where the frame shows it."""

Places = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Columns and rows, in pixels; the centre of the first pixel is (0, 0)."""

SourceOf = Callable[[slice, slice], Places]
"""Gives the places in the frame, R x C each, of the pixels of these rows and columns."""

_TILE_PX = (256, 2048)
_REACH_PX = 3


def project(homography: Homography, places: Places) -> Places:
    """Take places of the reference to those where the frame shows them."""
    x, y = places
    (a, b, c), (d, e, f), (g, h, i) = homography.tolist()
    depth = g * x + (h * y + i)
    return (a * x + (b * y + c)) / depth, (d * x + (e * y + f)) / depth


def pixel_places(rows: slice, columns: slice) -> Places:
    """Give the places of pixels as an open grid, 1 x C columns and R x 1 rows."""
    x = np.arange(columns.start, columns.stop, dtype=np.float32)
    y = np.arange(rows.start, rows.stop, dtype=np.float32)
    return x[None], y[:, None]


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
        x, y = source_of(rows, columns)
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
