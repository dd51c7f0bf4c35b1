"""What aligned frames measure together, and how much of the light they leave to a method.

Every frame that is not clipped and agrees with the reference is a measurement, and their mean by inverse variance is
the best estimate there is: the longer frame in the shadows, the shorter one in the lights. What noise it still has is
taken out as far as it hides no detail. A method is one more witness, with a precision of its own, and is heard in so
far as measurements are missing because they disagree. So frames that all say the same leave nothing to it. Nothing is
switched: every weight is a continuous function of the light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage
from headroom.restore.noise import Noise

_UNCLIPPED = 0.9
"""Share of the clip level up to which a sample counts fully; from there to the clip level its weight falls to 0."""
_MEASURED = 10
"""A sample that is unclipped by a tenth of that fall is a measurement."""
_AGREEING, _DISAGREEING = 1.3, 2.5
"""Surprise, see `_surprise`, from which trust falls, and is gone."""
_NOISY = 0.5
"""Surprise from which frames are as noisy as they look; frames that are equal to the last digit have no noise."""
_SYSTEMATIC = 0.02
"""Relative error, by the same causes, of a frame other than the reference."""
_METHOD_ERROR, _METHOD_FLOOR = 0.15, 2e-4
"""Relative error of a method where frames disagree, and the light (1.0 = full scale of the shortest frame) below which
it no longer falls."""
_SIGMAS = 3.0
"""Deviations by which a method may contradict the measurements."""
_DENOISED = 3.0
"""Precision of an estimate whose noise was taken out, over that before."""
_LEAST_SHARE = 0.1
"""Below it, a method is not heard."""
_LAST_RESORT = 1e-6
_WINDOW, _SPECK_WINDOW = (3, 3), (5, 5)
_ALL = slice(None)

REACH_PX = 8
"""How far around a pixel its support depends on others."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Aligned frames, in ascending exposure.

    Attributes:
        frames: H x W x 3 linear light, 1.0 = the frame's own full scale.
        seen: H x W each, False where a frame shows nothing of the reference's view.
        exposures: Over that of the reference.
        reference: Index of the reference.
        noise: Of every frame.
        tolerance: Relative difference of two frames that exposure, curve and interpolation explain.
        clip_level: Light of the lowest code that may be clipped, of every frame.
    """

    frames: Sequence[FloatImage]
    seen: Sequence[NDArray[np.bool_]]
    exposures: Sequence[float]
    reference: int
    noise: Sequence[Noise]
    tolerance: float
    clip_level: Sequence[float]

    def cut(self, rows: slice, columns: slice = _ALL) -> Stack:
        """Give a region."""
        frames = [frame[rows, columns] for frame in self.frames]
        seen = [seen[rows, columns] for seen in self.seen]
        return replace(self, frames=frames, seen=seen)


class Support(NamedTuple):
    """What frames say about the light; all H x W x 3.

    Attributes:
        light: The measured estimate; 1.0 = full scale of the reference.
        share: Share of a method in the result, 0 to 1.
        reach: How far from `light` a method is believed.
        measured: 1 where an unclipped sample supports the estimate, 0 where there is only a clip level.
        least: The light that clipped samples vouch for, 0 where none is clipped.
    """

    light: FloatImage
    share: FloatImage
    reach: FloatImage
    measured: FloatImage
    least: FloatImage


def support(stack: Stack) -> Support:
    """Weigh the frames of a stack."""
    unclipped = [_unclipped(stack, i) for i in range(len(stack.frames))]
    guess = _first_guess(stack, unclipped)
    agreed, possible, total, noise, measured, least = (np.zeros_like(guess) for _ in range(6))
    most_surprise = np.zeros_like(guess[..., :1])
    for i, frame in enumerate(stack.frames):
        surprise = _surprise(stack, i, guess)
        np.maximum(most_surprise, surprise, out=most_surprise)
        trust, variance = _trust(surprise), _variance(stack, i, guess)
        weight = unclipped[i] / (variance + _systematic(stack, i, guess)) + _last_resort(stack, i)
        possible += weight
        weight *= trust
        agreed += weight
        total += weight * (frame / stack.exposures[i])
        noise += weight**2 * variance
        measured += trust * np.minimum(_MEASURED * unclipped[i], 1)
        np.maximum(least, trust * _vouched(stack, i), out=least)
    noise *= np.minimum(most_surprise / _NOISY, 1) / agreed**2
    light = np.maximum(_without_noise(total / agreed, noise), least)
    error = (_METHOD_ERROR * (guess + _METHOD_FLOOR / stack.exposures[0])) ** 2
    witness = (1 - agreed / possible) / error
    agreed *= _DENOISED
    share = np.divide(np.maximum(witness / (agreed + witness) - _LEAST_SHARE, 0), 1 - _LEAST_SHARE)
    reach: FloatImage = np.multiply(np.sqrt(1 / agreed + error), _SIGMAS)
    return Support(light, _without_specks(share), reach, np.minimum(measured, 1), least)


def _below_clipping(frame: FloatImage, clip_level: float) -> FloatImage:
    """Fall from 1 to 0 as samples near the clip level."""
    weight: FloatImage = np.clip((clip_level - frame) / (clip_level * (1 - _UNCLIPPED)), 0, 1)
    return weight


def _unclipped(stack: Stack, i: int) -> FloatImage:
    """Weigh a frame's samples; the neighbours of a warped one have left their mark on it."""
    import cv2

    frame = stack.frames[i]
    if i != stack.reference:
        frame = np.asarray(cv2.dilate(frame, np.ones(_WINDOW, np.uint8)))
    return _below_clipping(frame, stack.clip_level[i]) * stack.seen[i][..., None]


