"""Camera RAW: channels of the sensor that measured stay, the others are filled in and marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

pytest.importorskip("rawpy")
pytest.importorskip("pillow_heif")

from makers import BLACK, WHITE, dng

import headroom
from headroom.image import Encoding, Photo
from headroom.io import read_hdr, read_photo
from headroom.restore.clipping import clipped_codes
from headroom.restore.compose import no_gain
from headroom.restore.predict import Gains
from headroom.restore.sensor import fill_sensor

NEUTRAL = np.array([0.5, 1.0, 0.7])
MATRIX = np.array([[0.7, -0.2, -0.05], [-0.4, 1.2, 0.2], [-0.1, 0.2, 0.6]])  # XYZ to a camera's RGB
HALF_A_CODE = 0.5 / (WHITE - BLACK)


def patches() -> NDArray[np.float64]:
    """Return 96 x 128 x 3 sensor values: patches of which none, some or all channels clip."""
    levels = np.array(
        [[0.2, 0.4, 0.3], [0.5, 1.3, 0.8], [1.2, 1.6, 0.9], [0.7, 0.95, 1.1], [0.6, 1.1, 1.2], [2, 3, 2.5]]
    )
    scene = np.full((96, 128, 3), 0.1)
    for number, level in enumerate(levels):
        top, left = 8 + 44 * (number // 3), 8 + 40 * (number % 3)
        scene[top : top + 32, left : left + 28] = level
    return scene


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "a.dng"
    path.write_bytes(dng(np.minimum(patches(), 1), color_matrix=MATRIX))
    return path


def away_from_edges(scene: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say where the mosaic around a pixel has one colour, so that demosaicing adds nothing."""
    flat = np.ones(scene.shape[:2], bool)
    for down in range(-4, 5):
        for right in range(-4, 5):
            flat &= (np.roll(scene, (down, right), (0, 1)) == scene).all(axis=-1)
    flat[:4], flat[-4:], flat[:, :4], flat[:, -4:] = False, False, False, False
    return flat


def test_light_of_measured_channels_stays_to_the_bit(raw: Path, compact_weights: Path) -> None:
    hdr = headroom.expand(read_photo(raw), weights=compact_weights)
    measured = hdr.recovered == 0
    assert 0.3 < measured.mean() < 0.95
    assert np.array_equal(hdr.pixels[measured], read_hdr(raw).pixels[measured])
    assert (hdr.primaries, hdr.photo, hdr.pixels.dtype) == ("bt2020", None, np.float32)
    assert np.isfinite(hdr.pixels).all() and hdr.pixels.min() >= 0


def test_the_sensor_would_have_seen_what_it_saw(raw: Path) -> None:
    """The result, seen by the same sensor, has its unclipped codes, and larger ones where it clipped."""
    photo = read_photo(raw)
    hdr = headroom.expand(photo)
    seen = hdr.pixels @ np.linalg.inv(np.array(photo.encoding.sensor_matrix)).T
    scene, flat = patches(), away_from_edges(patches()) & (hdr.pixels > 0).all(axis=-1)
    clipped = scene >= 1
    assert np.array_equal(hdr.recovered[flat] == 1, clipped.any(axis=-1)[flat])
    stored = np.rint(scene * (WHITE - BLACK)) / (WHITE - BLACK)
    assert np.abs(seen - stored)[flat[..., None] & ~clipped].max() < HALF_A_CODE
    assert seen[flat[..., None] & clipped].min() > 1 - HALF_A_CODE
    assert len({tuple(kind) for kind in clipped[flat]}) >= 5


def test_brightness_is_bounded(raw: Path, compact_weights: Path) -> None:
    light = read_hdr(raw).pixels
    for stops in (0.0, 0.5, 2.0):
        hdr = headroom.expand(read_photo(raw), weights=compact_weights, max_headroom_stops=stops)
        assert (hdr.pixels <= np.maximum(light, 2**stops)).all()


