"""Scores of a merged bracket against the true scene, in the conventions of Kalantari and Ramamoorthi 2017 and after.

Light is linear and 1.0 is the clip level of the shortest frame, for prediction and truth alike; nothing is fitted,
clipped, cropped or rounded. "mu" stands for the tone curve log(1 + 5000 x) / log(5001), "l" for linear light.

- PSNR: 10 log10(1 / MSE) over all pixels and channels.
- SSIM: values times 255, held in [0, 255]; 11 x 11 Gaussian windows of sigma 1.5 that lie wholly in the picture; C1 and
  C2 of Wang et al. 2004; the mean over pixels and channels. This is what the field's tables hold; "8-bit" rounds to
  codes first, as some public scorers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from headroom.colour.tone_mapping import mu_law
from headroom.errors import UsageError
from headroom.image import FloatImage
from headroom.metrics.contract import Measure, Metric, Pair, plain
from headroom.metrics.psnr import psnr
from headroom.metrics.ssim import WINDOW_PX, Picture, ssim_map

_BRIGHTEST = 2.0


@dataclass(frozen=True, slots=True)
class MergeScore:
    """Scores of one image; higher is better.

    Attributes:
        psnr_mu: PSNR after the mu-law curve, dB; inf for identical pictures.
        psnr_l: PSNR of linear light, dB.
        ssim_mu: SSIM after the mu-law curve.
        ssim_l: SSIM of linear light.
        psnr_mu_masked: `psnr_mu` over the mask; nan where it is empty or there is none.
        psnr_l_masked: `psnr_l` over the mask.
        ssim_mu_masked: Mean of the windows of `ssim_mu` whose centre lies in the mask.
        ssim_l_masked: The same of `ssim_l`.
    """

    psnr_mu: float
    psnr_l: float
    ssim_mu: float
    ssim_l: float
    psnr_mu_masked: float
    psnr_l_masked: float
    ssim_mu_masked: float
    ssim_l_masked: float


def score_merge(prediction: FloatImage, truth: FloatImage, mask: NDArray[np.bool_] | None = None) -> MergeScore:
    """Score a merged bracket.

    Args:
        prediction: H x W x 3 float, linear light in [0, 1]; up to 2 is let pass and counts as error.
        truth: H x W x 3 float, linear light in [0, 1].
        mask: H x W, pixels that the masked scores are about.

    Raises:
        UsageError: Codes instead of light, another unit of light, NaN, or sizes that differ.
    """
    light = _checked(prediction, "prediction"), _checked(truth, "truth")
    if light[0].shape != light[1].shape:
        raise UsageError(f"prediction {prediction.shape}, truth {truth.shape}. Give pictures of one size.")
    inside = np.zeros(truth.shape[:2], np.bool_) if mask is None else mask
    if inside.shape != truth.shape[:2] or inside.dtype != np.bool_:
        raise UsageError(f"mask {inside.shape} of {inside.dtype}, truth {truth.shape}. Give an H x W mask of bool.")
    toned = [mu_law(picture).astype(np.float64) for picture in light]
    error_mu, error_l = (toned[0] - toned[1]) ** 2, (light[0] - light[1]) ** 2
    windows_mu, windows_l = _ssim_windows(*toned), _ssim_windows(*light)
    border = WINDOW_PX // 2
    centres = inside[border : border + windows_l.shape[0], border : border + windows_l.shape[1]]
    return MergeScore(
        psnr_mu=_psnr(error_mu),
        psnr_l=_psnr(error_l),
        ssim_mu=_mean(windows_mu),
        ssim_l=_mean(windows_l),
        psnr_mu_masked=_psnr(error_mu[inside]),
        psnr_l_masked=_psnr(error_l[inside]),
        ssim_mu_masked=_mean(windows_mu[centres]),
        ssim_l_masked=_mean(windows_l[centres]),
    )


def mean_merge_scores(scores: Sequence[MergeScore]) -> dict[str, float]:
    """Give the means over the images that have a value, and the worst PSNR-mu of an image; nan where there is none."""
    means = {
        field.name: _defined_mean([getattr(score, field.name) for score in scores]) for field in fields(MergeScore)
    }
    return {**means, "psnr_mu_worst": min((score.psnr_mu for score in scores), default=float("nan"))}


def _checked(light: FloatImage, name: str) -> Picture:
    if light.ndim != 3 or light.shape[2] != 3 or not np.issubdtype(light.dtype, np.floating):
        raise UsageError(f"{name}: {light.dtype} of shape {light.shape}. Give H x W x 3 floats of linear light.")
    # A NaN passes neither comparison.
    if not (light.min() >= 0 and light.max() <= _BRIGHTEST):
        raise UsageError(
            f"{name}: values from {light.min():g} to {light.max():g}, but only 0 to {_BRIGHTEST:g} is light in units "
            "of the shortest frame's clip level. Scale it."
        )
    return light.astype(np.float64)


def _ssim_windows(one: Picture, other: Picture) -> Picture:
    """Give the SSIM of every whole window: H - 10 x W - 10 x 3; empty for smaller pictures."""
    return ssim_map(np.clip(one * 255, 0, 255), np.clip(other * 255, 0, 255), 255, border="inside")


def _psnr(squared_error: Picture) -> float:
    return psnr(_mean(squared_error), peak=1)


def _mean(values: Picture) -> float:
    return float(values.mean()) if values.size else float("nan")


def _defined_mean(values: list[float]) -> float:
    return _mean(np.array([value for value in values if not np.isnan(value)]))


def _all(pair: Pair) -> MergeScore:
    return score_merge(pair.prediction, pair.known_truth, pair.mask)


def _ssim_mu_8bit(pair: Pair) -> float:
    return _mean(_ssim_windows(*(_rounded(mu_law(light)) for light in (pair.prediction, pair.known_truth))))


def _ssim_l_8bit(pair: Pair) -> float:
    return _mean(_ssim_windows(_rounded(pair.prediction), _rounded(pair.known_truth)))


def _rounded(picture: NDArray[np.floating]) -> Picture:
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 255) / 255, np.float64)


def _metric(name: str, measure: Measure, title: str, *, usual: bool = True) -> Metric:
    return Metric(
        id=name,
        name=title,
        direction="higher",
        domain="full-scale",
        unit="dB" if name.startswith("psnr") else "",
        limits=(-np.inf, np.inf) if name.startswith("psnr") else (-1, 1),
        source="Kalantari and Ramamoorthi 2017; SSIM: Wang et al. 2004",
        open=plain(measure),
        symmetric=True,
        takes="mask" if name.endswith("masked") else "pictures",
        usual=usual,
    )


def _of_all(name: str, title: str) -> Metric:
    return _metric(name, lambda pair: float(getattr(pair.once(_all), name)), title)


METRICS = (
    _of_all("psnr_mu", "PSNR-mu"),
    _of_all("psnr_l", "PSNR-L"),
    _of_all("ssim_mu", "SSIM-mu"),
    _of_all("ssim_l", "SSIM-L"),
    _of_all("psnr_mu_masked", "PSNR-mu, masked"),
    _of_all("psnr_l_masked", "PSNR-L, masked"),
    _of_all("ssim_mu_masked", "SSIM-mu, masked"),
    _of_all("ssim_l_masked", "SSIM-L, masked"),
    _metric("ssim_mu_8bit", _ssim_mu_8bit, "SSIM-mu of 8-bit codes", usual=False),
    _metric("ssim_l_8bit", _ssim_l_8bit, "SSIM-L of 8-bit codes", usual=False),
)
