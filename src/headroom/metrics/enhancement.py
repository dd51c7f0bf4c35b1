"""Scores of an enhanced photo against the picture it should be, as papers on exposure correction report them.

Both pictures are 8-bit sRGB codes as a file holds them; nothing is fitted, cropped or turned to grey.

- PSNR: 10 log10(255² / MSE) over all pixels and channels.
- SSIM: 11 x 11 Gaussian windows of sigma 1.5 that lie wholly in the picture; C1 and C2 of Wang et al. 2004 for codes
  from 0 to 255; the mean over windows and channels. Papers differ here, and other numbers come of the uniform 7 x 7
  windows that scikit-image takes unasked, or of grey pictures.

The score of a data set is the mean over its images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from headroom.errors import UsageError
from headroom.image import FloatImage
from headroom.metrics.contract import Metric, Pair, plain
from headroom.metrics.psnr import psnr
from headroom.metrics.ssim import ssim_map

_TOP_CODE = 255.0


@dataclass(frozen=True, slots=True)
class EnhanceScore:
    """Scores of one image; higher is better.

    Attributes:
        psnr: PSNR, dB; inf for identical pictures.
        ssim: SSIM; nan for a picture below 11 px.
    """

    psnr: float
    ssim: float


def score_enhancement(prediction: NDArray[np.uint8], truth: NDArray[np.uint8]) -> EnhanceScore:
    """Score an enhanced photo.

    Args:
        prediction: H x W x 3 sRGB codes.
        truth: The same of the picture it should be.

    Raises:
        UsageError: Pictures of other types or shapes.
    """
    for name, picture in (("prediction", prediction), ("truth", truth)):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
            raise UsageError(f"{name}: {picture.dtype} of shape {picture.shape}. Give H x W x 3 codes of uint8.")
    if prediction.shape != truth.shape:
        raise UsageError(f"prediction {prediction.shape}, truth {truth.shape}. Give pictures of one size.")
    codes, true_codes = prediction.astype(np.float64), truth.astype(np.float64)
    windows = ssim_map(codes, true_codes, _TOP_CODE, border="inside")
    return EnhanceScore(
        psnr=psnr(float(np.square(codes - true_codes).mean()), _TOP_CODE),
        ssim=float(windows.mean()) if windows.size else float("nan"),
    )


def mean_enhance_scores(scores: Sequence[EnhanceScore]) -> dict[str, float]:
    """Give the means over images; nan where there is none."""
    return {
        field.name: float(np.mean([getattr(score, field.name) for score in scores])) if scores else float("nan")
        for field in fields(EnhanceScore)
    }


def _codes(picture: FloatImage) -> NDArray[np.uint8]:
    return np.asarray(np.rint(picture * np.float32(_TOP_CODE)), np.uint8)


def _all(pair: Pair) -> EnhanceScore:
    return score_enhancement(_codes(pair.prediction), _codes(pair.known_truth))


_PSNR = Metric(
    id="psnr",
    name="PSNR",
    direction="higher",
    domain="srgb",
    unit="dB",
    limits=(-np.inf, np.inf),
    source="headroom.metrics.enhancement",
    open=plain(lambda pair: pair.once(_all).psnr),
    symmetric=True,
    usual=True,
)
METRICS = (
    _PSNR,
    replace(
        _PSNR,
        id="ssim",
        name="SSIM",
        unit="",
        limits=(-1, 1),
        source="Wang et al. 2004; headroom.metrics.enhancement",
        open=plain(lambda pair: pair.once(_all).ssim),
    ),
)
