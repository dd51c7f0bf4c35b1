"""Frames of a video: steadier where things are seen again, and otherwise as each frame alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import headroom
from headroom.errors import UsageError
from headroom.image import Hdr, Photo
from headroom.metrics.flicker import flicker_stops
from headroom.restore.predict import Gains

HEIGHT, WIDTH, STEP_PX = 120, 160, 4


def scene(seed: int = 0, width: int = 240) -> NDArray[np.float64]:
    """Make codes of a wall with texture and some lamps that clip."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:HEIGHT, :width]
    wall = 110 + 30 * np.sin(rows / 9 + 3 * np.sin(columns / 23)) + 25 * np.sin(columns / 6.5 + rows / 31)
    codes = np.repeat(wall[..., None], 3, axis=2)
    for row, column, radius in zip(*generator.integers((20, 20, 8), (100, width - 20, 18), (7, 3)).T, strict=True):
        codes[np.hypot(rows - row, columns - column) < radius] = 300
    return codes


def pan(seed: int = 0, count: int = 4) -> list[Photo]:
    """Take frames of it from left to right, each with its own noise."""
    generator = np.random.default_rng(seed + 1)
    whole = scene(seed)
    frames = (whole[:, STEP_PX * i : STEP_PX * i + WIDTH] for i in range(count))
    return [
        Photo(np.clip(np.rint(frame + generator.normal(0, 6, frame.shape)), 0, 255).astype(np.uint8), 8)
        for frame in frames
    ]


def expanded(frames: Sequence[Photo], weights: Path, smoothing: float | None) -> list[Hdr]:
    steady = None if smoothing is None else headroom.Steady(smoothing)
    return [headroom.expand(frame, weights=weights, steady=steady) for frame in frames]


def flicker(frames: Sequence[Hdr], step_px: float) -> float:
    """Measure along the motion that is known: the camera's."""
    motion = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    motion[..., 0] = step_px
    return float(np.mean([flicker_stops(*pair, motion) for pair in pairwise(frames)]))


def test_a_pan_flickers_less(compact_weights: Path) -> None:
    frames = pan()
    alone, none, much = (
        flicker(expanded(frames, compact_weights, smoothing), STEP_PX) for smoothing in (None, 0.0, 0.8)
    )
    assert none == pytest.approx(alone, rel=1e-3)
    assert much < 0.5 * alone


@pytest.mark.parametrize("shadows", [False, True])
def test_a_still_scene_keeps_its_share_of_the_frame_before(*, shadows: bool) -> None:
    codes = np.clip(scene(width=WIDTH), 0, 255).astype(np.uint8)
    codes[40:80, 100:140] = 0
    clipped = codes == 255
    steady = headroom.Steady(0.8)
    for lights, darks in ((3.0, -2.0), (1.0, -6.0)):
        gains = Gains(*(partial(rows_of, gain) for gain in (lights, darks)))
        found = steady.follow(lambda _codes, _clipped, gains=gains: gains, shadows=shadows)(codes, clipped)
    np.testing.assert_allclose(found.lights(0, HEIGHT)[clipped], 1 + 0.8 * (3 - 1), atol=0.01)
    expected = -6 + 0.8 * (-2 - -6) if shadows else -6
    np.testing.assert_allclose(found.shadows(0, HEIGHT)[codes == 0], expected, atol=0.01)


def rows_of(gain: float, start: int, stop: int) -> Tensor:
    return torch.full((stop - start, WIDTH, 3), gain)


def test_a_pan_through_the_dark_flickers_less() -> None:
    frames = [Photo((frame.codes // 20).astype(np.uint8), 8) for frame in pan(count=2)]
    alone, much = (
        [headroom.expand(frame, method="lediff", preset="fast", steady=steady) for frame in frames]
        for steady in (None, headroom.Steady(0.9))
    )
    # Brightened, since the measure looks at nothing that is too dark to be seen.
    assert flicker(brightened(much), STEP_PX) < 0.6 * flicker(brightened(alone), STEP_PX)
    for one, other in zip(alone, much, strict=True):
        assert one.recovered is not None
        measured = one.recovered == 0
        np.testing.assert_array_equal(one.pixels[measured], other.pixels[measured])


def brightened(frames: Sequence[Hdr]) -> list[Hdr]:
    return [replace(frame, pixels=frame.pixels * np.float32(2**10)) for frame in frames]


def test_measured_pixels_have_no_part_in_it(compact_weights: Path) -> None:
    frames = pan(count=2)
    for alone, steady in zip(*(expanded(frames, compact_weights, each) for each in (None, 0.9)), strict=True):
        assert alone.recovered is not None
        assert steady.recovered is not None
        np.testing.assert_array_equal(alone.recovered, steady.recovered)
        measured = alone.recovered == 0
        np.testing.assert_array_equal(alone.pixels[measured], steady.pixels[measured])


def test_nothing_is_carried_over_a_cut(compact_weights: Path) -> None:
    before, after = pan(0, 2)[1], pan(5, 1)[0]
    after = Photo((255 - after.codes // 2).astype(np.uint8) | np.uint8(255) * (after.codes == 255), 8)
    alone = expanded([after], compact_weights, None)[0]
    cut = expanded([before, after], compact_weights, 0.9)[1]
    np.testing.assert_allclose(cut.pixels, alone.pixels, rtol=0.01)


def test_frames_of_another_size_start_anew(compact_weights: Path) -> None:
    small = Photo(np.full((20, 30, 3), 255, np.uint8), 8)
    tiny = Photo(np.full((3, 2, 3), 255, np.uint8), 8)
    results = expanded([pan()[0], small, tiny, tiny], compact_weights, 0.9)
    for photo, result in zip([small, tiny], results[1:], strict=False):
        np.testing.assert_allclose(result.pixels, expanded([photo], compact_weights, None)[0].pixels, rtol=1e-4)


@pytest.mark.parametrize("smoothing", [-0.1, 0.99, 1.0, float("nan")])
def test_impossible_smoothing_is_refused(smoothing: float) -> None:
    with pytest.raises(UsageError, match=r"smoothing .*: give a number from 0 to 0\.98"):
        headroom.Steady(smoothing)


def of_light(light: NDArray[np.float64], recovered: NDArray[np.bool_]) -> Hdr:
    return Hdr(np.repeat(light[..., None], 3, axis=2).astype(np.float32), recovered=recovered.astype(np.float32))


def test_flicker_is_the_ratio_of_light_that_was_recovered_twice() -> None:
    light = np.full((40, 60), 4.0)
    one, both = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    one[10:30, 10:50] = True
    both[20:40, 10:50] = True
    still = np.zeros((40, 60, 2), np.float32)
    assert flicker_stops(of_light(light, one), of_light(light, both), still) == 0
    brighter = np.where(one & both, 4 * light, 100.0)
    assert flicker_stops(of_light(light, one), of_light(brighter, both), still) == pytest.approx(2, abs=1e-5)
    assert np.isnan(flicker_stops(of_light(light, one), of_light(light, ~one), still))


def test_flicker_follows_what_it_sees() -> None:
    generator = np.random.default_rng(3)
    wide = 2 ** (np.kron(generator.normal(-2, 0.5, (30, 60)), np.ones((4, 4))))
    wide[40:80, 100:140] = 8 * 2 ** np.sin(np.arange(40) / 4)[None]
    one, other = (of_light(part, part > 1.5) for part in (wide[:, 0:160], wide[:, STEP_PX : STEP_PX + 160]))
    still = np.zeros((120, 160, 2), np.float32)
    assert flicker_stops(one, other) < 0.3 * flicker_stops(one, other, still)
