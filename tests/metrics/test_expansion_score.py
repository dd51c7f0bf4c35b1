from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headroom.image import FloatImage
from headroom.metrics.contract import Pair
from headroom.metrics.expansion import METRICS, match_tones, score_expansion
from headroom.metrics.pu21 import pu21_psnr

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def scene(seed: int = 0) -> FloatImage:
    """Make light from well below to well above the clip level, in colour."""
    generator = np.random.default_rng(seed)
    grey = np.exp2(generator.uniform(-5, 4, (40, 50, 1)))
    return np.asarray(grey * np.exp2(generator.uniform(-0.3, 0.3, (40, 50, 3))), np.float32)


def photo_of(truth: FloatImage) -> FloatImage:
    """Take an sRGB photo whose full scale is 1.0 of the scene, unquantised."""
    light = np.clip(truth, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


TRUTH = scene()
CODES = photo_of(TRUTH)
CLIPPED = CODES.max(axis=2) >= 250 / 255


def with_error(stops: NDArray[np.floating] | float) -> FloatImage:
    """Make clipped pixels too bright by so many stops."""
    return (TRUTH * np.exp2(np.where(CLIPPED, stops, 0))[..., None]).astype(np.float32)


def test_the_truth_scores_best() -> None:
    score = score_expansion(TRUTH, TRUTH, CODES)
    assert score.stops == pytest.approx(0, abs=1e-6)
    assert score.pu21_psnr > 120
    assert score.pu21_psnr_clipped > 120
    assert score.clipped_share == CLIPPED.mean()


@pytest.mark.parametrize("stops", [-1.5, -0.25, 0.5, 2.0])
def test_a_constant_error_is_so_many_stops(stops: float) -> None:
    assert score_expansion(with_error(stops), TRUTH, CODES).stops == pytest.approx(abs(stops), abs=1e-5)


def test_stops_are_a_root_mean_square() -> None:
    errors = np.random.default_rng(1).normal(0, 1, CLIPPED.shape)
    expected = math.sqrt((errors[CLIPPED] ** 2).mean())
    assert score_expansion(with_error(errors), TRUTH, CODES).stops == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("ev", [-6, -1, 3])
def test_the_scale_of_the_prediction_does_not_matter(ev: int) -> None:
    prediction = with_error(0.7)
    one = score_expansion(prediction, TRUTH, CODES)
    other = score_expansion(prediction * np.float32(2.0**ev), TRUTH, CODES)
    assert (other.stops, other.pu21_psnr, other.pu21_psnr_clipped) == pytest.approx(
        (one.stops, one.pu21_psnr, one.pu21_psnr_clipped), rel=1e-5
    )


def test_the_scale_of_the_truth_does_not_matter() -> None:
    one, other = (score_expansion(with_error(0.7), TRUTH * scale, CODES) for scale in (np.float32(1), np.float32(37)))
    assert (other.stops, other.pu21_psnr) == pytest.approx((one.stops, one.pu21_psnr), rel=1e-4)


def test_more_error_scores_worse() -> None:
    scores = [score_expansion(with_error(stops * np.linspace(0, 1, 50)), TRUTH, CODES) for stops in (0.2, 0.8, 2.0)]
    assert [score.stops for score in scores] == sorted(score.stops for score in scores)
    for psnr in ([score.pu21_psnr for score in scores], [score.pu21_psnr_clipped for score in scores]):
        assert psnr == sorted(psnr, reverse=True)


def test_a_cubic_distortion_of_tones_is_undone() -> None:
    log2 = np.log2(TRUTH.astype(np.float64) @ _LUMINANCE)
    # The truth is a cubic of the distorted tones, which rise with it; solved for the distortion by bisection.
    grid = np.linspace(-8, 8, 200_001)
    distorted = np.interp(log2, 0.2 + 0.8 * grid + 0.02 * grid**2 + 0.01 * grid**3, grid)
    prediction = TRUTH * np.exp2(distorted - log2)[..., None].astype(np.float32)
    np.testing.assert_allclose(match_tones(prediction, TRUTH), TRUTH, rtol=1e-4)
    assert score_expansion(prediction, TRUTH, CODES).pu21_psnr > 90
    assert score_expansion(prediction, TRUTH, CODES).stops > 0.3  # which only takes a gain out


def test_matching_keeps_colour_ratios() -> None:
    prediction = scene(3)
    matched = match_tones(prediction, TRUTH)
    np.testing.assert_allclose(
        matched / matched.sum(axis=2, keepdims=True), prediction / prediction.sum(axis=2, keepdims=True), rtol=1e-5
    )


def test_the_match_is_the_least_squares_cubic() -> None:
    prediction = scene(3)
    x, y = (np.log2(image.astype(np.float64) @ _LUMINANCE).ravel() for image in (prediction, TRUTH))
    coefficients = np.linalg.solve(np.vander(x, 4).T @ np.vander(x, 4), np.vander(x, 4).T @ y)
    matched = np.log2(match_tones(prediction, TRUTH) @ _LUMINANCE).ravel()
    np.testing.assert_allclose(matched, np.vander(x, 4) @ coefficients, atol=1e-5)


def test_the_brightest_true_value_is_shown_at_1000_nits() -> None:
    prediction = with_error(0.5)
    nits = 1000 / TRUTH.max()
    matched = match_tones(prediction, TRUTH) * nits
    score = score_expansion(prediction, TRUTH, CODES)
    assert score.pu21_psnr == pytest.approx(pu21_psnr(matched, TRUTH * nits), rel=1e-4)
    assert score.pu21_psnr_clipped == pytest.approx(pu21_psnr(matched[CLIPPED], TRUTH[CLIPPED] * nits), rel=1e-4)


def test_a_photo_without_clipped_pixels_has_no_stops() -> None:
    dark = np.minimum(TRUTH, 0.5)
    score = score_expansion(dark, dark, photo_of(dark))
    assert math.isnan(score.stops)
    assert math.isnan(score.pu21_psnr_clipped)
    assert score.pu21_psnr > 100


@pytest.mark.parametrize("level", [0.0, 0.25, 1.0])
def test_pictures_of_one_level_have_a_score(level: float) -> None:
    flat = np.full((8, 8, 3), level, np.float32)
    score = score_expansion(flat, flat, photo_of(flat))
    assert score.pu21_psnr > 100


def test_crushed_pixels_have_stops_of_their_own() -> None:
    truth = TRUTH * np.where(np.arange(TRUTH.shape[1]) < 10, np.float32(0.02), np.float32(1))[:, None]
    codes = photo_of(truth)
    crushed = codes.max(axis=2) < 8 / 255
    assert 0.01 < crushed.mean() < 0.2
    prediction = truth * np.where(crushed, np.float32(2**1.5), np.float32(1))[..., None]
    metric = {metric.id: metric for metric in METRICS}["stops_crushed"]
    assert metric.open(Path())(Pair("light", prediction, truth, codes)) == pytest.approx(1.5, abs=1e-4)
    assert math.isnan(metric.open(Path())(Pair("light", TRUTH, TRUTH, CODES)))
