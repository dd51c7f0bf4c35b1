from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.methods.sagiri.colour_fix import (
    REACH_PX,
    adain_fix,
    cross_fade,
    fix_colours,
    low_frequencies,
    wavelet_fix,
)


def picture(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("height", "width"), [(40, 70), (5, 3), (1, 1)])
def test_low_frequencies_are_five_dilated_convolutions(height: int, width: int) -> None:
    given = picture(height, width)
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    images, lows = given.flatten(0, 1).numpy(), low_frequencies(given).flatten(0, 1).numpy()
    for image, low in zip(images, lows, strict=True):
        expected = image.astype(np.float64)
        for level in range(5):
            dilated = np.zeros((2 ** (level + 1) + 1,) * 2)
            dilated[:: 2**level, :: 2**level] = kernel
            expected = cv2.filter2D(expected, cv2.CV_64F, dilated, borderType=cv2.BORDER_REPLICATE)
        np.testing.assert_allclose(low, expected, atol=1e-6)


def test_the_wavelet_fix_swaps_the_low_frequencies() -> None:
    one, other = picture(64, 48), picture(64, 48, seed=1)
    high = one - low_frequencies(one)
    torch.testing.assert_close(wavelet_fix(one, other), high + low_frequencies(other))


def test_the_wavelet_fix_takes_a_cast_away_and_keeps_detail() -> None:
    reference = picture(32, 32)
    cast = torch.tensor([0.2, -0.1, 0.05]).view(3, 1, 1)
    torch.testing.assert_close(wavelet_fix(reference + cast, reference), reference)


def test_the_wavelet_fix_looks_as_far_as_it_says() -> None:
    one, other = torch.zeros(1, 1, 1, 100), torch.zeros(1, 1, 1, 100)
    other[..., 50] = 1.0
    touched = wavelet_fix(one, other)[0, 0, 0].nonzero().flatten()
    assert (int(touched.min()), int(touched.max())) == (50 - REACH_PX, 50 + REACH_PX)


def test_adain_matches_mean_and_deviation() -> None:
    one, other = picture(20, 30) * 0.3 + 0.5, picture(20, 30, seed=1) ** 2
    fixed = adain_fix(one, other)
    torch.testing.assert_close(fixed.mean((2, 3)), other.mean((2, 3)))
    torch.testing.assert_close(fixed.std((2, 3)), other.std((2, 3)))
    flat = torch.full((1, 3, 8, 8), 0.5)
    assert torch.isfinite(adain_fix(flat, other[:1, :, :8, :8])).all()


def test_fixes_go_by_their_names() -> None:
    one, other = picture(16, 16), picture(16, 16, seed=1)
    assert torch.equal(fix_colours(one, other, "none"), one)
    assert torch.equal(fix_colours(one, other, "wavelet"), wavelet_fix(one, other))
    assert torch.equal(fix_colours(one, other, "adain"), adain_fix(one, other))


@pytest.mark.parametrize("band_px", [0, 2, 16])
def test_beyond_the_band_nothing_changes(band_px: int) -> None:
    outside, inside = picture(60, 50)[:1], picture(60, 50, seed=1)[:1] * 3 - 1
    region = torch.zeros(1, 1, 60, 50)
    region[..., 20:30, 0:9] = 1
    region[..., 45, 40] = 1
    faded = cross_fade(inside, outside, region, band_px)
    distance = torch.from_numpy(cv2.distanceTransform(1 - region[0, 0].byte().numpy(), cv2.DIST_C, 3))
    beyond, within = distance > band_px, distance == 0
    assert torch.equal(faded[..., beyond], outside[..., beyond])
    torch.testing.assert_close(faded[..., within], inside[..., within])
    weight = ((faded - outside) / (inside - outside)).mean(1)[0]
    assert float(weight.min()) >= -1e-5
    assert float(weight.max()) <= 1 + 1e-5


def test_the_ramp_is_linear() -> None:
    region = torch.zeros(1, 1, 1, 40)
    region[..., :20] = 1
    ramp = cross_fade(torch.ones(1, 3, 1, 40), torch.zeros(1, 3, 1, 40), region, 8)[0, 0, 0]
    torch.testing.assert_close(ramp[19:29], torch.linspace(1, 0, 10))
