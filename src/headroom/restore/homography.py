"""Global alignment: how the camera turned between two frames, as a homography.

A rough guess is found first, from features, from a common shift, or from none. Dense flow over that guess then gives a
match in every part of the picture, so that the homography fits the scene and not the few objects with sharp corners.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from headroom.restore.flow import dense_flow
from headroom.restore.guide import TOP_CODE, Guide
from headroom.restore.warp import Homography, project

_LEAST_SHIFT_PX = 0.15
"""Corners that move less show a camera on a tripod."""
_LEAST_GAIN = 0.03
"""Share of the difference that a homography has to take away."""
_OUTLIER_CODES = 24.0
_CELL_PX = 12
_ROUNDS = 3


def estimate_homography(frame: Guide, reference: Guide) -> Homography | None:
    """Estimate where the frame shows what the reference shows.

    Returns:
        The homography, or None where none is measurably better than leaving the frame as it is.
    """
    still = np.eye(3)
    guess = min(_guesses(frame, reference), key=lambda guess: mismatch(guess, still, frame, reference)[0])
    for _ in range(_ROUNDS):
        better = _fit_to_flow(guess, frame, reference)
        if better is None or not plausible(better, reference.shape):
            break
        error, error_of_guess = mismatch(better, guess, frame, reference)
        if error >= error_of_guess:
            break
        guess = better
    error, error_of_none = mismatch(guess, still, frame, reference)
    if _corner_shift(guess, reference.shape) < _LEAST_SHIFT_PX or error > (1 - _LEAST_GAIN) * error_of_none:
        return None
    return guess


def at_full_size(homography: Homography, cell_px: int) -> Homography:
    """Turn a homography between reduced pictures into the one between the photos themselves."""
    centre = (cell_px - 1) / 2
    to_full = np.array([[cell_px, 0, centre], [0, cell_px, centre], [0, 0, 1.0]])
    return to_full @ homography @ np.linalg.inv(to_full)


def plausible(homography: Homography, shape: tuple[int, ...]) -> bool:
    """Say whether a hand-held camera can do that: no mirror, no fold, half the picture still in view."""
    height, width = shape
    corners = _corners(height, width)
    depth = corners @ homography[2, :2] + homography[2, 2]
    if not np.isfinite(homography).all() or (depth <= 0.3 * abs(homography[2, 2])).any() or homography[2, 2] <= 0:
        return False
    seen = _project(homography, corners)
    edges = np.roll(seen, -1, axis=0) - seen
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    area = turns / (height * width)
    shift = np.abs(seen.mean(axis=0) - corners.mean(axis=0)) / (width, height)
    return bool((area > 0.5).all() and (area < 2).all() and (shift < 0.5).all())


def warp_guide(guide: Guide, homography: Homography) -> Guide:
    """Bring a guide into the reference's framing; beyond its border it repeats the edge."""
    import cv2

    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped: Guide = cv2.warpPerspective(
        guide, homography, guide.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return warped


def shows(homography: Homography, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Say which pixels of the reference the frame shows: h x w."""
    import cv2

    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    seen: NDArray[np.uint8] = cv2.warpPerspective(np.ones(shape, np.uint8), homography, shape[::-1], flags=flags)
    return seen.astype(np.bool_)


def mismatch(one: Homography, other: Homography, frame: Guide, reference: Guide) -> tuple[float, float]:
    """Compare two homographies by the difference that each leaves, in codes, over the pixels that both show.

    Differences are cut off, so that what moved by itself counts little, and pixels that clip in both don't count.
    """
    import cv2

    warped = [warp_guide(frame, homography) for homography in (one, other)]
    common = shows(one, reference.shape) & shows(other, reference.shape)
    for guide in warped:
        common &= (reference < TOP_CODE) | (guide < TOP_CODE)
    if common.mean() < 0.005:
        return np.inf, np.inf
    smooth = [cv2.GaussianBlur(guide, (0, 0), 1.0) for guide in (*warped, reference)]
    errors = [np.minimum(cv2.absdiff(guide, smooth[2])[common], _OUTLIER_CODES).mean() for guide in smooth[:2]]
    return float(errors[0]), float(errors[1])


def _guesses(frame: Guide, reference: Guide) -> Iterator[Homography]:
    yield np.eye(3)
    for guess in (_from_shift(frame, reference), _from_features(frame, reference)):
        if guess is not None and plausible(guess, reference.shape):
            yield guess


def _from_shift(frame: Guide, reference: Guide) -> Homography:
    """Find the one shift of the whole picture, by phase correlation."""
    import cv2

    window = cv2.createHanningWindow(reference.shape[::-1], cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(reference.astype(np.float32), frame.astype(np.float32), window)
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def _from_features(frame: Guide, reference: Guide) -> Homography | None:
    """Match corners of both guides."""
    import cv2

    detector = cv2.ORB_create(1500, fastThreshold=7)
    (corners, words), (their_corners, their_words) = (
        detector.detectAndCompute(guide, None) for guide in (reference, frame)
    )
    if words is None or their_words is None:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(words, their_words)
    points = np.array([corners[pair.queryIdx].pt for pair in pairs], np.float32)
    return _fit(points, np.array([their_corners[pair.trainIdx].pt for pair in pairs], np.float32), 3.0)


def _fit_to_flow(guess: Homography, frame: Guide, reference: Guide) -> Homography | None:
    """Improve a homography with the flow that remains, at the best corner of each cell of the picture."""
    import cv2

    rest = dense_flow(warp_guide(frame, guess), reference)
    structure = np.where(shows(guess, reference.shape), cv2.cornerMinEigenVal(reference, 5), 0)
    points = _best_of_cells(structure)
    there = points + rest[points[:, 1].astype(int), points[:, 0].astype(int)]
    return _fit(points, _project(guess, there), 1.0)


def _best_of_cells(structure: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the pixel with most structure of each cell, N x 2 (column, row); cells with hardly any give none."""
    height, width = (side // _CELL_PX * _CELL_PX for side in structure.shape)
    grid = structure[:height, :width].reshape(height // _CELL_PX, _CELL_PX, width // _CELL_PX, _CELL_PX)
    cells = grid.transpose(0, 2, 1, 3).reshape(-1, _CELL_PX**2)
    best = cells.argmax(axis=1)
    kept = np.flatnonzero(cells.max(axis=1) > 1e-7)
    rows = kept // (width // _CELL_PX) * _CELL_PX + best[kept] // _CELL_PX
    columns = kept % (width // _CELL_PX) * _CELL_PX + best[kept] % _CELL_PX
    return np.stack((columns, rows), axis=1).astype(np.float32)


def _fit(points: NDArray[np.float32], there: NDArray[np.float32], tolerance_px: float) -> Homography | None:
    import cv2

    if len(points) < 12:
        return None
    cv2.setRNGSeed(0)
    found, _ = cv2.findHomography(points, there, cv2.USAC_MAGSAC, tolerance_px, maxIters=2000, confidence=0.999)
    return None if found is None else np.asarray(found / found[2, 2])


def _corners(height: int, width: int) -> NDArray[np.float64]:
    return np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float64)


def _project(homography: Homography, points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Take points, N x 2 (column, row), through a homography."""
    return np.stack(project(homography, (points[:, 0], points[:, 1])), axis=1)


def _corner_shift(homography: Homography, shape: tuple[int, ...]) -> float:
    corners = _corners(*shape)
    return float(np.linalg.norm(_project(homography, corners) - corners, axis=1).max())
