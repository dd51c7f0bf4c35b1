"""SSIM window by window, as Wang et al. 2004 define it; and two libraries, where they are installed."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from headroom.metrics.ssim import ssim_map
from headroom.nn.torchvision_beside_cpu import import_torchvision

GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.random((24, 30)) * 200
OTHER = np.clip(TRUTH + GENERATOR.normal(0, 20, TRUTH.shape), 0, 255)


def by_windows(one: NDArray, other: NDArray, value_range: float) -> NDArray:
    """Weighted moments of each 11 x 11 window, written out; the borders repeat their pixels."""
    offset = np.arange(11) - 5
    weight = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2))
    weight /= weight.sum()
    c1, c2 = (0.01 * value_range) ** 2, (0.03 * value_range) ** 2
    one, other = (np.pad(picture, 5, mode="edge") for picture in (one, other))
    result = np.empty((one.shape[0] - 10, one.shape[1] - 10))
    for row, column in np.ndindex(*result.shape):
        a, b = (picture[row : row + 11, column : column + 11] for picture in (one, other))
        mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
        variance_a, variance_b = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
        covariance = (weight * (a - mean_a) * (b - mean_b)).sum()
        result[row, column] = ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / (
            (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
        )
    return result


def test_each_window_with_repeated_borders() -> None:
    found = ssim_map(OTHER, TRUTH, 256, border="replicate")
    np.testing.assert_allclose(found, by_windows(OTHER, TRUTH, 256), rtol=1e-9)


def test_whole_windows_are_those_inside() -> None:
    found = ssim_map(OTHER, TRUTH, 255, border="inside")
    np.testing.assert_allclose(found, by_windows(OTHER, TRUTH, 255)[5:-5, 5:-5], rtol=1e-9)
    assert ssim_map(OTHER[:9], TRUTH[:9], 255, border="inside").size == 0


def test_scikit_image_agrees() -> None:
    metrics = pytest.importorskip("skimage.metrics", exc_type=ImportError)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    mean = metrics.structural_similarity(OTHER, TRUTH, **options)  # which leaves out a border of five pixels
    assert ssim_map(OTHER, TRUTH, 255, border="inside").mean() == pytest.approx(mean, abs=1e-4)


def test_torchmetrics_agrees() -> None:
    with suppress(ImportError):
        import_torchvision()  # which torchmetrics would do, and fail where only half of torchvision loads
    image = pytest.importorskip("torchmetrics.functional.image", exc_type=ImportError)
    pictures = (torch.from_numpy(picture)[None, None] for picture in (OTHER, TRUTH))
    options = {"data_range": 255.0, "sigma": 1.5, "kernel_size": 11, "return_full_image": True}
    _mean, windows = image.structural_similarity_index_measure(*pictures, **options)
    inside = windows[0, 0, 5:-5, 5:-5].numpy()  # at the border it mirrors the picture
    np.testing.assert_allclose(ssim_map(OTHER, TRUTH, 255, border="inside"), inside, atol=1e-4)
