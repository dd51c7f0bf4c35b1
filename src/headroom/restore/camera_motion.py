"""Global alignment: how the camera turned between two frames.

Rough guesses come from features, from one common shift, and from no motion at all. Dense flow over a guess then gives
a match in every part of the picture, so that the homography fits the scene and not the few things with sharp corners.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.restore.flow import dense_flow
from headroom.restore.guide import Guide
from headroom.restore.homography import (
    at_full_size,
    fit_homography,
    largest_distance,
    plausible,
    project_points,
    shows,
    warp_guide,
)
from headroom.restore.warp import Homography

_LEAST_SHIFT_PX = 0.15
"""Corners that move less show a camera on a tripod."""
_LEAST_GAIN = 0.03
"""Share of the difference that a homography has to take away."""
_LEAST_SIDE_PX = 64
_LEAST_COMMON = 0.1
"""Share of the picture that two homographies have to show to be compared."""
_OUTLIER_CODES = np.uint8(24)
_SURROUNDINGS_PX = 63
_CELL_PX = 12
_LEAST_STRUCTURE = 1e-7
_ROUNDS = 3
_LEAST_STEP_PX = 0.1


class _Pair(NamedTuple):
    """Two guides, and what in them tells motion.

    Attributes:
        frame: h x w.
        reference: h x w.
        frame_structure: h x w, 128 where nothing stands out from its surroundings, never 0.
        reference_structure: h x w.
        corners: h x w, how well a place in the reference can be found again.
    """

    frame: Guide
    reference: Guide
    frame_structure: Guide
    reference_structure: Guide
    corners: NDArray[np.float32]


def estimate_camera_motion(frame: Guide, reference: Guide) -> Homography:
    """Estimate where the frame shows what the reference shows.

    Returns:
        A homography; identity where no other is measurably better.
    """
    if min(reference.shape) < _LEAST_SIDE_PX:
        return np.eye(3)
    small = _pair(_half(frame), _half(reference))
    guess = min(_guesses(small), key=lambda guess: _mismatch(guess, np.eye(3), small)[0])
    return refine_camera_motion(at_full_size(_improve(guess, small), 2), frame, reference)


def refine_camera_motion(guess: Homography, frame: Guide, reference: Guide) -> Homography:
    """Make a guess better; identity where none is measurably better."""
    still, pair = np.eye(3), _pair(frame, reference)
    found = _improve(guess, pair)
    error, error_of_none = _mismatch(found, still, pair)
    moves = largest_distance(found, still, reference.shape) >= _LEAST_SHIFT_PX
    return found if moves and error < (1 - _LEAST_GAIN) * error_of_none else still


def _guesses(pair: _Pair) -> Iterator[Homography]:
    yield np.eye(3)
    for guess in (_from_shift(pair.frame, pair.reference), _from_features(pair.frame, pair.reference)):
        if guess is not None and plausible(guess, pair.reference.shape):
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

    detector = cv2.ORB_create(800, fastThreshold=7)
    ours, our_words = detector.detectAndCompute(reference, None)
    theirs, their_words = detector.detectAndCompute(frame, None)
    if our_words is None or their_words is None:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(our_words, their_words)
    points = np.array([ours[pair.queryIdx].pt for pair in pairs], np.float32)
    return fit_homography(points, np.array([theirs[pair.trainIdx].pt for pair in pairs], np.float32), 3.0)


def _improve(guess: Homography, pair: _Pair) -> Homography:
    """Fit to the flow over a guess again and again, as long as that makes the pictures more alike."""
    for _ in range(_ROUNDS):
        better = _fit_to_flow(guess, pair)
        if better is None or not plausible(better, pair.reference.shape):
            break
        error, error_of_guess = _mismatch(better, guess, pair)
        if error >= error_of_guess:
            break
        step_px = largest_distance(better, guess, pair.reference.shape)
        guess = better
        if step_px < _LEAST_STEP_PX:
            break
    return guess


def _fit_to_flow(guess: Homography, pair: _Pair) -> Homography | None:
    """Improve a homography with the flow that remains, at the best corner of each cell of the picture."""
    rest = dense_flow(warp_guide(pair.frame, guess), pair.reference)
    points = _best_of_cells(np.where(shows(guess, pair.reference.shape), pair.corners, 0))
    there = points + rest[points[:, 1].astype(int), points[:, 0].astype(int)]
    return fit_homography(points, project_points(guess, there), 1.0)


def _best_of_cells(structure: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the pixel with most structure of each cell, N x 2 (column, row); cells with hardly any give none."""
    rows, columns = (side // _CELL_PX for side in structure.shape)
    grid = structure[: rows * _CELL_PX, : columns * _CELL_PX].reshape(rows, _CELL_PX, columns, _CELL_PX)
    cells = grid.transpose(0, 2, 1, 3).reshape(-1, _CELL_PX**2)
    kept = np.flatnonzero((cells > _LEAST_STRUCTURE).any(axis=1))
    y, x = np.divmod(cells[kept].argmax(axis=1), _CELL_PX)
    return np.stack((kept % columns * _CELL_PX + x, kept // columns * _CELL_PX + y), axis=1).astype(np.float32)


def _mismatch(one: Homography, other: Homography, pair: _Pair) -> tuple[float, float]:
    """Compare two homographies by the difference that each leaves, in codes, over the pixels that both show.

    Differences are cut off, so that what moved by itself counts little.
    """
    import cv2

    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = pair.reference.shape[::-1]
    warped = [cv2.warpPerspective(pair.frame_structure, homography, size, flags=flags) for homography in (one, other)]
    common = (warped[0] > 0) & (warped[1] > 0)
    if common.mean() < _LEAST_COMMON:
        return np.inf, np.inf
    differences = (cv2.absdiff(structure, pair.reference_structure)[common] for structure in warped)
    one_error, other_error = (float(np.minimum(difference, _OUTLIER_CODES).mean()) for difference in differences)
    return one_error, other_error


def _pair(frame: Guide, reference: Guide) -> _Pair:
    import cv2

    corners: NDArray[np.float32] = cv2.cornerMinEigenVal(reference, 5)
    return _Pair(frame, reference, _structure(frame), _structure(reference), corners)


def _structure(guide: Guide) -> Guide:
    """Keep what stands out from its surroundings, smoothed: the same in frames whose exposure isn't quite as said."""
    import cv2

    fine, coarse = cv2.GaussianBlur(guide, (0, 0), 1.0), cv2.blur(guide, (_SURROUNDINGS_PX, _SURROUNDINGS_PX))
    structure: Guide = np.maximum(cv2.addWeighted(fine, 1, coarse, -1, 128), 1)
    return structure


def _half(guide: Guide) -> Guide:
    import cv2

    rows, columns = (side // 2 for side in guide.shape)
    half: Guide = cv2.resize(guide[: rows * 2, : columns * 2], (columns, rows), interpolation=cv2.INTER_AREA)
    return half
