"""What aligned frames measure together, and how much of the light they leave to a method.

Every frame that is not clipped and agrees with the reference is a measurement, and their mean by inverse variance is
the best estimate there is: the longer frame in the shadows, the shorter one in the lights. A method is one more
witness, with a precision of its own, and is heard only in so far as measurements are missing because they disagree. So
frames that all say the same leave nothing to it. Nothing is switched: every weight is a continuous function of light.
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
_AGREEING, _DISAGREEING = 1.5, 4.0
"""Mean squared difference from the reference, over the variance expected of it, from which trust falls, and is gone."""
_TOLERANCE = 0.04
"""Relative difference that exposure, curve and interpolation explain."""
_SYSTEMATIC = 0.05
"""Relative error, by the same causes, of a frame other than the reference."""
_METHOD_ERROR = 0.06
_METHOD_FLOOR = 2e-4
"""Relative error of a method, and the light (1.0 = full scale of the shortest frame) below which it no longer falls:
an error of 43 dB after the mu-law tone curve."""
_WINDOW = (3, 3)
_MEASURED = 10
"""A sample that is unclipped by a tenth of the fall of its weight is a measurement."""
_LEAST_SHARE = 1 / 256
"""Below it, a method is not asked."""
_LAST_RESORT = 1e-6

_ALL = slice(None)

REACH_PX = 4
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
        clip_level: Light of the lowest code that may be clipped, of every frame.
    """

    frames: Sequence[FloatImage]
    seen: Sequence[NDArray[np.bool_]]
    exposures: Sequence[float]
    reference: int
    noise: Sequence[Noise]
    clip_level: Sequence[float]

    def cut(self, rows: slice, columns: slice = _ALL) -> Stack:
        """Give a region."""
        frames = [frame[rows, columns] for frame in self.frames]
        seen = [seen[rows, columns] for seen in self.seen]
        return replace(self, frames=frames, seen=seen)


class Support(NamedTuple):
    """What frames say about the light.

    Attributes:
        light: H x W x 3, the measured estimate; 1.0 = full scale of the reference.
        open: H x W x 3 share of a method in the result, 0 to 1.
        measured: H x W x 3, 1 where an unclipped sample supports the estimate, 0 where there is only a clip level.
    """

    light: FloatImage
    open: FloatImage
    measured: FloatImage


def support(stack: Stack) -> Support:
    """Weigh the frames of a stack."""
    unclipped = [_unclipped(stack, i) for i in range(len(stack.frames))]
    guess = _first_guess(stack, unclipped)
    agreed, missing, total, measured = (np.zeros_like(guess) for _ in range(4))
    for i, frame in enumerate(stack.frames):
        trust = _trust(stack, i, guess)
        weight = (unclipped[i] + _last_resort(stack, i)) * _precision(stack, i, guess)
        missing += (1 - trust) * weight
        weight *= trust
        agreed += weight
        total += weight * (frame / np.float32(stack.exposures[i]))
        measured += trust * np.minimum(_MEASURED * unclipped[i], 1)
    # A witness of the method's precision takes part as far as that much is missing.
    error = _METHOD_ERROR * (guess + np.float32(_METHOD_FLOOR / stack.exposures[0]))
    missing = np.minimum(missing, 1 / error**2)
    share = missing / (agreed + missing)
    heard = np.maximum(share - np.float32(_LEAST_SHARE), 0) / np.float32(1 - _LEAST_SHARE)
    light = np.maximum(total / agreed, least_light(stack))
    return Support(light, np.asarray(heard, np.float32), np.minimum(measured, 1))


def least_light(stack: Stack) -> FloatImage:
    """Give the light that a clipped reference vouches for, 0 where it is not clipped; full scale of it = 1.0."""
    reference = stack.frames[stack.reference]
    return reference * (1 - _below_clipping(reference, stack.clip_level[stack.reference]))


def _below_clipping(frame: FloatImage, clip_level: float) -> FloatImage:
    """Fall from 1 to 0 as samples near the clip level."""
    level = np.float32(clip_level)
    weight: FloatImage = np.clip((level - frame) / (level * np.float32(1 - _UNCLIPPED)), 0, 1)
    return weight


def _unclipped(stack: Stack, i: int) -> FloatImage:
    """Weigh a frame's samples; the neighbours of a warped one have left their mark on it."""
    import cv2

    frame = stack.frames[i]
    if i != stack.reference:
        frame = np.asarray(cv2.dilate(frame, np.ones(_WINDOW, np.uint8)), np.float32)
    return _below_clipping(frame, stack.clip_level[i]) * stack.seen[i][..., None]


def _first_guess(stack: Stack, unclipped: Sequence[FloatImage]) -> FloatImage:
    """Divide all the light that was counted by all the time it was counted for."""
    light = np.float32(_LAST_RESORT) * stack.frames[0]
    time = np.full_like(light, _LAST_RESORT * stack.exposures[0])
    for weight, frame, exposure in zip(unclipped, stack.frames, stack.exposures, strict=True):
        light += weight * frame
        time += weight * np.float32(exposure)
    guess: FloatImage = np.divide(light, time)
    return guess


def _last_resort(stack: Stack, i: int) -> np.float32:
    """Give the weight of a frame where none is unclipped: the shortest says most, then the reference."""
    if i == 0:
        return np.float32(_LAST_RESORT)
    return np.float32(_LAST_RESORT**2 if i == stack.reference else 0)


def _trust(stack: Stack, i: int, light: FloatImage) -> FloatImage:
    """Compare a frame with the reference, as far as both can see.

    Returns:
        H x W x 1, 1 where they agree, 0 where they do not.
    """
    import cv2

    if i == stack.reference:
        return np.ones_like(light[..., :1])
    reference, exposure = stack.frames[stack.reference], np.float32(stack.exposures[i])
    ceiling = np.float32(min(stack.clip_level[stack.reference], stack.clip_level[i] / float(exposure)))
    difference = np.minimum(stack.frames[i] / exposure, ceiling) - np.minimum(reference, ceiling)
    light = np.minimum(light, ceiling)
    tolerance = np.float32(_TOLERANCE) * light
    expected = _variance(stack, i, light) + _variance(stack, stack.reference, light) + tolerance**2
    surprise = np.asarray(cv2.blur(difference**2 / expected, _WINDOW), np.float32).max(axis=-1)
    trust = np.clip((_DISAGREEING - surprise) / np.float32(_DISAGREEING - _AGREEING), 0, 1)
    # What disagrees takes its neighbours along: the rim of a thing that moved is half its own, half background.
    return np.asarray(cv2.blur(cv2.erode(trust, np.ones(_WINDOW, np.uint8)), _WINDOW), np.float32)[..., None]


def _precision(stack: Stack, i: int, light: FloatImage) -> FloatImage:
    """Give the inverse variance of what a frame says about `light`."""
    variance = _variance(stack, i, light)
    if i != stack.reference:
        variance += (np.float32(_SYSTEMATIC) * light) ** 2
    return np.asarray(np.reciprocal(variance), np.float32)


def _variance(stack: Stack, i: int, light: FloatImage) -> FloatImage:
    """Give the variance of a frame's noise where it sees `light`, both with 1.0 = full scale of the reference."""
    noise, exposure = stack.noise[i], stack.exposures[i]
    return np.asarray(np.float32(noise.shot / exposure) * light + np.float32(noise.read / exposure**2), np.float32)
