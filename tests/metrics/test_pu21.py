from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch

from headroom.metrics.pu21 import pu21_encode, pu21_psnr, pu21_ssim
from headroom.nn.torchvision_beside_cpu import import_torchvision

GENERATOR = np.random.default_rng(0)
PICTURE = np.exp(GENERATOR.uniform(-3, 7, (20, 30, 3)))


def published(luminance: str) -> float:
    """Evaluate the formula of Mantiuk and Azimi 2021 in fifty digits, powers as exponentials of logarithms."""
    with localcontext() as context:
        context.prec = 50
        p1, p2, p3 = map(Decimal, ("0.353487901", "0.3734658629", "8.277049286e-5"))
        p4, p5, p6, p7 = map(Decimal, ("0.9062562627", "0.09150303166", "0.9099517204", "596.3148142"))
        y = (p4 * Decimal(luminance).ln()).exp()
        return float(p7 * ((p5 * ((p1 + p2 * y) / (1 + p3 * y)).ln()).exp() - p6))


@pytest.mark.parametrize("luminance", ["0.006", "0.1", "1", "10", "100", "203", "1000", "4000", "10000"])
def test_the_published_formula(luminance: str) -> None:
    assert pu21_encode(np.array(float(luminance))) == pytest.approx(published(luminance), rel=1e-9)


def test_known_values() -> None:
    # The encoding is scaled so that 100 cd/m2, the peak of an SDR monitor, is 256; it begins at 0.
    assert float(pu21_encode(np.array(100.0))) == pytest.approx(256, abs=0.5)
    assert float(pu21_encode(np.array(0.005))) == pytest.approx(0, abs=0.05)


def test_it_rises_and_clamps_at_both_ends() -> None:
    codes = pu21_encode(np.geomspace(0.005, 10_000, 1000))
    assert (np.diff(codes) > 0).all()
    np.testing.assert_array_equal(pu21_encode(np.array([-1.0, 0.0, 0.005])), codes[0])
    np.testing.assert_array_equal(pu21_encode(np.array([1e4, 1e9, np.inf])), codes[-1])


def test_identical_pictures_are_infinitely_close() -> None:
    assert pu21_psnr(PICTURE, PICTURE) == np.inf


def test_decibels_of_a_known_error() -> None:
    truth = np.full((4, 4, 3), 50.0)
    other = np.full((4, 4, 3), 80.0)
    difference = published("80") - published("50")
    assert pu21_psnr(other, truth) == pytest.approx(20 * np.log10(256 / difference), rel=1e-6)


def test_only_masked_pixels_count() -> None:
    mask = GENERATOR.random((20, 30)) < 0.3
    other = np.where(mask[..., None], PICTURE * 1.1, 0)
    assert pu21_psnr(other, PICTURE, mask) == pytest.approx(pu21_psnr(PICTURE[mask] * 1.1, PICTURE[mask]))
    assert np.isnan(pu21_psnr(other, PICTURE, np.zeros_like(mask)))


def test_more_error_is_fewer_decibels() -> None:
    found = [pu21_psnr(PICTURE * gain, PICTURE) for gain in (1.01, 1.1, 1.5, 3.0)]
    assert found == sorted(found, reverse=True)


def test_ssim_of_flat_pictures_is_that_of_their_means() -> None:
    one, other = published("30"), published("90")
    c1 = (0.01 * 256) ** 2
    expected = (2 * one * other + c1) / (one**2 + other**2 + c1)
    found = pu21_ssim(np.full((14, 15, 3), 30.0), np.full((14, 15, 3), 90.0))
    assert found == pytest.approx(expected, rel=1e-6)


def test_ssim_looks_at_luminance_alone() -> None:
    red, green = PICTURE.copy(), PICTURE.copy()
    red[..., 0] *= 1.5
    green[..., 1] += 0.212656 / 0.715158 * 0.5 * PICTURE[..., 0]
    assert pu21_ssim(red, PICTURE) == pytest.approx(pu21_ssim(green, PICTURE), rel=1e-9)
    assert pu21_ssim(red, green) == pytest.approx(1)


def test_the_encoding_is_that_of_colour_video_vdp() -> None:
    try:
        import_torchvision()
    except ImportError:
        pytest.skip("pycvvdp needs torchvision, which is not installed")
    utils = pytest.importorskip("pycvvdp.utils")
    nits = np.geomspace(0.005, 10_000, 500)
    theirs = utils.PU(type="banding_glare").encode(torch.from_numpy(nits)).numpy()
    np.testing.assert_allclose(pu21_encode(nits), theirs, atol=1e-3)
