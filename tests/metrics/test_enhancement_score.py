"""Scores of enhanced photos: closed forms."""

import math

import numpy as np
import pytest

from headroom.errors import UsageError
from headroom.metrics.enhancement import EnhanceScore, mean_enhance_scores, score_enhancement

TRUTH = np.random.default_rng(0).integers(20, 236, (11, 11, 3), dtype=np.uint8)
OTHER = np.random.default_rng(1).integers(0, 256, (11, 11, 3), dtype=np.uint8)


@pytest.mark.parametrize("step", [-20, -1, 1, 20])
def test_psnr_of_a_constant_error(step: int) -> None:
    score = score_enhancement((TRUTH.astype(int) + step).astype(np.uint8), TRUTH)
    assert math.isclose(score.psnr, 20 * math.log10(255 / abs(step)), rel_tol=1e-9)


def test_ssim_of_one_window() -> None:
    offset = np.arange(11) - 5
    weight = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2))
    expected = []
    for channel in range(3):
        pair = [picture[..., channel].ravel().astype(float) for picture in (OTHER, TRUTH)]
        (xx, xy), (_, yy) = np.cov(pair, aweights=weight.ravel(), ddof=0)
        x, y = np.average(pair, axis=1, weights=weight.ravel())
        expected.append((2 * x * y + 2.55**2) * (2 * xy + 7.65**2) / ((x * x + y * y + 2.55**2) * (xx + yy + 7.65**2)))
    assert math.isclose(score_enhancement(OTHER, TRUTH).ssim, np.mean(expected), rel_tol=1e-9)


def test_identical_pictures() -> None:
    assert score_enhancement(TRUTH, TRUTH) == EnhanceScore(math.inf, pytest.approx(1))


def test_a_picture_below_the_window_has_no_ssim() -> None:
    assert math.isnan(score_enhancement(TRUTH[:10], OTHER[:10]).ssim)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: p / np.float32(255), "float32"),
        (lambda p: p[..., 0], "H x W x 3"),
        (lambda p: p[:0], "H x W x 3"),
        (lambda p: p[1:], "one size"),
    ],
)
def test_what_is_no_8_bit_picture_is_refused(wrong, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        score_enhancement(wrong(OTHER), TRUTH)


def test_means() -> None:
    assert mean_enhance_scores([EnhanceScore(10, 0.5), EnhanceScore(20, 0.7)]) == {
        "psnr": pytest.approx(15),
        "ssim": pytest.approx(0.6),
    }
    assert all(math.isnan(value) for value in mean_enhance_scores([]).values())
