"""Scores of an enhanced photo where the photo shows nothing, and where it does.

The unknown region is that of `headroom.restore.unknown`: pixels all of whose channels are blown, or all crushed. There
a method can only guess, so its likeness to the truth says less than whether it is as sharp as a photograph is.

- PSNR, SSIM: as over the whole picture; of SSIM, windows whose centre lies in the region.
- Sharpness: the mean gradient of the grey codes, over pixels whose neighbours are unknown too; how many times it is
  that of the truth, or the truth's is it, in stops. A picture that is blurred and one that is noisy are both off.
- Change: the largest difference, in codes, from the picture that was refined, anywhere outside of the region and its
  border (`with_border`). What is made up fades in inside of them, so nothing may change there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage
from headroom.metrics.brisque_features import grey_codes
from headroom.metrics.contract import Metric, Pair, plain
from headroom.metrics.psnr import psnr
from headroom.metrics.ssim import WINDOW_PX, ssim_map
from headroom.restore.unknown import with_border

_TOP_CODE = 255.0
_FAINT = 0.5
"""Mean gradient, in codes, that is added on both sides, so that two pictures that are all but flat are alike."""


@dataclass(frozen=True, slots=True)
class RegionScore:
    """Scores of one image; nan over a region that is empty.

    Attributes:
        psnr_unknown: PSNR over the unknown region, dB.
        psnr_known: PSNR over the rest.
        ssim_unknown: Mean of the windows of SSIM whose centre lies in the unknown region.
        ssim_known: The same of the rest.
    """

    psnr_unknown: float
    psnr_known: float
    ssim_unknown: float
    ssim_known: float


def score_regions(prediction: FloatImage, truth: FloatImage, unknown: NDArray[np.bool_]) -> RegionScore:
    """Score an enhanced photo apart in what is known and what is not.

    Args:
        prediction: H x W x 3 code values in [0, 1].
        truth: The same of the picture it should be.
        unknown: H x W.
    """
    codes, true_codes = (picture.astype(np.float64) * _TOP_CODE for picture in (prediction, truth))
    error = np.square(codes - true_codes)
    windows = ssim_map(codes, true_codes, _TOP_CODE, border="inside")
    edge = WINDOW_PX // 2
    centres = unknown[edge : edge + windows.shape[0], edge : edge + windows.shape[1]]
    return RegionScore(
        psnr_unknown=psnr(_mean(error[unknown]), _TOP_CODE),
        psnr_known=psnr(_mean(error[~unknown]), _TOP_CODE),
        ssim_unknown=_mean(windows[centres]),
        ssim_known=_mean(windows[~centres]),
    )


def sharpness_error(prediction: FloatImage, truth: FloatImage, unknown: NDArray[np.bool_]) -> float:
    """Give by how many stops the gradients of the unknown region are off, 0 or more; see the top of this file."""
    inner = cv2.erode(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    ours, true = (_mean(_gradient(picture)[inner]) + _FAINT for picture in (prediction, truth))
    return abs(float(np.log2(ours / true)))


def known_change(prediction: FloatImage, base: FloatImage, unknown: NDArray[np.bool_]) -> float:
    """Give the largest difference in codes from the refined picture where it had to stay; nan where it nowhere had."""
    change = np.abs(prediction - base)[with_border(unknown.astype(np.uint8)) == 0]
    return float(change.max() * _TOP_CODE) if change.size else float("nan")


def _gradient(picture: FloatImage) -> NDArray[np.float64]:
    down, across = np.gradient(grey_codes(picture))
    return np.asarray(np.hypot(down, across))


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _all(pair: Pair) -> RegionScore:
    return score_regions(pair.prediction, pair.known_truth, pair.known_mask)


_PSNR = Metric(
    id="psnr_unknown",
    name="PSNR, unknown",
    direction="higher",
    domain="srgb",
    unit="dB",
    limits=(-np.inf, np.inf),
    source="headroom.metrics.enhancement_regions",
    open=plain(lambda pair: pair.once(_all).psnr_unknown),
    symmetric=True,
    takes="mask",
    usual=True,
)
_SSIM = replace(
    _PSNR,
    id="ssim_unknown",
    name="SSIM, unknown",
    unit="",
    limits=(-1, 1),
    open=plain(lambda pair: pair.once(_all).ssim_unknown),
)
METRICS = (
    _PSNR,
    replace(_PSNR, id="psnr_known", name="PSNR, known", open=plain(lambda pair: pair.once(_all).psnr_known)),
    _SSIM,
    replace(_SSIM, id="ssim_known", name="SSIM, known", open=plain(lambda pair: pair.once(_all).ssim_known)),
    Metric(
        id="sharpness_unknown",
        name="sharpness off, unknown",
        direction="lower",
        domain="srgb",
        unit="stops",
        limits=(0, np.inf),
        source="headroom.metrics.enhancement_regions",
        open=plain(lambda pair: sharpness_error(pair.prediction, pair.known_truth, pair.known_mask)),
        symmetric=True,
        takes="mask",
        usual=True,
    ),
    Metric(
        id="unknown_share",
        name="unknown share of the photo",
        direction="lower",
        domain="srgb",
        unit="%",
        limits=(0, 100),
        source="headroom.restore.unknown",
        open=plain(lambda pair: 100 * float(pair.known_mask.mean())),
        compares=False,
        takes="mask",
        usual=True,
    ),
    Metric(
        id="known_change",
        name="change of what is known",
        direction="lower",
        domain="srgb",
        unit="codes",
        limits=(0, 255),
        source="headroom.metrics.enhancement_regions",
        open=plain(lambda pair: known_change(pair.prediction, pair.known_base, pair.known_mask)),
        compares=False,
        takes="base",
        usual=True,
    ),
)
