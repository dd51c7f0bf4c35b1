"""Exposures as the frames show them: shutters, apertures and curves are only nearly what files say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage

_SAMPLES = 100_000
_FEWEST_SAMPLES = 1000
_HAND_OVER = (0.1, 0.7)
"""Light, 1.0 = full scale of the longer frame, at which the shorter one takes over, so where they have to agree."""
_DARKEST = 0.003
_NEGLIGIBLE_EV = 0.03
_LARGEST_EV = 0.5
"""A larger error comes from the scene, as where everything moves."""


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
    steps = [_too_bright_ev(*short, *long) for short, long in pairs]
    errors = np.concatenate(([0], -np.cumsum(steps)))  # of each frame over the shortest
    corrected = np.asarray(exposures) * 2.0 ** (errors - errors[reference])
    return [float(exposure) for exposure in corrected]


def _too_bright_ev(
    short: FloatImage,
    short_seen: NDArray[np.bool_],
    short_exposure: float,
    long: FloatImage,
    long_seen: NDArray[np.bool_],
    long_exposure: float,
) -> float:
    """Tell by how much the shorter frame is brighter than stated, over the longer one; 0 where that can't be told."""
    step = max(1, round((short_seen.size / _SAMPLES) ** 0.5))
    cells = slice(None, None, step), slice(None, None, step)
    ours, theirs = short[cells] * np.float32(long_exposure / short_exposure), long[cells]
    # Noise takes from one side of a limit what it gives to the other, as long as both frames choose.
    level = np.sqrt(ours * theirs)
    told = (level > _HAND_OVER[0]) & (level < _HAND_OVER[1]) & (short[cells] > _DARKEST)
    told &= (short_seen & long_seen)[cells][..., None]
    if told.sum() < _FEWEST_SAMPLES:
        return 0.0
    error_ev = float(np.median(np.log2(ours[told] / theirs[told])))
    return error_ev if _NEGLIGIBLE_EV < abs(error_ev) < _LARGEST_EV else 0.0
