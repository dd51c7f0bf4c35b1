"""A photo with a gain map of its own: what the map knows is measured, the rest is left to the method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import noisy_photo, srgb_to_light

from headroom.image import GainMap, Photo
from headroom.restore import expand
from headroom.restore.own_gain_map import left_unmeasured

SIDE = 64


def photo_with_map(codes: np.ndarray, highest_stops: float = 3.0) -> Photo:
    """Return a photo of dark noise whose right half is clipped, under a map of these codes, 8 x 8 or SIDE x SIDE."""
    picture = (noisy_photo(3, SIDE, SIDE, 0.0).codes // 2).astype(np.uint8)
    picture[:, SIDE // 2 :] = 255
    zero = (0.0, 0.0, 0.0)
    gain_map = GainMap(
        codes.astype(np.uint8),
        maximum=(highest_stops,) * 3,
        base_offset=zero,
        alternate_offset=zero,
        alternate_headroom=highest_stops,
        standard="hdrgm",
    )
    return Photo(picture, 8, gain_map=gain_map)


def test_the_map_is_the_measured_light(compact_weights: Path) -> None:
    codes = np.tile(np.linspace(30, 240, SIDE), (SIDE, 1))  # gain everywhere, nowhere at the top
    photo = photo_with_map(codes)
    hdr = expand(photo, weights=compact_weights)
    stops = codes.astype(np.uint8) / 255 * 3
    np.testing.assert_allclose(hdr.pixels, srgb_to_light(photo.codes / 255) * 2 ** stops[..., None], rtol=1e-5)
    assert hdr.recovered is not None
    assert not hdr.recovered.any()
    assert hdr.provenance["gain_map"] == "used (hdrgm)"


def test_only_what_both_leave_open_is_filled_in(compact_weights: Path) -> None:
    codes = np.full((SIDE, SIDE), 100)
    codes[:16] = 0  # a region without any gain, apart from the next
    codes[32:36] = 0  # the rim of a lifted region
    codes[48:] = 255  # the map's own top
    photo = photo_with_map(codes)
    photo.codes[16:32] = 90
    hdr = expand(photo, weights=compact_weights)
    assert hdr.recovered is not None
    filled = hdr.recovered > 0
    assert filled[:14, SIDE // 2 + 2 :].all()
    assert filled[50:, SIDE // 2 + 2 :].all()
    assert not filled[16:47].any()
    assert not filled[:, : SIDE // 2].any()
    # Nothing gets darker than what the map knows.
    measured = srgb_to_light(photo.codes / 255) * 2 ** (codes / 255 * 3)[..., None]
    assert (hdr.pixels >= measured * (1 - 1e-5)).all()
    assert (hdr.pixels[:14, SIDE // 2 + 8 :] > 1).any()


@pytest.mark.parametrize("seed", range(5))
def test_regions_are_those_of_opencv(seed: int) -> None:
    generator = np.random.default_rng(seed)
    blocks = generator.random((20, 30)) < 0.35
    lifted = blocks & (generator.random((20, 30)) < 0.1)
    _, labels = cv2.connectedComponents(blocks.astype(np.uint8), connectivity=8)
    left = blocks & ~np.isin(labels, np.unique(labels[lifted]))

    def pixels(cells: np.ndarray) -> np.ndarray:
        return cells.repeat(8, axis=0).repeat(8, axis=1)

    clipped = np.repeat(pixels(blocks)[..., None], 3, axis=2)
    gain_map = GainMap(pixels(lifted).astype(np.uint8) * 200)
    found = left_unmeasured(clipped, gain_map)
    for channel in range(3):
        np.testing.assert_array_equal(found[..., channel], pixels(left))


def test_where_the_map_says_nothing_the_method_decides_alone(compact_weights: Path) -> None:
    without = expand(photo_with_map(np.zeros((8, 8))), weights=compact_weights, use_gain_map=False)
    flat = expand(photo_with_map(np.zeros((8, 8))), weights=compact_weights)
    np.testing.assert_allclose(flat.pixels, without.pixels, rtol=1e-5)
    np.testing.assert_array_equal(flat.recovered, without.recovered)
    assert without.provenance["gain_map"] == "ignored (hdrgm)"


def test_the_headroom_bounds_what_is_filled_in(compact_weights: Path) -> None:
    codes = np.full((SIDE, SIDE), 255)
    hdr = expand(photo_with_map(codes, 2.0), weights=compact_weights, max_headroom_stops=1.0)
    np.testing.assert_allclose(hdr.pixels[:, SIDE // 2 :], 4.0, rtol=1e-5)


def test_a_map_for_sdr_screens_adds_nothing(compact_weights: Path) -> None:
    photo = photo_with_map(np.full((8, 8), 200))
    assert photo.gain_map is not None
    takes_away = replace(photo.gain_map, base_headroom=3.0, alternate_headroom=0.0)
    hdr = expand(replace(photo, gain_map=takes_away), weights=compact_weights)
    np.testing.assert_array_equal(hdr.pixels, expand(photo, weights=compact_weights, use_gain_map=False).pixels)
    assert hdr.provenance["gain_map"] == "ignored (hdrgm)"


@pytest.mark.parametrize("problem", [None, "damaged"])
def test_photos_without_a_usable_map_say_so(problem: str | None) -> None:
    photo = Photo(noisy_photo(1, 20, 30, 0.1).codes, 8, gain_map_problem=problem)
    assert expand(photo, method="linear").provenance["gain_map"] == ("unreadable" if problem else "none")


def test_a_method_that_invents_nothing_shows_the_map_alone() -> None:
    hdr = expand(photo_with_map(np.full((8, 8), 255)), method="linear")
    np.testing.assert_allclose(hdr.pixels[:, SIDE // 2 :], 8.0, rtol=1e-5)
    assert hdr.recovered is not None
    assert not hdr.recovered.any()