def seen_by_a_sensor(light: NDArray[np.floating]) -> Photo:
    """Return what a sensor sees of H x W x 3 light; its green clips at 1, its blue at 1 / 0.7 and its red at 2."""
    codes = np.minimum(light * NEUTRAL, 1).astype(np.float32)
    matrix = tuple(map(tuple, np.diag(1 / NEUTRAL).tolist()))
    return Photo(codes, 32, Encoding("bt2020", "linear", sensor_matrix=matrix))


def filled(photo: Photo, stops: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fill in with a prediction that is everywhere the same."""
    return fill_sensor(
        photo,
        clipped_codes(photo),
        lambda _codes, _clipped: Gains(
            lambda start, stop: torch.full((stop - start, photo.width, 3), stops),
            no_gain,
        ),
        strip_rows=7,
        max_gain_stops=10,
        progress=lambda _share: None,
    )


@pytest.mark.parametrize("stops", [0.0, 0.1, 3.0])
@pytest.mark.parametrize("light", [0.5, 0.99, 1.2, 1.6, 4.0])
def test_a_grey_stays_grey_and_is_as_bright_as_the_sensor_says(light: float, stops: float) -> None:
    result, recovered = filled(seen_by_a_sensor(np.full((20, 30, 3), light)), stops)
    # Up to where the last channel clips one of them still measures; from there on the prediction says how bright it is.
    np.testing.assert_allclose(result, light if light < 2 else 2 * 2**stops, rtol=1e-5)
    assert (recovered == (light >= 1)).all()


@pytest.mark.parametrize("colour", [(0.85, 1.0, 1.3), (1.2, 1.0, 0.6), (0.9, 1.1, 1.0)])
def test_the_colour_of_the_pixels_around_goes_on(colour: tuple[float, float, float]) -> None:
    y, x = np.mgrid[:90, :120]
    brightness = 1.5 * np.exp(-((y - 45) ** 2 + (x - 60) ** 2) / 1500)
    light = np.array(colour) * brightness[..., None]
    photo = seen_by_a_sensor(light)
    result, recovered = filled(photo, 0.0)
    partly = (photo.codes == 1).any(axis=-1) & ~(photo.codes == 1).all(axis=-1)
    assert partly.mean() > 0.05
    assert (recovered[partly] == 1).all()
    np.testing.assert_allclose(result[partly], light[partly], rtol=0.01)


@pytest.mark.parametrize("value", [0.0, 0.4])
def test_nothing_is_clipped(tmp_path: Path, compact_weights: Path, value: float) -> None:
    path = tmp_path / "a.dng"
    path.write_bytes(dng(np.full((40, 60, 3), value)))
    hdr = headroom.expand(read_photo(path), weights=compact_weights)
    assert not hdr.recovered.any()
    assert np.array_equal(hdr.pixels, read_hdr(path).pixels)


def test_a_method_that_fills_nothing_in_gives_the_plain_light(raw: Path) -> None:
    hdr = headroom.expand(read_photo(raw), method="linear")
    assert not hdr.recovered.any()
    assert np.array_equal(hdr.pixels, read_hdr(raw).pixels)


def test_beyond_its_linear_range_a_sensor_counts_as_clipped(tmp_path: Path) -> None:
    path = tmp_path / "a.dng"
    for value, is_clipped in ((0.75, False), (0.85, True)):
        path.write_bytes(dng(np.broadcast_to(value * NEUTRAL, (40, 60, 3)), linear_limit=0.8))
        assert (read_photo(path).codes == 1).all(axis=(0, 1)).tolist() == [False, is_clipped, False]
    path.write_bytes(dng(np.broadcast_to(0.6 * NEUTRAL, (40, 60, 3)), linear_limit=0.8))
    np.testing.assert_allclose(read_hdr(path).pixels, 0.6 / 0.8, atol=2e-4)  # 1.0 is where a grey clips first
