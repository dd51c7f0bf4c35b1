"""Scores of one photo's expansion against the true scene: the scorer of Headroom's `expand` tables.

Absolute brightness and tone cannot be known from one photo, so both are taken out first, in stated ways:

- stops: one gain, the median ratio over well-exposed pixels, is fitted; then the root mean square error of log2
  luminance over the clipped pixels, or over the crushed ones, whose codes are all below 8 of 255.
- PU21-PSNR: a cubic of log2 luminance, fitted by least squares over all pixels, maps the prediction's tones to the
  truth's; colour ratios are kept. Both are scaled so that the truth's brightest value is 1000 cd/m2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headroom.colour.code_ends import BLOWN_CODE, CRUSHED_BELOW_CODE
from headroom.colour.transfer import decode
from headroom.image import FloatImage
from headroom.metrics.contract import DISPLAY_PEAK_NITS, Metric, Pair, plain
from headroom.metrics.pu21 import pu21_psnr

_CRUSHED_CODE = CRUSHED_BELOW_CODE / 255
_DARK_CODE = 16 / 255
_FLOOR = 2.0**-14
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
    clipped = codes.max(axis=2) >= BLOWN_CODE
    prediction, truth = align(prediction, truth, codes)
    error = (_log2_luminance(prediction) - _log2_luminance(truth))[clipped]
    nits = DISPLAY_PEAK_NITS / max(float(truth.max()), _FLOOR)
    matched = match_tones(prediction, truth) * nits
    return ExpansionScore(
        clipped_share=float(clipped.mean()),
        stops=_root_mean_square(error),
        pu21_psnr=pu21_psnr(matched, truth * nits),
        pu21_psnr_clipped=pu21_psnr(matched, truth * nits, clipped),
    )


def align(prediction: FloatImage, truth: FloatImage, codes: FloatImage) -> tuple[FloatImage, FloatImage]:
    """Scale the truth to a photo's linear light, white = 1, and the prediction to the truth.

    Both gains are median ratios over well-exposed pixels.
    """
    measured = (codes.max(axis=2) < BLOWN_CODE) & (codes.min(axis=2) >= _DARK_CODE)
    truth = truth * np.float32(np.exp2(-_median_log2_ratio(truth, decode(codes, "srgb"), measured)))
    return prediction * np.float32(np.exp2(-_median_log2_ratio(prediction, truth, measured))), truth


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


def _root_mean_square(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")


def _log2_luminance(image: FloatImage) -> NDArray[np.float64]:
    return np.asarray(np.log2(np.maximum(image.astype(np.float64) @ _LUMINANCE, _FLOOR)))


def _median_log2_ratio(image: FloatImage, reference: FloatImage, where: NDArray[np.bool_]) -> float:
    """Stops by which `image` is brighter than `reference`; 0 when there is nowhere to compare."""
    return float(np.median((_log2_luminance(image) - _log2_luminance(reference))[where])) if where.any() else 0.0


def _all(pair: Pair) -> ExpansionScore:
    return score_expansion(pair.prediction, pair.known_truth, pair.known_codes)


def _stops_crushed(pair: Pair) -> float:
    prediction, truth = align(pair.prediction, pair.known_truth, pair.known_codes)
    crushed = pair.known_codes.max(axis=2) < _CRUSHED_CODE
    return _root_mean_square((_log2_luminance(prediction) - _log2_luminance(truth))[crushed])


_IN_STOPS = Metric(
    id="stops",
    name="stops, clipped",
    direction="lower",
    domain="light",
    unit="stops",
    limits=(0, np.inf),
    source="headroom.metrics.expansion",
    open=plain(lambda pair: pair.once(_all).stops),
    takes="codes",
    usual=True,
)
_IN_DECIBELS = replace(
    _IN_STOPS,
    id="pu21_psnr_matched",
    name="PU21-PSNR, tones matched",
    direction="higher",
    unit="dB",
    limits=(-np.inf, np.inf),
    open=plain(lambda pair: pair.once(_all).pu21_psnr),
)
METRICS = (
    _IN_STOPS,
    replace(_IN_STOPS, id="stops_crushed", name="stops, crushed", open=plain(_stops_crushed)),
    _IN_DECIBELS,
    replace(
        _IN_DECIBELS,
        id="pu21_psnr_matched_clipped",
        name="PU21-PSNR, tones matched, clipped",
        open=plain(lambda pair: pair.once(_all).pu21_psnr_clipped),
    ),
)
