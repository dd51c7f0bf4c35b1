"""Scores of merged brackets: closed forms, and SSIM window by window as Wang et al. 2004 define it."""

import math
from pathlib import Path

import numpy as np
import pytest

from headroom.colour.tone_mapping import mu_law
from headroom.errors import UsageError
from headroom.metrics.contract import Pair
from headroom.metrics.merging import METRICS, mean_merge_scores, score_merge


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    truth = generator.random((24, 30, 3)).astype(np.float32) ** 3
    return np.clip(truth + generator.normal(0, 0.02, truth.shape), 0, 1).astype(np.float32), truth


def ssim_by_windows(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Weighted moments of each 11 x 11 window, written out."""
    offset = np.arange(11) - 5
    weight = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2))
    weight /= weight.sum()
    result = np.empty((one.shape[0] - 10, one.shape[1] - 10, 3))
    for row, column, channel in np.ndindex(*result.shape):
        a, b = (255 * p[row : row + 11, column : column + 11, channel].astype(np.float64) for p in (one, other))
        mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
        variance_a, variance_b = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
        covariance = (weight * (a - mean_a) * (b - mean_b)).sum()
        result[row, column, channel] = ((2 * mean_a * mean_b + 6.5025) * (2 * covariance + 58.5225)) / (
            (mean_a**2 + mean_b**2 + 6.5025) * (variance_a + variance_b + 58.5225)
        )
    return result


def test_psnr_of_a_constant_error() -> None:
    truth = np.full((16, 16, 3), 0.25, np.float32)
    score = score_merge(truth + np.float32(0.01), truth)
    assert math.isclose(score.psnr_l, 40, abs_tol=1e-4)
    tones = [math.log(1 + 5000 * value) / math.log(5001) for value in (0.25, 0.26)]
    assert math.isclose(score.psnr_mu, -20 * math.log10(tones[1] - tones[0]), abs_tol=1e-3)


def test_ssim_is_that_of_its_windows(pictures) -> None:
    prediction, truth = pictures
    score = score_merge(prediction, truth)
    assert math.isclose(score.ssim_l, ssim_by_windows(prediction, truth).mean(), rel_tol=1e-9)
    assert math.isclose(score.ssim_mu, ssim_by_windows(mu_law(prediction), mu_law(truth)).mean(), rel_tol=1e-9)


def test_masked_scores_are_about_the_mask(pictures) -> None:
    prediction, truth = pictures
    mask = np.zeros(truth.shape[:2], np.bool_)
    mask[8:15, 9:20] = True
    score = score_merge(prediction, truth, mask)
    part = score_merge(prediction[mask][None], truth[mask][None])
    assert math.isclose(score.psnr_mu_masked, part.psnr_mu, rel_tol=1e-12)
    assert math.isclose(score.psnr_l_masked, part.psnr_l, rel_tol=1e-12)
    assert math.isclose(score.ssim_l_masked, ssim_by_windows(prediction, truth)[3:10, 4:15].mean(), rel_tol=1e-9)
    assert math.isnan(score_merge(prediction, truth).psnr_mu_masked)
    assert math.isnan(score_merge(prediction, truth, np.zeros_like(mask)).psnr_mu_masked)


def test_identical_pictures(pictures) -> None:
    score = score_merge(pictures[1], pictures[1])
    assert score.psnr_mu == score.psnr_l == math.inf
    assert math.isclose(score.ssim_mu, 1) and math.isclose(score.ssim_l, 1)


def test_a_picture_below_the_window_has_no_ssim() -> None:
    small = np.full((8, 30, 3), 0.5, np.float32)
    assert math.isnan(score_merge(small, small).ssim_mu)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: (p * 255).astype(np.uint8), "uint8"),
        (lambda p: p * 255, "0 to 2"),
        (lambda p: p - 1, "0 to 2"),
        (lambda p: np.where(p > 0.5, np.float32("nan"), p), "nan"),
        (lambda p: p[..., 0], "H x W x 3"),
        (lambda p: p[1:], "one size"),
    ],
)
def test_what_is_no_light_of_the_right_unit_is_refused(pictures, wrong, message: str) -> None:
    prediction, truth = pictures
    with pytest.raises(UsageError, match=message):
        score_merge(wrong(prediction), truth)


def test_a_mask_of_another_kind_is_refused(pictures) -> None:
    for mask in (np.ones((4, 4), np.bool_), np.ones((24, 30), np.uint8)):
        with pytest.raises(UsageError, match="mask"):
            score_merge(*pictures, mask)


def test_means_leave_out_what_is_undefined(pictures) -> None:
    prediction, truth = pictures
    mask = np.ones(truth.shape[:2], np.bool_)
    better = (prediction + truth) / 2
    scores = [score_merge(prediction, truth, mask), score_merge(better, truth)]
    means = mean_merge_scores(scores)
    assert math.isclose(means["psnr_mu"], (scores[0].psnr_mu + scores[1].psnr_mu) / 2)
    assert means["psnr_mu_masked"] == scores[0].psnr_mu_masked
    assert means["psnr_mu_worst"] == scores[0].psnr_mu


def test_the_8_bit_variant_rounds_to_codes_first(pictures) -> None:
    metrics = {metric.id: metric.open(Path()) for metric in METRICS}
    codes = [np.rint(255 * picture) / 255 for picture in pictures]
    tones = [np.rint(255 * mu_law(picture)) / 255 for picture in pictures]
    pair = Pair("full-scale", *pictures)
    assert math.isclose(metrics["ssim_l_8bit"](pair), ssim_by_windows(*codes).mean(), rel_tol=1e-9)
    assert math.isclose(metrics["ssim_mu_8bit"](pair), ssim_by_windows(*tones).mean(), rel_tol=1e-9)
