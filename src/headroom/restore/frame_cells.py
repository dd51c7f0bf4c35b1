"""Frames of a video on a grid of cells, as coarse as motion and its comparison need it."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.restore.flow import along, dense_flow
from headroom.restore.guide import Guide
from headroom.restore.warp import Places, pixel_places

_Number = TypeVar("_Number", np.uint8, np.float32)

_SIDE_PX = 512
"""Of the grid, at most."""
_LEAST_SIDE_PX = 16
"""Smaller ones have no flow."""


def frame_cell_px(height: int, width: int) -> int:
    """Give the side of a cell in pixels."""
    return -(-max(height, width) // _SIDE_PX)


def in_cells(image: NDArray[_Number], cell_px: int) -> NDArray[_Number]:
    """Average cells of H x W or H x W x C; those that the frame's edge cuts are stretched a little."""
    rows, columns = (-(-side // cell_px) for side in image.shape[:2])
    cells: NDArray[_Number] = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    return cells


def motion_between(before: Guide, now: Guide) -> NDArray[np.float32]:
    """Estimate where the frame before shows each cell of this one, minus that cell: h x w x 2; columns, rows."""
    if min(now.shape) < _LEAST_SIDE_PX:
        return np.zeros((*now.shape, 2), np.float32)
    return dense_flow(before, now)


def places_before(motion: NDArray[np.float32]) -> Places:
    """Give where the frame before shows each cell."""
    height, width = motion.shape[:2]
    return along(motion, pixel_places(slice(0, height), slice(0, width)))
