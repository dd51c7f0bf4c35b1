"""PSNR and SSIM of log(1 + light), stretched so that the truth spans [-1, 1]: how the slides of the hybrid autoencoder
report their network.

Light is in units of the photo's white, where the slides do not tell their unit, so the numbers stand beside theirs and
not among them. "As released" takes a peak of 1 although the range is 2, as the released code does: 6.02 dB less.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headroom.metrics.contract import Metric, Pair, plain
from headroom.metrics.psnr import psnr
from headroom.metrics.ssim import ssim_map

_RANGE = 2.0

Picture = NDArray[np.float64]


def log_range(pair: Pair) -> tuple[Picture, Picture]:
    """Give prediction and truth, H x W x 3, the truth in [-1, 1]; a truth of one level becomes -1."""
    prediction, truth = (np.log1p(light.astype(np.float64)) for light in (pair.prediction, pair.known_truth))
    darkest, span = truth.min(), np.ptp(truth)
    stretched = [2 * (picture - darkest) / (span if span > 0 else 1.0) - 1 for picture in (prediction, truth)]
    return stretched[0], stretched[1]


def _psnr(pair: Pair, peak: float) -> float:
    prediction, truth = pair.once(log_range)
    return psnr(float(np.square(prediction - truth).mean()), peak)


def _ssim(pair: Pair) -> float:
    windows = ssim_map(*pair.once(log_range), _RANGE, border="inside")
    return float(windows.mean()) if windows.size else float("nan")


_PSNR_LOG = Metric(
    id="psnr_log1p",
    name="PSNR of log light",
    direction="higher",
    domain="light",
    unit="dB",
    limits=(-np.inf, np.inf),
    source="hybrid autoencoder, slides; headroom.metrics.log_range",
    open=plain(lambda pair: _psnr(pair, _RANGE)),
)
METRICS = (
    _PSNR_LOG,
    replace(
        _PSNR_LOG,
        id="psnr_log1p_released",
        name="PSNR of log light, as released",
        open=plain(lambda pair: _psnr(pair, 1.0)),
    ),
    replace(_PSNR_LOG, id="ssim_log1p", name="SSIM of log light", unit="", limits=(-1, 1), open=plain(_ssim)),
)
