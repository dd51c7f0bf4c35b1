"""Turn the network's picture, which has no scale, into a gain over the photo.

The network predicts log(1 + H) min-max normalised per picture, and the two ends of an unknown scene are unknown. The
lower one is taken as 0. The upper one, log(1 + H_peak), and the unit of H are those with which the prediction agrees
best with the photo where that is not clipped.
"""

from __future__ import annotations

import torch
from torch import Tensor

from headroom.methods.hybrid_ae.preprocessing import LogRange, restore_hdr

# Quarter stops up to the radiance from which training drops a picture.
_PEAKS = tuple(2 ** (step / 4) for step in range(49))
_USUAL_PEAK = 32.0
# Decides where the photo cannot, as in a picture of one brightness: stops of misfit per stop from the usual peak.
_PULL_TO_USUAL = 1e-3
_DARKEST = 2.0**-16
# Below it, an 8-bit photo's code steps are larger than what is to be measured.
_FIT_FROM = 2.0**-8
_FEWEST_VALUES = 256
_MOST_VALUES = 65_536


def log2_gain(predicted: Tensor, linear: Tensor, clipped: Tensor) -> Tensor:
    """Return N x 3 x H x W log2 of the predicted over the photo's linear light, finite everywhere.

    Args:
        predicted: N x 3 x H x W network output in [-1, 1].
        linear: N x 3 x H x W linear light, 1.0 = full scale.
        clipped: N x 3 x H x W share of clipped pixels.
    """
    gains = []
    for picture, light, share in zip(predicted, linear, clipped, strict=True):
        measured = (share == 0) & (light > _FIT_FROM)
        if measured.sum() < _FEWEST_VALUES:
            # Then the picture as a whole is placed around what the photo shows, its clip level for the most part.
            measured = torch.ones_like(measured)
        peak, scale = fit_peak_and_scale(picture[measured], light[measured])
        gains.append((scale * _radiance(picture, peak)).clamp_min(_DARKEST).log2() - light.clamp_min(_DARKEST).log2())
    return torch.stack(gains)


def fit_peak_and_scale(predicted: Tensor, light: Tensor) -> tuple[Tensor, Tensor]:
    """Return H_peak and the unit of H for which `predicted` agrees best with `light`.

    For each peak of a grid, the unit is the median ratio and the misfit is the median distance from it in stops. Both
    ignore up to half of the values, so that wrongly predicted regions do not count.

    Args:
        predicted: Values of the network's output in [-1, 1].
        light: As many values of the photo's linear light.
    """
    step = -(-predicted.numel() // _MOST_VALUES)
    predicted, light = predicted[::step], light[::step]
    peaks = predicted.new_tensor(_PEAKS).unsqueeze(1)  # P x 1
    stops = light.clamp_min(_DARKEST).log2() - _radiance(predicted, peaks).clamp_min(_DARKEST).log2()  # P x values
    unit = stops.median(dim=1, keepdim=True).values
    misfit = (stops - unit).abs().median(dim=1).values + _PULL_TO_USUAL * (peaks[:, 0] / _USUAL_PEAK).log2().abs()
    best = misfit.argmin()
    return peaks[best, 0], unit[best, 0].exp2()


def _radiance(predicted: Tensor, peak: Tensor) -> Tensor:
    return restore_hdr(predicted, LogRange(torch.zeros_like(peak), torch.log1p(peak)))
