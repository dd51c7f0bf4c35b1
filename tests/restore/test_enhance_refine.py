"""Filling in unknown regions: where, and that nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from painters import painter

from headroom.image import Photo
from headroom.methods.contract import EnhanceInput
from headroom.restore.refine import BAND_PX, largest_region, refine, regions


def grey(inputs: EnhanceInput) -> torch.Tensor:
    return torch.full_like(inputs.encoded, 0.5)


def noise(height: int, width: int, dtype: type = np.uint8) -> Photo:
    codes = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (height, width, 3)).astype(dtype)
    return Photo(codes, codes.itemsize * 8)


@settings(max_examples=40)
@given(
    height=st.integers(1, 1500),
    width=st.integers(1, 1500),
    spots=st.lists(st.tuples(st.floats(0, 0.999), st.floats(0, 0.999), st.integers(1, 60)), min_size=1, max_size=6),
)
def test_boxes_hold_every_region_and_do_not_overlap(
    height: int, width: int, spots: list[tuple[float, float, int]]
) -> None:
    unknown = np.zeros((height, width), np.uint8)
    for y, x, side in spots:
        unknown[int(y * height) : int(y * height) + side, int(x * width) : int(x * width) + side] = 1
    times = np.zeros(unknown.shape, int)
    for rows, columns in regions(unknown):
        times[rows, columns] += 1
        assert rows.stop - rows.start >= min(512, height)
        assert columns.stop - columns.start >= min(512, width)
    assert times.max() == 1
    assert (times[unknown == 1] == 1).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_codes_change_in_regions_alone_and_fade_in_there(dtype: type) -> None:
    photo = noise(1200, 1300, dtype)
    unknown = np.zeros((1200, 1300), np.uint8)
    unknown[:60, :80] = unknown[900:1000, 1200:1300] = 1
    told: list[float] = []
    result = refine(photo, unknown, painter(grey, 1200, 1300, working_side_px=None), told.append)
    np.testing.assert_array_equal(result.codes[unknown == 0], photo.codes[unknown == 0])
    inside = np.zeros_like(unknown)
    inside[: 60 - BAND_PX, : 80 - BAND_PX] = inside[900 + BAND_PX : 1000 - BAND_PX, 1200 + BAND_PX :] = 1
    assert np.abs(result.codes[inside == 1] - 0.5 * np.iinfo(dtype).max).max() <= 1
    change = np.abs(result.codes[950, 1200:].astype(float) - photo.codes[950, 1200:]).mean(axis=-1)
    assert 0 < change[:2].mean() < 0.5 * change[BAND_PX:].mean()
    assert told == sorted(told) and told[-1] == 1


def test_all_of_a_photo_may_be_unknown() -> None:
    result = refine(noise(40, 30), np.ones((40, 30), np.uint8), painter(grey, 40, 30, working_side_px=None), print)
    assert np.abs(result.codes.astype(int) - 128).max() <= 1


def test_the_network_sees_the_region_with_what_is_around_it() -> None:
    seen = []

    def look(inputs: EnhanceInput) -> torch.Tensor:
        seen.append((tuple(inputs.encoded.shape[2:]), float(inputs.unknown.sum())))
        return inputs.encoded

    unknown = np.zeros((2000, 3000), np.uint8)
    unknown[1000:1100, 1500:1700] = 1
    photo = Photo(np.zeros((2000, 3000, 3), np.uint8), 8, source=Path("a.png"))
    refine(photo, unknown, painter(look, 2000, 3000, working_side_px=None), lambda _: None)
    assert seen == [((512, 512), 20_000.0)]
    unknown[:1700, 50] = 1
    assert largest_region(unknown) == (1828, 512)
    assert largest_region(np.zeros_like(unknown)) == (1, 1)
