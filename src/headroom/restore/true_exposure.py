"""Exposures as the frames show them: shutters, apertures and curves are only nearly what files say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage

_SAMPLES = 40_000
_FEWEST_SAMPLES = 1000
_HAND_OVER = (0.1, 0.7)
"""Light, 1.0 = full scale of the longer frame, at which the shorter one takes over, so where they have to agree."""
_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7)
_DARKEST = 0.003
_NEGLIGIBLE_EV = 0.03
_LARGEST_EV = 0.5
"""A larger error comes from the scene, as where everything moves."""

_Frame = tuple[FloatImage, NDArray[np.bool_], float]


def true_exposures(
    frames: Sequence[FloatImage], seen: Sequence[NDArray[np.bool_]], exposures: Sequence[float], reference: int
) -> list[float]:
    """Correct the exposures of aligned frames so that neighbours show the same light where both can see it.

    Args:
        frames: H x W x 3 linear light in ascending exposure, 1.0 = the frame's own full scale.
        seen: H x W each, False where a frame shows nothing.
        exposures: As stated.
        reference: Index of the frame whose exposure stays.
    """
    pairs = pairwise(zip(frames, seen, exposures, strict=True))
    steps = [_too_bright_ev(short, long) for short, long in pairs]
    errors = np.concatenate(([0], -np.cumsum(steps)))  # of each frame over the shortest
    corrected = np.asarray(exposures) * 2.0 ** (errors - errors[reference])
    return [float(exposure) for exposure in corrected]


def misfit(frames: Sequence[FloatImage], seen: Sequence[NDArray[np.bool_]], exposures: Sequence[float]) -> float:
    """Give the relative error that a wrong curve leaves between neighbours, the mean over the levels they share.

    Args:
        frames: See `true_exposures`.
        seen: See `true_exposures`.
        exposures: As they are.
    """
    errors = [0.0]
    for short, long in pairwise(zip(frames, seen, exposures, strict=True)):
        differences = _differences(short, long)
        found = [error for levels in pairwise(_LEVELS) if (error := differences.ev_between(*levels)) is not None]
        errors.append(float(np.mean(np.abs(found))) if found else 0.0)
    return float(2 ** max(errors) - 1)


class _Differences(NamedTuple):
    """What two frames differ by where both show light: its level, 1.0 = full scale of the longer one, and the EV."""

    level: NDArray[np.float32]
    ev: NDArray[np.float32]

    def ev_between(self, low: float, high: float) -> float | None:
        """Give the median between two levels; None where hardly anything lies there."""
        told = (self.level > low) & (self.level < high)
        return float(np.median(self.ev[told])) if told.sum() >= _FEWEST_SAMPLES else None


def _differences(short: _Frame, long: _Frame) -> _Differences:
    (ours, ours_seen, our_exposure), (theirs, theirs_seen, their_exposure) = short, long
    step = max(1, round((ours_seen.size / _SAMPLES) ** 0.5))
    cells = slice(None, None, step), slice(None, None, step)
    told = (ours[cells] > _DARKEST) & (theirs[cells] > 0) & (ours_seen & theirs_seen)[cells][..., None]
    expected = ours[cells][told] * np.float32(their_exposure / our_exposure)
    shown = theirs[cells][told]
    # Noise takes from one side of a limit what it gives to the other, as long as both frames choose.
    return _Differences(np.sqrt(expected * shown), np.log2(expected / shown))


def _too_bright_ev(short: _Frame, long: _Frame) -> float:
    """Tell by how much the shorter frame is brighter than stated; 0 where that can't be told or is no matter."""
    error_ev = _differences(short, long).ev_between(*_HAND_OVER) or 0.0
    return error_ev if _NEGLIGIBLE_EV < abs(error_ev) < _LARGEST_EV else 0.0
