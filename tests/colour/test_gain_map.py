"""Gain maps against libavif's test vectors, the formula in float64 and their own inverse."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.colour.gain_map import apply_gain_map, encode_gain_map, gain_map_weight
from headroom.errors import UsageError
from headroom.image import GainMap


def picture(height: int = 60, width: int = 90, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return SDR and HDR of a smooth picture whose highlights reach 8 times SDR white."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    hdr = 8 * np.exp(-20 * ((x - 0.5) ** 2 + (y - 0.3) ** 2))[..., None] * rng.uniform(0.5, 1, 3) + 0.05
    hdr *= 8 / hdr.max()
    return np.minimum(hdr, 1).astype(np.float32), hdr.astype(np.float32)


# libavif, avifgainmaptest.cc: minimum 0, maximum 2, gamma 1, offsets 1/64, full weight.
@pytest.mark.parametrize(
    ("base", "share", "hdr"),
    [(0.5, 0.5, 1.015625), (0.5, 0.25, 0.71357888), (0, 0.5, 0.015625), (1, 0.25, 1.42068565), (1, 0.5, 2.015625)],
)
def test_published_vectors(base: float, share: float, hdr: float) -> None:
    # No 8-bit code is a half. Code 51 is a fifth, and a map whose maximum is 2 * share * 5 means the same gain by it.
    gain_map = GainMap(np.full((1, 1), 51, np.uint8), maximum=(10 * share,) * 3, alternate_headroom=2.0)
    assert apply_gain_map(np.full((1, 1, 3), base, np.float32), gain_map)[0, 0, 0] == pytest.approx(hdr, rel=1e-6)


@pytest.mark.parametrize(
    ("headroom", "weight"), [(-1, 0), (0, 0), (0.5, 0.25), (1, 0.5), (1.5, 0.75), (2, 1), (9, 1), (np.inf, 1)]
)
def test_published_weights(headroom: float, weight: float) -> None:
    codes = np.zeros((1, 1), np.uint8)
    assert gain_map_weight(GainMap(codes, alternate_headroom=2.0), headroom) == weight
    hdr_base = GainMap(codes, base_headroom=2.0, alternate_headroom=0.0)
    assert gain_map_weight(hdr_base, headroom) == weight - 1


def test_one_channel_of_codes_serves_three_sets_of_numbers() -> None:
    gain_map = GainMap(
        np.full((1, 1), 51, np.uint8), maximum=(1.0, 2.0, 3.0), gamma=(1.0, 0.5, 2.0), alternate_headroom=3.0
    )
    shown = apply_gain_map(np.ones((1, 1, 3), np.float32), gain_map)[0, 0]
    stops = np.array([1.0, 2.0, 3.0]) * 0.2 ** (1 / np.array([1.0, 0.5, 2.0]))
    np.testing.assert_allclose(shown, (1 + 1 / 64) * 2**stops - 1 / 64, rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_numbers_are_the_contents_own(channels: int) -> None:
    sdr, hdr = picture()
    gain_map = encode_gain_map(sdr, hdr, channels=channels)
    assert gain_map.codes.shape == ((60, 90) if channels == 1 else (60, 90, 3))
    assert gain_map.alternate_headroom == pytest.approx(3, abs=1e-6)  # log2 of 8
    assert gain_map.minimum[0] == pytest.approx(0, abs=1e-6)
    assert (gain_map.codes.min(), gain_map.codes.max()) == (0, 255)
    if channels == 3:
        assert gain_map.maximum[0] == pytest.approx(np.log2((8 + 1 / 64) / (1 + 1 / 64)), abs=1e-6)


def test_one_map_code_is_all_that_a_round_trip_loses() -> None:
    sdr, hdr = picture()
    gain_map = encode_gain_map(sdr, hdr)
    step = (gain_map.maximum[0] - gain_map.minimum[0]) / 255
    error = np.log2((apply_gain_map(sdr, gain_map) + 1 / 64) / (hdr + 1 / 64))
    assert np.abs(error).max() <= step / 2 + 1e-5


def test_a_luminance_map_keeps_luminance_and_colour_ratios() -> None:
    sdr, hdr = picture()
    shown = apply_gain_map(sdr, encode_gain_map(sdr, hdr, channels=1))
    weights = np.array([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(shown @ weights, hdr @ weights, rtol=0.01)


def test_zero_headroom_shows_the_base() -> None:
    sdr, hdr = picture()
    np.testing.assert_allclose(apply_gain_map(sdr, encode_gain_map(sdr, hdr), 0.0), sdr, atol=1e-7)


def test_offsets_gamma_and_range_follow_the_standard() -> None:
    codes = np.random.default_rng(1).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    gain_map = GainMap(
        codes, (-1.0, -0.5, 0.0), (2.0, 3.0, 4.0), (0.5, 1.5, 2.0), (0.01, 0.02, 0.03), (0.03, 0.02, 0.01), 0.5, 3.0
    )
    sdr = picture(40, 50)[0].astype(np.float64)
    minimum, maximum, gamma, base_offset, alternate_offset = (
        np.array(getattr(gain_map, name)) for name in ("minimum", "maximum", "gamma", "base_offset", "alternate_offset")
    )
    gain = minimum + (maximum - minimum) * (codes / 255) ** (1 / gamma)
    expected = (sdr + base_offset) * 2 ** ((2 - 0.5) / (3 - 0.5) * gain) - alternate_offset
    np.testing.assert_allclose(
        apply_gain_map(sdr.astype(np.float32), gain_map, 2.0), np.maximum(expected, 0), rtol=1e-5, atol=1e-6
    )


def test_gains_apply_in_their_own_primaries() -> None:
    # ITU-R BT.2087, from linear BT.709 to BT.2020.
    matrix = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    codes = np.random.default_rng(1).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    gain_map = GainMap(codes, maximum=(2.0, 1.0, 1.5), alternate_headroom=2.0, gain_primaries="bt2020")
    sdr = np.random.default_rng(2).uniform(0.2, 1, (40, 50, 3))
    lifted = (sdr @ matrix.T + 1 / 64) * 2 ** (np.array([2.0, 1.0, 1.5]) * codes / 255) - 1 / 64
    expected = np.maximum(lifted @ np.linalg.inv(matrix).T, 0)
    np.testing.assert_allclose(apply_gain_map(sdr.astype(np.float32), gain_map), expected, atol=2e-3)
    np.testing.assert_allclose(apply_gain_map(sdr.astype(np.float32), gain_map, 0.0), sdr, atol=1e-6)


@pytest.mark.parametrize("size", [(64, 96), (61, 97), (5, 9), (903, 1001)])
@pytest.mark.parametrize("scale", [2, 4])
def test_small_maps_average_the_log_gain(size: tuple[int, int], scale: int) -> None:
    """From edge to edge of the picture, which is how readers spread the map out again."""
    cv2 = pytest.importorskip("cv2")
    sdr, hdr = picture(*size)
    gain_map = encode_gain_map(sdr, hdr, scale=scale)
    smaller = [-(-side // scale) for side in reversed(size)]
    gain = cv2.resize(np.log2((hdr + 1 / 64) / (sdr + 1 / 64)), smaller, interpolation=cv2.INTER_AREA)
    stored = gain_map.minimum[0] + (gain_map.maximum[0] - gain_map.minimum[0]) * gain_map.codes / 255
    np.testing.assert_allclose(stored, gain, atol=(gain.max() - gain.min()) / 255)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 4]), st.sampled_from([1, 3]))
def test_any_size_survives(height: int, width: int, scale: int, channels: int) -> None:
    sdr, hdr = picture(height, width)
    gain_map = encode_gain_map(sdr, hdr, scale=scale, channels=channels)
    assert gain_map.codes.shape[:2] == (-(-height // scale), -(-width // scale))
    shown = apply_gain_map(sdr, gain_map)
    assert shown.shape == hdr.shape
    assert np.isfinite(shown).all()


def test_small_maps_are_interpolated_as_by_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    codes = np.random.default_rng(1).integers(0, 256, (17, 23, 3)).astype(np.uint8)
    gain_map = GainMap(codes, maximum=(3.0,) * 3, alternate_headroom=3.0)
    share = cv2.resize(codes.astype(np.float32), (92, 68), interpolation=cv2.INTER_LINEAR) / 255
    shown = apply_gain_map(np.full((68, 92, 3), 0.5, np.float32), gain_map)
    np.testing.assert_allclose(shown, (0.5 + 1 / 64) * 2 ** (3 * share) - 1 / 64, rtol=1e-4)


def test_equal_images_give_a_map_without_effect() -> None:
    sdr, _ = picture()
    gain_map = encode_gain_map(sdr, sdr)
    assert 0 < gain_map.alternate_headroom < 0.01
    np.testing.assert_allclose(apply_gain_map(sdr, gain_map), sdr, atol=1e-6)


def test_strips_do_not_show() -> None:
    sdr, hdr = picture(900, 1000)  # many strips
    whole, part = encode_gain_map(sdr, hdr, scale=4), encode_gain_map(sdr[:400], hdr[:400], scale=4)
    assert part.maximum == whole.maximum
    np.testing.assert_array_equal(whole.codes[:100], part.codes)


def test_memory_stays_near_the_size_of_the_result() -> None:
    sdr, hdr = (np.tile(image, (10, 10, 1)) for image in picture(100, 100))
    tracemalloc.start()
    try:
        gain_map = encode_gain_map(sdr, hdr)
        assert tracemalloc.get_traced_memory()[1] < gain_map.codes.nbytes + 16 * 2**20
        tracemalloc.reset_peak()
        shown = apply_gain_map(sdr, gain_map)
        assert tracemalloc.get_traced_memory()[1] < gain_map.codes.nbytes + shown.nbytes + 16 * 2**20
    finally:
        tracemalloc.stop()


def test_images_of_different_size_are_refused() -> None:
    with pytest.raises(UsageError, match="one size"):
        encode_gain_map(np.zeros((2, 2, 3), np.float32), np.zeros((2, 3, 3), np.float32))
