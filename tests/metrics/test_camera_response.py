"""The correction of Hanji et al. 2022: what it undoes, and its least squares solved in another way."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from headroom.colour.transfer import decode, encode
from headroom.image import SDR_WHITE_NITS
from headroom.metrics.camera_response import correct_response
from headroom.metrics.pu21 import pu21_psnr

GENERATOR = np.random.default_rng(0)
TRUTH = np.exp(GENERATOR.uniform(-3, 6, (40, 50, 1))) * np.exp(GENERATOR.uniform(-0.4, 0.4, (40, 50, 3)))


def test_an_equal_picture_stays() -> None:
    np.testing.assert_allclose(correct_response(TRUTH, TRUTH), TRUTH, rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.7, 0.9, 1.2])
def test_tones_bent_by_a_camera_are_bent_back(gamma: float) -> None:
    bent = 100 * (TRUTH / 100) ** gamma
    before, after = pu21_psnr(bent, TRUTH), pu21_psnr(correct_response(bent, TRUTH), TRUTH)
    assert after > before + 10


def test_grey_tones_that_are_a_cubic_in_pq_come_back() -> None:
    grey = np.repeat(TRUTH[..., :1], 3, axis=2)
    codes = np.linspace(0, 1, 20_001)
    bent_codes = 0.05 + 0.6 * codes + 0.2 * codes**2 + 0.1 * codes**3  # maps the prediction's codes to the truth's
    truth_codes = encode(grey / SDR_WHITE_NITS, "pq").astype(np.float64)
    prediction = decode(np.interp(truth_codes, bent_codes, codes), "pq") * SDR_WHITE_NITS
    inside = (truth_codes > bent_codes[0])[..., 0]
    assert inside.mean() > 0.9
    corrected = correct_response(prediction[inside][None], grey[inside][None])
    # The authors round the constants of PQ, which bends the cubic a little.
    assert pu21_psnr(corrected, grey[inside][None]) > pu21_psnr(prediction[inside][None], grey[inside][None]) + 40
    assert pu21_psnr(corrected, grey[inside][None]) > 55


def pull_to_identity(x: NDArray, y: NDArray) -> NDArray:
    """Solve the regularised fit of two chromaticities by the normal equations that the authors give."""
    terms = np.stack([x[:, 0] ** 3, x[:, 1] ** 3, x[:, 0] ** 2, x[:, 1] ** 2, x[:, 0] * x[:, 1], *x.T, np.ones(len(x))])
    identity = np.zeros((8, 2))
    identity[5, 0] = identity[6, 1] = 1
    ridge = 0.01 * len(x) / 8 * np.eye(8)
    coefficients = np.linalg.inv(terms @ terms.T + ridge) @ (terms @ y + ridge @ identity)
    return terms.T @ coefficients


def test_colours_are_fitted_with_a_pull_to_no_change() -> None:
    to_xyz = np.array([[0.412424, 0.357579, 0.180464], [0.212656, 0.715158, 0.072186], [0.019332, 0.119193, 0.950444]])

    def chromaticity(rgb: NDArray) -> NDArray:
        x, y, z = to_xyz @ rgb.reshape(-1, 3).T
        return 410 / 255 * np.stack([4 * x, 9 * y], axis=1) / (x + 15 * y + 3 * z)[:, None]

    tinted = TRUTH * np.array([1.3, 1.0, 0.8])
    corrected = correct_response(tinted, TRUTH)
    expected = pull_to_identity(chromaticity(tinted), chromaticity(TRUTH))
    inside = corrected.min(axis=2).ravel() > 0.05  # colours that BT.709 holds
    assert inside.mean() > 0.8
    np.testing.assert_allclose(chromaticity(corrected)[inside], expected[inside], atol=1e-4)


def test_pictures_of_one_level_have_a_correction() -> None:
    for level in (0.0, 7.0, 2e4):
        corrected = correct_response(np.full((8, 8, 3), level), np.full((8, 8, 3), 50.0))
        np.testing.assert_allclose(corrected, 50, rtol=1e-3)
