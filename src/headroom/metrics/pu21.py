"""PU21: a perceptually uniform encoding of absolute luminance, and PSNR and SSIM in it.

Mantiuk and Azimi, "PU21: A novel perceptually uniform encoding for adapting existing quality metrics for HDR",
PCS 2021; the variant "banding_glare" that its authors recommend.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headroom.metrics.contract import Metric, plain
from headroom.metrics.psnr import psnr
from headroom.metrics.ssim import ssim_map

_P = (0.353487901, 0.3734658629, 8.277049286e-05, 0.9062562627, 0.09150303166, 0.9099517204, 596.3148142)
_DARKEST_NITS = 0.005
_BRIGHTEST_NITS = 10_000.0
_PEAK = 256.0
"""PU21 value of 100 cd/m2, the peak that the authors use for PSNR and SSIM."""

LUMINANCE = np.array([0.212656, 0.715158, 0.072186])
"""Weights of BT.709's channels, to the digits of the authors."""


def pu21_encode(luminance_nits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Encode absolute luminance in cd/m2; values outside [0.005, 10000] are clamped."""
    y = np.clip(np.asarray(luminance_nits, dtype=np.float64), _DARKEST_NITS, _BRIGHTEST_NITS)
    powered = y ** _P[3]
    ratio = (_P[0] + _P[1] * powered) / (1 + _P[2] * powered)
    return np.maximum(_P[6] * (ratio ** _P[4] - _P[5]), 0)


def pu21_psnr(
    prediction_nits: NDArray[np.floating], truth_nits: NDArray[np.floating], mask: NDArray[np.bool_] | None = None
) -> float:
    """PSNR in dB of PU21-encoded RGB, peak 256.

    Args:
        prediction_nits: H x W x 3, absolute, cd/m2.
        truth_nits: H x W x 3, absolute, cd/m2.
        mask: H x W, pixels that count; all when None.

    Returns:
        Decibels; inf for identical pictures, nan when no pixel counts.
    """
    error = (pu21_encode(prediction_nits) - pu21_encode(truth_nits)) ** 2
    counted = error if mask is None else error[mask]
    return psnr(float(counted.mean()), _PEAK) if counted.size else float("nan")


def pu21_ssim(prediction_nits: NDArray[np.floating], truth_nits: NDArray[np.floating]) -> float:
    """SSIM of PU21-encoded luminance, range 256, windows and border as in MATLAB; of H x W x 3 in cd/m2."""
    prediction, truth = (pu21_encode(picture @ LUMINANCE) for picture in (prediction_nits, truth_nits))
    return float(ssim_map(prediction, truth, _PEAK, border="replicate").mean())


PU21_PSNR = Metric(
    id="pu21_psnr",
    name="PU21-PSNR",
    direction="higher",
    domain="nits",
    unit="dB",
    limits=(-np.inf, np.inf),
    source="Mantiuk and Azimi 2021",
    open=plain(lambda pair: pu21_psnr(pair.prediction, pair.known_truth)),
    symmetric=True,
    usual=True,
)
PU21_SSIM = replace(
    PU21_PSNR,
    id="pu21_ssim",
    name="PU21-SSIM",
    unit="",
    limits=(-1, 1),
    open=plain(lambda pair: pu21_ssim(pair.prediction, pair.known_truth)),
)
PU21_PSNR_UNSEEN = replace(
    PU21_PSNR,
    id="pu21_psnr_unseen",
    name="PU21-PSNR, unseen",
    source="Mantiuk and Azimi 2021; headroom.benchmark.unseen",
    open=plain(lambda pair: pu21_psnr(pair.prediction, pair.known_truth, pair.known_unseen)),
    takes="frames",
    usual=False,
)
METRICS = (PU21_PSNR, PU21_SSIM, PU21_PSNR_UNSEEN)
