"""Scores of one photo's expansion against the true scene: the scorer of Headroom's `expand` tables.

Absolute brightness and tone cannot be known from one photo, so both are taken out first, in stated ways:

- stops: one gain, the median ratio over well-exposed pixels, is fitted; then the root mean square error of log2
  luminance over the clipped pixels.
- PU21-PSNR: a cubic of log2 luminance, fitted by least squares over all pixels, maps the prediction's tones to the
  truth's; colour ratios are kept. Both are scaled so that the truth's brightest value is 1000 cd/m2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headroom.colour.transfer import decode
from headroom.image import FloatImage
from headroom.metrics.pu21 import pu21_psnr

CLIPPED_CODE = 250 / 255
"""A pixel whose largest channel reaches this share of full scale counts as clipped, JPEG noise allowed for."""

_DARK_CODE = 16 / 255
_FLOOR = 2.0**-14
_PEAK_NITS = 1000.0
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, slots=True)
class ExpansionScore:
    """Scores of one image.

    Attributes:
        clipped_share: Share of the pixels that are clipped in the photo.
        stops: RMSE of log2 luminance over clipped pixels, lower is better.
        pu21_psnr: PU21-PSNR over all pixels in dB, higher is better.
        pu21_psnr_clipped: The same over clipped pixels.
    """

    clipped_share: float
    stops: float
    pu21_psnr: float
    pu21_psnr_clipped: float


def score_expansion(prediction: FloatImage, truth: FloatImage, codes: FloatImage) -> ExpansionScore:
    """Score an expanded photo.

    Args:
        prediction: H x W x 3 linear, any scale.
        truth: H x W x 3 linear, any scale.
        codes: H x W x 3, the photo's code values in [0, 1].
    """
    largest = codes.max(axis=2)
    clipped = largest >= CLIPPED_CODE
    measured = ~clipped & (codes.min(axis=2) >= _DARK_CODE)
    linear = decode(codes, "srgb")
    truth = truth * np.float32(np.exp2(-_median_log2_ratio(truth, linear, measured)))
    prediction = prediction * np.float32(np.exp2(-_median_log2_ratio(prediction, truth, measured)))
    error = (_log2_luminance(prediction) - _log2_luminance(truth))[clipped]
    nits = _PEAK_NITS / max(float(truth.max()), _FLOOR)
    matched = match_tones(prediction, truth) * nits
    return ExpansionScore(
        clipped_share=float(clipped.mean()),
        stops=float(np.sqrt(np.mean(error**2))) if error.size else float("nan"),
        pu21_psnr=pu21_psnr(matched, truth * nits),
        pu21_psnr_clipped=pu21_psnr(matched, truth * nits, clipped),
    )


def mean_scores(scores: Sequence[ExpansionScore]) -> dict[str, float]:
    """Give the means over images, and the 90th percentile of the stops; nan where no image has a value.

    A photo that clips nowhere counts only in `pu21_psnr`.
    """
    stops = _defined([score.stops for score in scores])
    return {
        "stops": float(np.mean(stops)),
        "stops_p90": float(np.percentile(stops, 90)),
        "pu21_psnr": float(np.mean(_defined([score.pu21_psnr for score in scores]))),
        "pu21_psnr_clipped": float(np.mean(_defined([score.pu21_psnr_clipped for score in scores]))),
    }


def _defined(values: list[float]) -> list[float]:
    return [value for value in values if not np.isnan(value)] or [float("nan")]


def match_tones(prediction: FloatImage, truth: FloatImage) -> NDArray[np.float64]:
    """Map the prediction's log2 luminance to the truth's by the least-squares cubic; keep its colour ratios."""
    predicted_log2, true_log2 = _log2_luminance(prediction), _log2_luminance(truth)
    # With `full`, a flat picture, which many cubics fit, gets the smallest of them and no warning.
    fit, _ = np.polynomial.Polynomial.fit(predicted_log2.ravel(), true_log2.ravel(), 3, full=True)
    shift = fit(predicted_log2) - predicted_log2
    return np.asarray(prediction * np.exp2(shift)[..., None], dtype=np.float64)


def _log2_luminance(image: FloatImage) -> NDArray[np.float64]:
    return np.asarray(np.log2(np.maximum(image.astype(np.float64) @ _LUMINANCE, _FLOOR)))


def _median_log2_ratio(image: FloatImage, reference: FloatImage, where: NDArray[np.bool_]) -> float:
    """Stops by which `image` is brighter than `reference`; 0 when there is nowhere to compare."""
    return float(np.median((_log2_luminance(image) - _log2_luminance(reference))[where])) if where.any() else 0.0
