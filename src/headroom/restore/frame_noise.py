"""How noisy frames of a bracket are, told from each other: what they differ by bounds the noise of both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage
from headroom.restore.noise import Noise, noise_of_differences

_SAMPLES = 100_000
_BRIGHTEST = 0.85
"""Light, 1.0 = full scale of a frame, above which clipping cuts its noise off."""


class NoisyFrame(NamedTuple):
    """An aligned frame.

    Attributes:
        light: H x W x 3, 1.0 = the frame's own full scale.
        seen: H x W, False where it shows nothing.
        exposure: In any unit that the frames share.
        noise: As far as the frame tells by itself; where everything is texture, that is too much.
    """

    light: FloatImage
    seen: NDArray[np.bool_]
    exposure: float
    noise: Noise


def noise_of_frames(frames: Sequence[NoisyFrame]) -> list[Noise]:
    """Tell the noise of every frame from itself and from its neighbours in exposure.

    Texture, motion and misfit look like noise, and only ever add to it. So the least that was found is the nearest.
    """
    found = [[frame.noise] for frame in frames]
    for i, pair in enumerate(pairwise(frames)):
        if noise := _noise_of_pair(*pair):
            found[i].append(noise)
            found[i + 1].append(noise)
    return list(map(min, found))


def _noise_of_pair(short: NoisyFrame, long: NoisyFrame) -> Noise | None:
    """Tell the noise that two frames of one camera have in common from what they differ by."""
    step = max(1, round((short.seen.size / _SAMPLES) ** 0.5))
    cells = slice(None, None, step), slice(None, None, step)
    usable = (short.seen & long.seen)[cells][..., None]
    for frame in (short, long):
        usable = usable & (frame.light[cells] > 0) & (frame.light[cells] < _BRIGHTEST)
    if not usable.any():
        return None
    ours, theirs = (frame.light[cells][usable] / frame.exposure for frame in (short, long))
    theirs *= ours.sum() / theirs.sum()  # exposures are only nominal
    found = noise_of_differences(theirs, np.abs(ours - theirs))
    times = short.exposure, long.exposure
    return found and Noise(
        found.shot / sum(1 / time for time in times), found.read / sum(1 / time**2 for time in times)
    )