def _vouched(stack: Stack, i: int) -> FloatImage:
    """Give the light that a frame's clipped samples vouch for, whatever a shorter frame says; 0 where none is."""
    frame = stack.frames[i]
    clipped = (1 - _below_clipping(frame, stack.clip_level[i])) * stack.seen[i][..., None]
    return np.asarray(frame / stack.exposures[i] * clipped)


def _first_guess(stack: Stack, unclipped: Sequence[FloatImage]) -> FloatImage:
    """Divide all the light that was counted by all the time it was counted for."""
    light = _LAST_RESORT * stack.frames[0]
    time = np.full_like(light, _LAST_RESORT * stack.exposures[0])
    for weight, frame, exposure in zip(unclipped, stack.frames, stack.exposures, strict=True):
        light += weight * frame
        time += weight * exposure
    guess: FloatImage = np.divide(light, time)
    return guess


def _last_resort(stack: Stack, i: int) -> float:
    """Give the weight of a frame where none is unclipped: the shortest says most, then the reference."""
    if i == 0:
        return _LAST_RESORT
    return _LAST_RESORT**2 if i == stack.reference else 0.0


def _surprise(stack: Stack, i: int, light: FloatImage) -> FloatImage:
    """Compare a frame with the reference, as far as both can see.

    Returns:
        H x W x 1 mean squared difference over the expected one: about 1 for noise, more for what moved.
    """
    reference, exposure = stack.frames[stack.reference], stack.exposures[i]
    ceiling = min(stack.clip_level[stack.reference], stack.clip_level[i] / exposure)
    difference = np.minimum(stack.frames[i] / exposure, ceiling) - np.minimum(reference, ceiling)
    light = np.minimum(light, ceiling)
    expected = _variance(stack, i, light) + _variance(stack, stack.reference, light) + (stack.tolerance * light) ** 2
    return _mean((difference**2 / expected).mean(axis=-1))[..., None]


def _trust(surprise: FloatImage) -> FloatImage:
    """Turn surprise into trust: 1 where frames agree, 0 where they do not."""
    import cv2

    trust = np.clip((_DISAGREEING - surprise) / (_DISAGREEING - _AGREEING), 0, 1)
    # What disagrees takes its neighbours along: the rim of a thing that moved is half its own, half background.
    return _mean(cv2.erode(trust, np.ones(_WINDOW, np.uint8)))[..., None]


def _variance(stack: Stack, i: int, light: FloatImage) -> FloatImage:
    """Give the variance of a frame's noise where it sees `light`, both with 1.0 = full scale of the reference."""
    noise, exposure = stack.noise[i], stack.exposures[i]
    return np.asarray(noise.shot / exposure * light + noise.read / exposure**2)


def _systematic(stack: Stack, i: int, light: FloatImage) -> FloatImage:
    """Give the variance of what is wrong with a frame besides its noise."""
    error = 0.0 if i == stack.reference else _SYSTEMATIC
    return np.asarray((error * light) ** 2)


def _without_noise(light: FloatImage, variance: FloatImage) -> FloatImage:
    """Take noise of a known variance out: a local Wiener filter (Lee 1980), which leaves what stands out of the noise.

    Twice the variance is taken for noise, since the power of so few pixels is known no better than that.
    """
    mean = _mean(light)
    deviation = light - mean
    power = np.maximum(_mean(deviation**2), 1e-20)
    kept = np.maximum(1 - 2 * _mean(variance) / power, 0)
    return np.asarray(mean + kept * deviation)


def _without_specks(share: FloatImage) -> FloatImage:
    """Leave out shares of a few pixels, which are noise: to ask a method there costs a lot and brings nothing."""
    import cv2

    around = np.asarray(cv2.blur(share, _SPECK_WINDOW))
    return np.clip(4 * around - 0.5, 0, share)


def _mean(image: FloatImage) -> FloatImage:
    import cv2

    return np.asarray(cv2.blur(image, _WINDOW))
