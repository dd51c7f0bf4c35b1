"""The noise of frames, told from each other, is the one they were made with."""

from __future__ import annotations

import numpy as np
import pytest
from hand_held import record
from small_brackets import SIZE, Scene, hand_held_views, wavy

from headroom.restore.frame_noise import NoisyFrame, noise_of_frames
from headroom.restore.noise import Noise, estimate_noise

MADE = Noise(1e-4, 1e-6)  # by `record`


def frames_of(views: list[Scene], exposures: list[float]) -> list[NoisyFrame]:
    recorded = [
        record(view, exposure, i, bits=16) for i, (view, exposure) in enumerate(zip(views, exposures, strict=True))
    ]
    seen = np.ones(SIZE, np.bool_)
    return [
        NoisyFrame(light, seen, exposure, estimate_noise(light, 0))
        for light, exposure in zip(recorded, exposures, strict=True)
    ]


def test_texture_is_no_noise() -> None:
    frames = frames_of([wavy(1)] * 3, [0.25, 1, 4])
    assert frames[2].noise.shot > 4 * MADE.shot  # one frame alone cannot tell
    for noise in noise_of_frames(frames):
        assert noise.shot == pytest.approx(MADE.shot, rel=0.15)
        assert noise.read == pytest.approx(MADE.read, rel=0.5)


def test_a_wrong_exposure_is_no_noise() -> None:
    frames = frames_of([wavy(2)] * 2, [0.5, 2])
    stated = [frame._replace(exposure=exposure) for frame, exposure in zip(frames, (0.55, 2), strict=True)]
    for noise in noise_of_frames(stated):
        assert noise.shot == pytest.approx(MADE.shot, rel=0.2)


def test_frames_that_do_not_fit_are_as_noisy_as_they_look_alone() -> None:
    frames = frames_of(hand_held_views(3, 3), [0.25, 1, 4])
    for frame, noise in zip(frames, noise_of_frames(frames), strict=True):
        assert MADE.shot < noise.shot <= frame.noise.shot


def test_frames_that_share_no_light_are_as_noisy_as_they_look_alone() -> None:
    frames = frames_of([wavy(4)] * 2, [1e-6, 1e6])
    assert noise_of_frames(frames) == [frame.noise for frame in frames]


def test_equal_frames_have_no_noise() -> None:
    (frame,) = frames_of([wavy(5)], [1])
    for noise in noise_of_frames([frame, frame]):
        assert noise.shot * 0.5 + noise.read < 1e-8
