"""Two frames of a bracket made comparable: the same light gives the same code in both.

The shorter frame is brightened to the longer one's exposure and clipped where that one clips, channel by channel, so
what only one of them could record looks alike in both. The rest of alignment then compares plain 8-bit pictures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage

Guide = NDArray[np.uint8]
"""h x w gamma-encoded grey codes."""

TOP_CODE = 250
"""Codes from here on may be clipped in a channel."""
_GREY = np.array([[0.25, 0.5, 0.25]], np.float32)
_WORKING_PIXELS = 1_500_000


def working_cell(height: int, width: int) -> int:
    """Give the side in pixels of the cells that are averaged before alignment is estimated, 1 for small photos."""
    cell = 1
    while height * width > _WORKING_PIXELS * cell**2:
        cell += 1
    return cell


def guide_pair(
    frame: FloatImage, reference: FloatImage, exposure_ratio: float, cell_px: int = 1
) -> tuple[Guide, Guide]:
    """Make a frame and the reference comparable.

    Args:
        frame: H x W x 3 linear, 1.0 = its own full scale.
        reference: H x W x 3, the same of the reference.
        exposure_ratio: Exposure of the frame over that of the reference.
        cell_px: Side of the cells that are averaged; those at the right and bottom that the photo cuts are left out.

    Returns:
        Guides of the frame and of the reference, H // cell_px x W // cell_px.
    """
    longer = max(exposure_ratio, 1.0)
    return _guide(frame, longer / exposure_ratio, cell_px), _guide(reference, longer, cell_px)


def _guide(linear: FloatImage, gain: float, cell_px: int) -> Guide:
    import cv2

    height, width = linear.shape[0] // cell_px, linear.shape[1] // cell_px
    grey = np.empty((height, width), np.float32)
    strip = max(1, 2**17 // (width * cell_px**2))
    for start in range(0, height, strip):
        stop = min(start + strip, height)
        rows = linear[start * cell_px : stop * cell_px, : width * cell_px]
        # Clipped before it is averaged: a cell at the rim of a lamp is otherwise darker in the longer frame.
        clipped = np.clip(rows * np.float32(gain), 0, 1)
        cells = cv2.resize(clipped, (width, stop - start), interpolation=cv2.INTER_AREA) if cell_px > 1 else clipped
        grey[start:stop] = cv2.transform(cells, _GREY).reshape(stop - start, width)
    codes: Guide = np.rint(cv2.pow(grey, 1 / 2.2) * 255).astype(np.uint8)
    return codes
