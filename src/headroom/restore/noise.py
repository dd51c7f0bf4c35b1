"""How noisy a frame is, told from the frame itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage

_SAMPLES = 300_000
_LEVELS = 24
_BRIGHTEST = 0.85  # above, clipping cuts the noise off
_QUARTILE_SIGMAS = 0.3186  # a quarter of a normal distribution lies within
_LEAST_VARIANCE = 1e-9


class Noise(NamedTuple):
    """Variance of linear light, 1.0 = full scale: `shot` * light + `read`."""

    shot: float
    read: float


def estimate_noise(frame: FloatImage, code_step: float) -> Noise:
    """Fit the noise of an H x W x 3 linear frame.

    Differences across 2 x 2 pixels know nothing of slopes; among those of one brightness the smallest quarter comes
    from where there is nothing but noise.

    Args:
        frame: Linear light, 1.0 = full scale.
        code_step: Share of the code range that the file cannot resolve; rounding is noise too.
    """
    # A step d of codes with a gamma of 2.2 is a step of about 2.2 d sqrt(light) in light.
    rounding = (2.2 * code_step) ** 2 / 12
    found = noise_of_differences(*_differences(frame))
    return Noise(max(found.shot, rounding), found.read) if found else Noise(rounding, _LEAST_VARIANCE)


def noise_of_differences(level: NDArray[np.floating], difference: NDArray[np.floating]) -> Noise | None:
    """Fit the noise of the quarter of differences that is smallest at each level; None where there are too few.

    Args:
        level: N values of light.
        difference: N absolute differences, whose deviation is that of the noise where there is nothing else.
    """
    if level.size < 10 * _LEVELS:
        return None
    order = np.array_split(level.argsort(), _LEVELS)
    levels = np.array([level[some].mean() for some in order])
    sigmas = np.array([np.quantile(difference[some], 0.25) for some in order]) / _QUARTILE_SIGMAS
    shot, read = _fit(levels, np.maximum(sigmas**2, _LEAST_VARIANCE))
    return Noise(shot, max(read, _LEAST_VARIANCE))


def _differences(frame: FloatImage) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Give mean and absolute difference, whose deviation is that of one pixel, of 2 x 2 pixels across the frame."""
    step = 2 * max(1, round((frame.size / 4 / _SAMPLES) ** 0.5))
    rows, columns = frame.shape[0] // step * step, frame.shape[1] // step * step
    a, b, c, d = (frame[y:rows:step, x:columns:step] for y in (0, 1) for x in (0, 1))
    level, difference = (a + b + c + d) / 4, np.abs(a - b - c + d) / 2
    unclipped = (level < _BRIGHTEST) & (np.minimum(np.minimum(a, b), np.minimum(c, d)) > 0)
    return level[unclipped], difference[unclipped]


def _fit(level: NDArray[np.float64], variance: NDArray[np.float64]) -> tuple[float, float]:
    """Fit variance = shot * level + read, neither below 0, by least squares relative to the fit itself."""
    fitted = np.full_like(variance, variance.mean())
    for _ in range(8):
        terms = np.stack([level, np.ones_like(level)]) / fitted
        gram, target = terms @ terms.T, terms @ (variance / fitted)
        shot, read = np.linalg.lstsq(gram, target, rcond=None)[0]
        if shot < 0:
            shot, read = 0.0, target[1] / gram[1, 1]
        elif read < 0:
            shot, read = target[0] / gram[0, 0], 0.0
        fitted = np.maximum(shot * level + read, _LEAST_VARIANCE)
    return float(shot), float(read)
