"""Scores of known and unknown regions: closed forms, and what blur and noise do."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from made_codes import texture

from headroom.metrics.enhancement_regions import known_change, score_regions, sharpness_error

TRUTH = (texture(1)[:96, :128] / 255).astype(np.float32)
UNKNOWN = np.zeros((96, 128), np.bool_)
UNKNOWN[20:60, 30:90] = True


def inside(changed: np.ndarray) -> np.ndarray:
    """Change the truth in the unknown region alone."""
    return np.where(UNKNOWN[..., None], changed, TRUTH).astype(np.float32)


def ssim_at(other: np.ndarray, y: int, x: int) -> float:
    """Give the SSIM of the window around a pixel by weighted means and covariances (Wang et al. 2004)."""
    offset = np.arange(11) - 5
    weight = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2)).ravel()
    found = []
    for channel in range(3):
        cut = [255 * p[y - 5 : y + 6, x - 5 : x + 6, channel].ravel().astype(float) for p in (other, TRUTH)]
        (xx, xy), (_, yy) = np.cov(cut, aweights=weight, ddof=0)
        a, b = np.average(cut, axis=1, weights=weight)
        found.append((2 * a * b + 2.55**2) * (2 * xy + 7.65**2) / ((a * a + b * b + 2.55**2) * (xx + yy + 7.65**2)))
    return float(np.mean(found))


def off(picture: np.ndarray, where: np.ndarray = UNKNOWN) -> float:
    return sharpness_error(picture.astype(np.float32), TRUTH, where)


def test_psnr_knows_on_which_side_the_error_is() -> None:
    score = score_regions(inside(TRUTH + 7 / 255), TRUTH, UNKNOWN)
    assert score.psnr_unknown == pytest.approx(20 * math.log10(255 / 7), abs=1e-3)
    assert score.psnr_known == math.inf


def test_ssim_is_the_mean_of_the_windows_centred_there() -> None:
    other = (texture(2)[:96, :128] / 255).astype(np.float32)
    centres = [(20, 30), (21, 30), (5, 122)]
    unknown = np.zeros_like(UNKNOWN)
    unknown[tuple(zip(*centres, strict=True))] = True
    unknown[4, 60] = True  # the centre of no whole window
    score = score_regions(other, TRUTH, unknown)
    assert score.ssim_unknown == pytest.approx(np.mean([ssim_at(other, y, x) for y, x in centres]), abs=1e-6)
    windows = (96 - 10) * (128 - 10)
    both = (len(centres) * score.ssim_unknown + (windows - len(centres)) * score.ssim_known) / windows
    assert score_regions(other, TRUTH, np.zeros_like(UNKNOWN)).ssim_known == pytest.approx(both)


def test_a_region_that_is_empty_has_no_score() -> None:
    score = score_regions(TRUTH, TRUTH, np.zeros_like(UNKNOWN))
    assert math.isnan(score.psnr_unknown)
    assert math.isnan(score.ssim_unknown)
    assert math.isnan(off(TRUTH, np.zeros_like(UNKNOWN)))


def test_sharpness_of_ramps_is_the_ratio_of_their_slopes() -> None:
    ramp = np.broadcast_to((np.arange(60) / 255)[None, :, None], (50, 60, 3)).astype(np.float32)
    everywhere = np.ones((50, 60), np.bool_)
    assert sharpness_error(4 * ramp, ramp, everywhere) == pytest.approx(math.log2(4.5 / 1.5))
    assert sharpness_error(ramp, 4 * ramp, everywhere) == pytest.approx(math.log2(4.5 / 1.5))
    assert sharpness_error(np.zeros_like(ramp), ramp, everywhere) == pytest.approx(math.log2(1.5 / 0.5))


def test_blur_and_noise_are_both_off_and_more_so_the_more_there_is() -> None:
    blurred = [off(inside(cv2.GaussianBlur(TRUTH, (0, 0), sigma))) for sigma in (0.5, 1, 2, 4)]
    noise = np.random.default_rng(0).normal(size=TRUTH.shape)
    noisy = [off(np.clip(TRUTH + codes / 255 * noise, 0, 1)) for codes in (4, 16, 64)]
    assert 0 < blurred[0] < blurred[1] < blurred[2] < blurred[3]
    assert 0 < noisy[0] < noisy[1] < noisy[2]


def test_sharpness_sees_neither_the_border_of_the_region_nor_what_is_outside() -> None:
    brighter = np.clip(TRUTH + 15 / 255, 0, 1)
    assert off(inside(brighter)) == pytest.approx(0, abs=1e-6)
    assert off(np.where(UNKNOWN[..., None], TRUTH, 0.5)) == pytest.approx(0, abs=1e-6)


def test_change_counts_anywhere_outside_of_the_region_and_its_border() -> None:
    base = TRUTH.copy()
    refined = inside(1 - TRUTH)
    refined[20:60, 28:30] = 1 - base[20:60, 28:30]
    assert known_change(refined, base, UNKNOWN) == 0
    refined[40, 27, 2] = base[40, 27, 2] + 3 / 255
    assert known_change(refined, base, UNKNOWN) == pytest.approx(3, abs=1e-3)
    assert known_change(refined, base, np.zeros_like(UNKNOWN)) > 20
    assert math.isnan(known_change(refined, base, np.ones_like(UNKNOWN)))
