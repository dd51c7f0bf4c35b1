"""Contrast masking: what a pattern hides of differences in its band and near it. Equations 11 and 14 to 16.

Bands are those of `pyramid`: of one unit at all levels, so that n_f of the equations is in them already.
"""

from __future__ import annotations

import cv2
import numpy as np

from headroom.metrics.hdr_vdp.display import Picture
from headroom.metrics.hdr_vdp.pyramid import Bands
from headroom.metrics.resizing import resize


def mutual_activity(test: Bands, reference: Bands) -> Bands:
    """Give B_M without its nCSF (eq. 16): only what both pictures show masks, whatever its phase."""
    return [
        [_pool(np.minimum(np.abs(a), np.abs(b))) for a, b in zip(*level, strict=True)]
        for level in zip(test, reference, strict=True)
    ]


def across_orientations(activity: Bands, level: int, orientation: int) -> Picture:
    """Give the activity of a level's other orientations (eq. 14, second line)."""
    others = sum(activity[level]) - activity[level][orientation]
    return np.maximum(others, 0)


def across_levels(activity: Bands, level: int, orientation: int) -> Picture:
    """Give the activity of both neighbouring levels (eq. 14, third line); the base band masks no other."""
    own = activity[level][orientation]
    total = np.zeros_like(own)
    for neighbour in (level - 1, level + 1):
        if 0 <= neighbour < len(activity) - 1:
            bands = activity[neighbour]
            total += np.maximum(resize(bands[min(orientation, len(bands) - 1)], own.shape), 0)
    return total


def normalised_difference(difference: Picture, neural_noise: Picture | float, mask: Picture, p: float) -> Picture:
    """Give |D|, the difference in units of its detection threshold (eq. 11).

    Args:
        difference: H x W, of test and reference in one band.
        neural_noise: N_nCSF to the power p.
        mask: N_mask.
        p: Exponent.
    """
    return np.asarray(np.abs(difference) ** p / np.sqrt(neural_noise**2 + mask**2))


def _pool(activity: Picture) -> Picture:
    return np.asarray(cv2.blur(activity, (3, 3), borderType=cv2.BORDER_CONSTANT))
