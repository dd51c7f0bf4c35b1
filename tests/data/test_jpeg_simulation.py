"""The JPEG of the virtual camera against libjpeg, through Pillow."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from headroom.data.jpeg import jpeg_round_trip


def picture(height: int = 96, width: int = 128) -> NDArray[np.uint8]:
    """Make coloured waves, a hard coloured edge and some noise."""
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / (5 + 3 * c) + c) * np.cos(columns / (9 - 2 * c)) for c in range(3)]
    codes = 128 + 70 * np.stack(waves, axis=-1) + np.random.default_rng(0).normal(0, 4, (height, width, 3))
    codes[20:50, 30:70] = (230, 60, 40)
    return np.clip(np.rint(codes), 0, 255).astype(np.uint8)


def with_pillow(codes: NDArray[np.uint8], quality: int, *, subsample: bool) -> NDArray[np.uint8]:
    stream = io.BytesIO()
    Image.fromarray(codes).save(stream, "JPEG", quality=quality, subsampling=2 if subsample else 0)
    return np.asarray(Image.open(stream))


def as_tensor(codes: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(codes.transpose(2, 0, 1)))[None] / 255


def ours(codes: NDArray[np.uint8], quality: float, *, subsample: bool) -> NDArray[np.float32]:
    result = jpeg_round_trip(as_tensor(codes), torch.tensor([float(quality)]), subsample=subsample)
    return result[0].permute(1, 2, 0).numpy() * 255


def psnr(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)))


@pytest.mark.parametrize("subsample", [False, True])
@pytest.mark.parametrize("quality", [20, 50, 75, 90, 97, 100])
def test_the_picture_is_that_of_libjpeg(quality: int, subsample: bool) -> None:
    codes = picture()
    reference = with_pillow(codes, quality, subsample=subsample)
    simulated = ours(codes, quality, subsample=subsample)
    # libjpeg also rounds the planes before its transform, which tips single coefficients over.
    assert np.abs(simulated - reference).mean() < 1.5
    assert psnr(simulated, reference) > 42
    if quality < 100:  # where rounding is all that is lost
        assert psnr(simulated, codes) == pytest.approx(psnr(reference, codes), abs=0.5)


def test_every_photo_has_its_own_quality() -> None:
    codes = as_tensor(picture())
    qualities = torch.tensor([30.0, 60.0, 95.0])
    batch = jpeg_round_trip(codes.expand(3, -1, -1, -1), qualities, subsample=True)
    for i in range(3):
        alone = jpeg_round_trip(codes, qualities[i : i + 1], subsample=True)
        torch.testing.assert_close(batch[i : i + 1], alone)
    errors = (batch - codes).abs().mean((1, 2, 3))
    assert errors[0] > errors[1] > errors[2]


def test_flat_colours_survive_and_codes_stay_on_the_grid() -> None:
    for colour in ((0, 0, 0), (255, 255, 255), (255, 0, 0), (17, 200, 90)):
        codes = np.full((32, 32, 3), colour, np.uint8)
        result = ours(codes, 100, subsample=True)
        assert np.abs(result - codes).max() <= 1
    result = ours(picture(), 40, subsample=True)
    np.testing.assert_allclose(result, np.rint(result), atol=1e-3)
    assert 0 <= result.min() <= result.max() <= 255
