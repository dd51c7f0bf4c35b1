"""Where no frame of a bracket shows what is there: each one clips, or shows something else because it moved.

There a merge can only guess, and a picture as a whole says little about how well it does. Specks do not count: they are
noise and what interpolation misses, and where a bracket has nothing else they would be all of its score.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.image import Bracket, FloatImage
from headroom.restore.exposures import settle
from headroom.restore.gather import gather
from headroom.restore.support import Stack

_ELSE = 0.15
"""Relative difference from which a frame shows something else."""
_SIGMAS = 3.0
"""Deviations of its noise that come on top."""


def find_unseen(bracket: Bracket, truth: FloatImage) -> NDArray[np.bool_]:
    """Mark what no frame shows, after the frames were aligned as well as `headroom.merge` can.

    Args:
        bracket: The frames; one of them is the reference.
        truth: H x W x 3 light as the reference saw it, 1.0 = its full scale.

    Returns:
        H x W; no part is thinner than 3 pixels.

    Raises:
        InputError: The frames are no bracket.
    """
    stack = gather(settle(bracket), aligning=True, progress=lambda _share: None).stack
    unseen = np.ones(truth.shape[:2], np.uint8)
    for number in range(len(stack.frames)):
        unseen[_shows(stack, number, truth)] = 0
    return np.asarray(cv2.morphologyEx(unseen, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _shows(stack: Stack, number: int, truth: FloatImage) -> NDArray[np.bool_]:
    """Mark where all channels of a frame are below its clip level and what they should be."""
    frame, exposure, noise = stack.frames[number], stack.exposures[number], stack.noise[number]
    expected = truth * np.float32(exposure)
    deviation = np.sqrt(noise.shot * expected + noise.read)
    alike = np.abs(frame - expected) <= _ELSE * expected + _SIGMAS * deviation
    shows: NDArray[np.bool_] = ((frame < stack.clip_level[number]) & alike).all(axis=-1) & stack.seen[number]
    return shows
