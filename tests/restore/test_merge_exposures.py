"""Exposures that are only nearly what files say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_brackets import bracket_of, hand_held_views, light_of, wavy

import headroom
from headroom.restore.true_exposure import misfit, true_exposures


@pytest.mark.parametrize("moving", [False, True], ids=["tripod", "hand-held"])
def test_a_shutter_that_is_off_makes_no_seam(*, moving: bool) -> None:
    views = hand_held_views(3, 3) if moving else [wavy(3)] * 3
    frames = replace(bracket_of(views, (-2.3, 0, 1.8)), exposures_ev=(-2.0, 0.0, 2.0))
    hdr = headroom.merge(frames)
    clipped = light_of(frames.frames[1]).min(axis=-1) == 1
    seen = clipped & (views[1].max(axis=-1) < 4)
    assert np.median((hdr.pixels / views[1])[seen]) == pytest.approx(1, abs=0.03)
    assert hdr.recovered is not None
    assert hdr.recovered[views[1].max(axis=-1) < 3].mean() < 0.02


def test_what_is_right_stays_to_the_bit() -> None:
    frames = [light_of(photo).astype(np.float32) for photo in bracket_of(wavy(4), (-2, 0, 2)).frames]
    seen = [np.ones(frame.shape[:2], np.bool_) for frame in frames]
    assert true_exposures(frames, seen, [0.25, 1.0, 4.0], 1) == [0.25, 1.0, 4.0]


def test_errors_add_up_from_the_reference() -> None:
    frames = [light_of(photo).astype(np.float32) for photo in bracket_of(0.2 * wavy(5), (-2.2, 0, 2.3, 4.1)).frames]
    seen = [np.ones(frame.shape[:2], np.bool_) for frame in frames]
    corrected = true_exposures(frames, seen, [0.25, 1.0, 4.0, 16.0], 1)
    assert corrected[1] == 1
    np.testing.assert_allclose(np.log2(corrected), [-2.2, 0, 2.3, 4.1], atol=0.02)


def test_frames_without_common_light_keep_theirs() -> None:
    frames = [np.full((40, 40, 3), value, np.float32) for value in (0.0, 1.0)]
    assert true_exposures(frames, [np.ones((40, 40), np.bool_)] * 2, [1.0, 8.0], 0) == [1.0, 8.0]


def test_a_wrong_curve_is_told_from_noise_and_motion() -> None:
    frames = [light_of(photo).astype(np.float32) for photo in bracket_of(hand_held_views(6, 3), (-2, 0, 2)).frames]
    seen = [np.ones(frame.shape[:2], np.bool_) for frame in frames]
    assert misfit(frames, seen, [0.25, 1, 4]) < 0.02
    # Light to the power of 1.1: frames two stops apart differ by 0.2 stops.
    assert misfit([frame**1.1 for frame in frames], seen, [0.25, 1, 4]) == pytest.approx(2**0.2 - 1, abs=0.02)
