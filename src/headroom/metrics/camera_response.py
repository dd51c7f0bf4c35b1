"""Metrics after the prediction's camera response is fitted to the truth, since one photo cannot tell tones and colours.

Hanji et al. 2022, "Comparison of single image HDR reconstruction methods - the caveats of quality assessment": cubic
polynomials of luminance in PQ, and of chromaticity u', v' with a pull towards no change. Constants are those of the
authors' released code, rounded as there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headroom.metrics.contract import Pair, plain
from headroom.metrics.pu21 import PU21_PSNR, PU21_SSIM, pu21_psnr, pu21_ssim

Picture = NDArray[np.float64]

_DARKEST_NITS, _BRIGHTEST_NITS = 0.005, 1e4
_PULL = 0.01
_DEGREE = 3
_XYZ = np.array([[0.412424, 0.357579, 0.180464], [0.212656, 0.715158, 0.072186], [0.019332, 0.119193, 0.950444]])
_RGB = np.linalg.inv(_XYZ)
_XYZ_LIMITS = 1e-4, 1e8
_CHROMATICITY_SCALE = 410 / 255
# The PQ curve of SMPTE ST 2084.
_M, _N = 78.8438, 0.1593
_C1, _C2, _C3 = 0.8359, 18.8516, 18.6875


def correct_response(prediction_nits: NDArray[np.floating], truth_nits: NDArray[np.floating]) -> Picture:
    """Map the prediction's tones and colours to the truth's.

    Args:
        prediction_nits: H x W x 3 BT.709, cd/m2.
        truth_nits: The same.

    Returns:
        The prediction, H x W x 3 in cd/m2.
    """
    test, truth = (
        _luminance_chromaticity(np.maximum(picture.reshape(-1, 3).astype(np.float64), _DARKEST_NITS))
        for picture in (prediction_nits, truth_nits)
    )
    tones = _fitted(_pq(test[:, :1]), _pq(truth[:, :1]), pull=0)
    colours = _fitted(test[:, 1:], truth[:, 1:], pull=_PULL)
    luminance = _inverse_pq(np.clip(tones, _pq(np.array(_DARKEST_NITS)), _pq(np.array(_BRIGHTEST_NITS))))
    chromaticity = np.maximum(colours, _DARKEST_NITS)
    return _light(np.concatenate([luminance, chromaticity], axis=1)).reshape(prediction_nits.shape)


def _fitted(x: Picture, y: Picture, *, pull: float) -> Picture:
    """Give the polynomial of x (N x channels) that is nearest to y; `pull` draws its terms towards those of y = x."""
    linear = slice(1, 1 + x.shape[1])
    terms = np.concatenate([np.ones_like(x[:, :1]), *(x**degree for degree in range(1, _DEGREE + 1))], axis=1)
    if x.shape[1] == 2:
        terms = np.concatenate([terms, x[:, :1] * x[:, 1:]], axis=1)
    identity = np.zeros((terms.shape[1], x.shape[1]))
    identity[linear] = np.eye(x.shape[1])
    weight = np.sqrt(pull * len(x) / terms.shape[1])
    # Ridge regression as rows of its own: more exact than the normal equations, and flat pictures have a solution.
    triangle = np.asarray(np.linalg.qr(np.concatenate([terms, y], axis=1), mode="r"))
    reduced, target = triangle[:, : terms.shape[1]], triangle[:, terms.shape[1] :]
    rows = np.concatenate([reduced, weight * np.eye(terms.shape[1])])
    coefficients = np.linalg.lstsq(rows, np.concatenate([target, weight * identity]), rcond=None)[0]
    return np.asarray(terms @ coefficients)


def _pq(nits: Picture) -> Picture:
    power = (nits / _BRIGHTEST_NITS) ** _N
    return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M)


def _inverse_pq(codes: Picture) -> Picture:
    root = codes ** (1 / _M)
    return np.asarray(_BRIGHTEST_NITS * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _N))


def _luminance_chromaticity(rgb: Picture) -> Picture:
    """Give Y, u' and v' of N x 3 RGB, the last two times 410 / 255."""
    xyz = np.clip(rgb @ _XYZ.T, *_XYZ_LIMITS)
    x, y = xyz[:, 0] / xyz.sum(axis=1), xyz[:, 1] / xyz.sum(axis=1)
    scale = _CHROMATICITY_SCALE / (-2 * x + 12 * y + 3)
    return np.stack([xyz[:, 1], 4 * x * scale, 9 * y * scale], axis=1)


def _light(luminance_chromaticity: Picture) -> Picture:
    """Invert `_luminance_chromaticity`; what lies outside BT.709 loses its negative light."""
    luminance = luminance_chromaticity[:, 0]
    u, v = luminance_chromaticity[:, 1:].T / _CHROMATICITY_SCALE
    scale = 6 * u - 16 * v + 12
    x, y = 9 * u / scale, 4 * v / scale
    xyz = np.stack([x / y * luminance, luminance, (1 - x - y) / y * luminance], axis=1)
    return np.asarray(np.maximum(np.clip(xyz, *_XYZ_LIMITS) @ _RGB.T, 0))


def _corrected(pair: Pair) -> Picture:
    return correct_response(pair.prediction, pair.known_truth)


_SOURCE = "Hanji et al. 2022; Mantiuk and Azimi 2021"
METRICS = (
    replace(
        PU21_PSNR,
        id="pu21_psnr_crf",
        name="PU21-PSNR, response corrected",
        source=_SOURCE,
        open=plain(lambda pair: pu21_psnr(pair.once(_corrected), pair.known_truth)),
        symmetric=False,
        usual=False,
    ),
    replace(
        PU21_SSIM,
        id="pu21_ssim_crf",
        name="PU21-SSIM, response corrected",
        source=_SOURCE,
        open=plain(lambda pair: pu21_ssim(pair.once(_corrected), pair.known_truth)),
        symmetric=False,
        usual=False,
    ),
)
