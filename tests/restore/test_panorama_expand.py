"""Equirectangular panoramas: expanded as if they had no left and right edge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pictures import srgb_to_light

import headroom
from headroom.image import FloatImage, Photo
from headroom.restore.clipping import recovery_weight
from headroom.restore.panorama import seamless
from headroom.restore.predict import Gains


def panorama(width: int = 256) -> Photo:
    """Make one with a clipped band all around, in front of light that changes smoothly all around."""
    rows, columns = np.mgrid[: width // 2, :width]
    angle = 2 * np.pi * columns / width
    light = 90 + 40 * np.sin(angle)[..., None] + 20 * np.cos(3 * angle[..., None] + np.arange(3))
    light[abs(rows - width // 4) < width // 16] = 255
    return Photo(np.rint(light).astype(np.uint8), 8)


def band(pixels: FloatImage) -> NDArray[np.float64]:
    """Give the log2 light of the band's middle row, by columns."""
    return np.asarray(np.log2(pixels[pixels.shape[0] // 2].mean(axis=-1).astype(np.float64)))


@pytest.mark.parametrize("width", [256, 1000])
def test_the_ends_of_a_panorama_meet(compact_weights: Path, width: int) -> None:
    photo = panorama(width)
    wrapped, cut = (
        band(headroom.expand(photo, weights=compact_weights, panorama=each).pixels) for each in (True, False)
    )
    steps = np.abs(np.diff(wrapped))
    assert abs(wrapped[0] - wrapped[-1]) <= 1.5 * steps.max()
    assert abs(cut[0] - cut[-1]) > 5 * abs(wrapped[0] - wrapped[-1])


def test_measured_pixels_stay(compact_weights: Path) -> None:
    photo = panorama()
    hdr = headroom.expand(photo, weights=compact_weights, panorama=True)
    measured = photo.codes < 255
    np.testing.assert_allclose(hdr.pixels[measured], srgb_to_light(photo.codes / 255)[measured], rtol=1e-6)
    assert hdr.pixels.shape == photo.codes.shape
    assert hdr.recovered is not None
    np.testing.assert_array_equal(hdr.recovered > 0, ~measured.all(axis=2))
    assert hdr.provenance["panorama"] is True


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (5, 17)])
def test_any_size_wraps(compact_weights: Path, height: int, width: int) -> None:
    photo = Photo(np.full((height, width, 3), 255, np.uint8), 8)
    hdr = headroom.expand(photo, weights=compact_weights, panorama=True)
    assert hdr.pixels.shape == (height, width, 3)
    assert (hdr.pixels >= 1).all()


def test_whatever_a_network_says_at_its_borders_is_not_heard() -> None:
    def ramp(codes: NDArray[np.uint8], _clipped: NDArray[np.bool_]) -> Gains:
        """Predict more the farther right, which no panorama can mean."""
        gain = torch.linspace(0, 1, codes.shape[1]).view(1, -1, 1).expand(-1, -1, 3)
        return Gains(*(lambda start, stop: gain.expand(stop - start, -1, -1),) * 2)

    codes = np.zeros((4, 160, 3), np.uint8)
    gain = seamless(ramp)(codes, codes > 0).lights(0, 4)[0, :, 0].numpy()
    assert np.abs(gain - np.roll(gain, 1)).max() < 0.08
    inside = slice(10, 150)
    np.testing.assert_allclose(gain[inside], np.linspace(0, 1, 200)[20:180][inside], atol=1e-6)


def test_a_lamp_on_the_edge_has_no_rim_there() -> None:
    clipped = np.zeros((40, 100, 3), np.bool_)
    clipped[10:30, :12] = clipped[10:30, -12:] = True
    weight = recovery_weight(clipped, wraps=True)
    np.testing.assert_array_equal(np.roll(weight, 50, axis=1), recovery_weight(np.roll(clipped, 50, axis=1)))
