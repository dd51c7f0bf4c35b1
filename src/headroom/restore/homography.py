"""Homographies: how the view of a turning camera changes, and reduced pictures seen through one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headroom.restore.guide import Guide
from headroom.restore.warp import Homography, project

_LEAST_DEPTH = 0.3
_AREA_CHANGE = (0.5, 2.0)
_MOST_SHIFT = 0.5


def fit_homography(points: NDArray[np.float32], there: NDArray[np.float32], tolerance_px: float) -> Homography | None:
    """Fit a homography that takes most points, N x 2 (column, row), there; None where there are too few."""
    import cv2

    if len(points) < 12:
        return None
    cv2.setRNGSeed(0)
    found, _ = cv2.findHomography(points, there, cv2.USAC_MAGSAC, tolerance_px, maxIters=2000, confidence=0.999)
    return None if found is None else np.asarray(found / found[2, 2])


def project_points(homography: Homography, points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Take points, N x 2 (column, row), through a homography."""
    return np.stack(project(homography, (points[:, 0], points[:, 1])), axis=1)


def at_full_size(homography: Homography, cell_px: int) -> Homography:
    """Turn a homography between reduced pictures into the one between the photos themselves."""
    centre = (cell_px - 1) / 2
    to_full = np.array([[cell_px, 0, centre], [0, cell_px, centre], [0, 0, 1.0]])
    return to_full @ homography @ np.linalg.inv(to_full)


def largest_distance(one: Homography, other: Homography, shape: tuple[int, ...]) -> float:
    """Give the largest distance, in pixels, between where two homographies take a corner."""
    corners = _corners(*shape)
    return float(np.linalg.norm(project_points(one, corners) - project_points(other, corners), axis=1).max())


def plausible(homography: Homography, shape: tuple[int, ...]) -> bool:
    """Say whether a hand-held camera can do that: no mirror, no fold, no zoom, half the picture still in view."""
    height, width = shape
    corners = _corners(height, width)
    depth = corners @ homography[2, :2] + homography[2, 2]
    if not np.isfinite(homography).all() or (depth < _LEAST_DEPTH).any():
        return False
    seen = project_points(homography, corners)
    edges = np.roll(seen, -1, axis=0) - seen
    following = np.roll(edges, -1, axis=0)
    areas = (edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]) / (height * width)
    shift = np.abs(seen.mean(axis=0) - corners.mean(axis=0)) / (width, height)
    return bool((areas > _AREA_CHANGE[0]).all() and (areas < _AREA_CHANGE[1]).all() and (shift < _MOST_SHIFT).all())


def warp_guide(guide: Guide, homography: Homography) -> Guide:
    """Bring a guide into the reference's framing; beyond its border it repeats the edge."""
    import cv2

    warped: Guide = cv2.warpPerspective(
        guide,
        homography,
        guide.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped


def shows(homography: Homography, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Say which pixels of the reference the frame shows: h x w."""
    import cv2

    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    seen: NDArray[np.uint8] = cv2.warpPerspective(np.ones(shape, np.uint8), homography, shape[::-1], flags=flags)
    return seen.astype(np.bool_)


def _corners(height: int, width: int) -> NDArray[np.float64]:
    return np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float64)
