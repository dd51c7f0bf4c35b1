"""Global alignment: how the camera turned between two frames.

Rough guesses come from features, from one common shift, and from no motion at all. Dense flow over a guess then gives
a match in every part of the picture, so that the homography fits the scene and not the few things with sharp corners.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from headroom.restore.flow import dense_flow
from headroom.restore.guide import TOP_CODE, Guide
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
_LEAST_COMMON = 0.005
"""Share of the picture that has to be comparable."""
_OUTLIER_CODES = 24.0
_SURROUNDINGS_PX = 63
_CELL_PX = 12
_LEAST_STRUCTURE = 1e-7
_ROUNDS = 3
_LEAST_STEP_PX = 0.1


def estimate_camera_motion(frame: Guide, reference: Guide) -> Homography:
    """Estimate where the frame shows what the reference shows.

    Returns:
        A homography; identity where no other is measurably better.
    """
    still = np.eye(3)
    if min(reference.shape) < _LEAST_SIDE_PX:
        return still
    small = _half(frame), _half(reference)
    candidates = [_improve(guess, *small) for guess in _guesses(*small)]
    best = min(candidates, key=lambda candidate: _mismatch(candidate, still, *small)[0])
    return refine_camera_motion(at_full_size(best, 2), frame, reference)


def refine_camera_motion(guess: Homography, frame: Guide, reference: Guide) -> Homography:
    """Make a guess better; identity where none is measurably better."""
    still = np.eye(3)
    found = _improve(guess, frame, reference)
    error, error_of_none = _mismatch(found, still, frame, reference)
    moves = largest_distance(found, still, reference.shape) >= _LEAST_SHIFT_PX
    return found if moves and error < (1 - _LEAST_GAIN) * error_of_none else still


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

    detector = cv2.ORB_create(800, fastThreshold=7)
    ours, our_words = detector.detectAndCompute(reference, None)
    theirs, their_words = detector.detectAndCompute(frame, None)
    if our_words is None or their_words is None:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(our_words, their_words)
    points = np.array([ours[pair.queryIdx].pt for pair in pairs], np.float32)
    return fit_homography(points, np.array([theirs[pair.trainIdx].pt for pair in pairs], np.float32), 3.0)


def _improve(guess: Homography, frame: Guide, reference: Guide) -> Homography:
    """Fit to the flow over a guess again and again, as long as that makes the pictures more alike."""
    for _ in range(_ROUNDS):
        better = _fit_to_flow(guess, frame, reference)
        if better is None or not plausible(better, reference.shape):
            break
        error, error_of_guess = _mismatch(better, guess, frame, reference)
        if error >= error_of_guess:
            break
        step_px = largest_distance(better, guess, reference.shape)
        guess = better
        if step_px < _LEAST_STEP_PX:
            break
    return guess


def _fit_to_flow(guess: Homography, frame: Guide, reference: Guide) -> Homography | None:
    """Improve a homography with the flow that remains, at the best corner of each cell of the picture."""
    import cv2

    rest = dense_flow(warp_guide(frame, guess), reference)
    points = _best_of_cells(np.where(shows(guess, reference.shape), cv2.cornerMinEigenVal(reference, 5), 0))
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


def _mismatch(one: Homography, other: Homography, frame: Guide, reference: Guide) -> tuple[float, float]:
    """Compare two homographies by the difference that each leaves, in codes, over the pixels that both show.

    Differences are cut off, so that what moved by itself counts little, and pixels that clip in both don't count.
    """
    import cv2

    warped = [warp_guide(frame, homography) for homography in (one, other)]
    common = shows(one, reference.shape) & shows(other, reference.shape)
    for guide in warped:
        common &= (reference < TOP_CODE) | (guide < TOP_CODE)
    if common.mean() < _LEAST_COMMON:
        return np.inf, np.inf
    ours = _structure(reference)
    errors = [np.minimum(cv2.absdiff(_structure(guide), ours)[common], _OUTLIER_CODES).mean() for guide in warped]
    return float(errors[0]), float(errors[1])


def _structure(guide: Guide) -> Guide:
    """Keep what stands out from its surroundings, smoothed: the same in frames whose exposure isn't quite as said."""
    import cv2

    fine, coarse = cv2.GaussianBlur(guide, (0, 0), 1.0), cv2.blur(guide, (_SURROUNDINGS_PX, _SURROUNDINGS_PX))
    structure: Guide = cv2.addWeighted(fine, 1, coarse, -1, 128)
    return structure


def _half(guide: Guide) -> Guide:
    import cv2

    rows, columns = (side // 2 for side in guide.shape)
    half: Guide = cv2.resize(guide[: rows * 2, : columns * 2], (columns, rows), interpolation=cv2.INTER_AREA)
    return half
