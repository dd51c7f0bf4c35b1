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
MID_TONES = (48, 200)
"""Codes that neither noise nor clipping shifts."""
EV_PER_LOG_CODE = 2.2 / np.log(2)
_DARKEST_LIGHT, _BRIGHTEST_LIGHT = 0.006, 0.8
"""Of a frame's own full scale: what neither noise nor clipping shifts."""
_GREY = np.array([[0.25, 0.5, 0.25]], np.float32)
_WORKING_PIXELS = 1_500_000


def working_cell(height: int, width: int) -> int:
    """Give the side in pixels of the cells that are averaged before motion is estimated, 1 for small photos."""
    cell = 1
    while height * width > _WORKING_PIXELS * cell**2:
        cell += 1
    return cell


def reduce_to_cells(linear: FloatImage, cell_px: int) -> FloatImage:
    """Average squares of pixels; those at the right and bottom that the photo's edge cuts are left out."""
    import cv2

    rows, columns = (side // cell_px for side in linear.shape[:2])
    whole = linear[: rows * cell_px, : columns * cell_px]
    cells: FloatImage = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return cells


def guide_pair(frame: FloatImage, reference: FloatImage, exposure_ratio: float) -> tuple[Guide, Guide]:
    """Make a frame and the reference comparable.

    Args:
        frame: h x w x 3 linear, 1.0 = its own full scale.
        reference: h x w x 3, the same of the reference.
        exposure_ratio: Exposure of the frame over that of the reference.

    Returns:
        Guides of the frame and of the reference.
    """
    longer = max(exposure_ratio, 1.0)
    return _guide(frame, longer / exposure_ratio), _guide(reference, longer)


def darkest_code(exposure_ratio: float) -> float:
    """Give the code of a guide below which the shorter frame shows noise and rounding rather than the scene."""
    return float(255 * (_DARKEST_LIGHT * max(exposure_ratio, 1 / exposure_ratio)) ** (1 / 2.2))


def exposure_error_ev(frame: FloatImage, reference: FloatImage, exposure_ratio: float) -> float:
    """Tell from the distributions of light alone how much brighter a frame is than its exposure says; 0 if they can't.

    Args:
        frame: See `guide_pair`.
        reference: See `guide_pair`.
        exposure_ratio: See `guide_pair`.
    """
    shares = np.linspace(0.02, 0.98, 49)
    levels = np.stack([np.quantile(linear[::2, ::2] @ _GREY[0], shares) for linear in (frame, reference)])
    told = ((levels > _DARKEST_LIGHT) & (levels < _BRIGHTEST_LIGHT)).all(axis=0)
    return float(np.median(np.subtract(*np.log2(levels[:, told])))) - np.log2(exposure_ratio) if told.any() else 0.0


def _guide(linear: FloatImage, gain: float) -> Guide:
    import cv2

    grey = cv2.transform(np.clip(linear * np.float32(gain), 0, 1), _GREY)
    codes: Guide = np.rint(cv2.pow(grey, 1 / 2.2) * 255).astype(np.uint8).reshape(linear.shape[:2])
    return codes
