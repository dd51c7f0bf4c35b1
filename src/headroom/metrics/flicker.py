"""Flicker of a video: how much the recovered light of a thing changes from one frame to the next."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage, Hdr
from headroom.restore.frame_cells import frame_cell_px, in_cells, motion_between, places_before

_LUMINANCE = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
_DARKEST = 2.0**-10


def flicker_stops(earlier: Hdr, later: Hdr, motion_px: NDArray[np.float32] | None = None) -> float:
    """Give the mean absolute log2 ratio of recovered light between two frames, followed along its motion.

    Lower is steadier; 0 is what a still scene and a steady method have.

    Args:
        earlier: A frame.
        later: The next one, of the same size.
        motion_px: H x W x 2: where the earlier frame shows each pixel of the later one, minus that pixel; columns,
            rows. Estimated from what both measured where None.

    Returns:
        Stops; NaN where no pixel is recovered in both.
    """
    cell = frame_cell_px(later.height, later.width)
    (light, share), (now, share_now) = (_reduced(frame, cell) for frame in (earlier, later))
    motion = _motion(light, now) if motion_px is None else in_cells(motion_px, cell) / np.float32(cell)
    x, y = places_before(motion)
    # What lies beyond the earlier frame was not recovered there.
    then, share_then = (cv2.remap(part, x, y, cv2.INTER_LINEAR, borderValue=0) for part in (light, share))
    both = (share_then > 0.99) & (share_now > 0.99)
    return float(np.abs(now - then)[both].mean()) if both.any() else math.nan


def _reduced(frame: Hdr, cell: int) -> tuple[FloatImage, FloatImage]:
    """Give log2 luminance and the recovered share of cells, h x w each."""
    recovered = np.zeros(frame.pixels.shape[:2], np.float32) if frame.recovered is None else frame.recovered
    luminance = cv2.transform(frame.pixels, _LUMINANCE).reshape(recovered.shape)
    return np.log2(np.maximum(in_cells(luminance, cell), _DARKEST)), in_cells((recovered > 0).astype(np.float32), cell)


def _motion(light: FloatImage, now: FloatImage) -> NDArray[np.float32]:
    """Estimate motion from log2 light up to SDR white, which is what was measured."""
    return motion_between(*(np.rint(255 * np.clip(1 + part / 8, 0, 1)).astype(np.uint8) for part in (light, now)))
