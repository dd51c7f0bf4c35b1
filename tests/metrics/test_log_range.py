"""The scores of the hybrid autoencoder, in the range that its training pairs have."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from headroom.methods.hybrid_ae.preprocessing import normalise_hdr
from headroom.metrics.contract import Pair
from headroom.metrics.log_range import METRICS, log_range

GENERATOR = np.random.default_rng(0)
TRUTH = np.exp2(GENERATOR.uniform(-4, 5, (20, 24, 3))).astype(np.float32)
PREDICTION = (TRUTH * np.exp2(GENERATOR.normal(0, 0.3, TRUTH.shape))).astype(np.float32)
MEASURE = {metric.id: metric.open(Path()) for metric in METRICS}


def test_the_truth_is_what_the_network_is_trained_to_say() -> None:
    expected, _range = normalise_hdr(torch.from_numpy(TRUTH).permute(2, 0, 1)[None])
    np.testing.assert_allclose(log_range(Pair("light", TRUTH, TRUTH))[1], expected[0].permute(1, 2, 0), atol=1e-5)


def test_the_peak_of_the_released_code_costs_six_decibels() -> None:
    pair = Pair("light", PREDICTION, TRUTH)
    logarithms = [np.log(1 + light.astype(np.float64)) for light in (PREDICTION, TRUTH)]
    error = np.mean((2 * (logarithms[0] - logarithms[1]) / np.ptp(logarithms[1])) ** 2)
    assert MEASURE["psnr_log1p"](pair) == pytest.approx(10 * math.log10(4 / error))
    assert MEASURE["psnr_log1p_released"](pair) == pytest.approx(MEASURE["psnr_log1p"](pair) - 6.0206, abs=1e-4)


def test_a_truth_of_one_level_has_a_score() -> None:
    flat = np.full((16, 16, 3), 0.5, np.float32)
    assert MEASURE["psnr_log1p"](Pair("light", flat, flat)) == math.inf
    assert MEASURE["psnr_log1p"](Pair("light", 2 * flat, flat)) < 30
    assert math.isnan(MEASURE["ssim_log1p"](Pair("light", flat[:8], flat[:8])))
