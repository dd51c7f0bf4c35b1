"""The published preparation of training pairs, and its exact inverse.

Pictures are N x 3 x H x W (batches) or 3 x H x W (one pair), RGB on both sides; the released code has the HDR in BGR.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from headroom.nn.mobilenet_v3 import IMAGENET_DEVIATION, IMAGENET_MEAN

LdrVariant = Literal["recommended", "released"]

_BT709 = (0.2126, 0.7152, 0.0722)
_BT601 = (0.299, 0.587, 0.114)


class LogRange(NamedTuple):
    """Smallest and largest log(1 + H) of each picture, N x 1 x 1 x 1."""

    minimum: Tensor
    maximum: Tensor


def normalise_hdr(hdr: Tensor) -> tuple[Tensor, LogRange]:
    """Map N x 3 x H x W radiance >= 0 to min-max normalised log(1 + H) in [-1, 1], per picture.

    The slides' formula divides by the maximum alone and adds 1e-6; this is the released code's, which does reach both
    ends. A picture of one value becomes -1.
    """
    logarithm = torch.log1p(hdr)
    log_range = LogRange(*(bound.view(-1, 1, 1, 1) for bound in logarithm.flatten(1).aminmax(dim=1)))
    span = log_range.maximum - log_range.minimum
    return 2 * (logarithm - log_range.minimum) / torch.where(span > 0, span, 1) - 1, log_range


def restore_hdr(encoded: Tensor, log_range: LogRange) -> Tensor:
    """Invert `normalise_hdr`; the released code adds 1 where it must subtract it, and leaves out the range."""
    return torch.expm1((encoded + 1) / 2 * (log_range.maximum - log_range.minimum) + log_range.minimum)


def normalise_ldr(codes: Tensor, *, variant: LdrVariant = "recommended") -> Tensor:
    """Normalise N x 3 x H x W code values in [0, 1] for the encoder.

    `recommended` is what the encoder was trained on; `released` applies 2x - 1 on top, as the released code does.
    """
    mean = codes.new_tensor(IMAGENET_MEAN).view(3, 1, 1)
    deviation = codes.new_tensor(IMAGENET_DEVIATION).view(3, 1, 1)
    normalised = (codes - mean) / deviation
    return normalised * 2 - 1 if variant == "released" else normalised


def rejection_reason(ldr: Tensor, hdr: Tensor, *, peak_limit: float = 4095.0) -> str | None:
    """Say why a pair is left out of training, or return None for one that stays.

    Args:
        ldr: 3 x H x W code values in [0, 1].
        hdr: 3 x H x W radiance in the data set's own unit.
        peak_limit: Largest radiance, itself left out: 4095 in the released code, 4096 in the slides.
    """
    if not torch.isfinite(hdr).all() or hdr.min() < 0:
        return "the HDR picture has negative or not finite values"
    if (peak := hdr.max().item()) >= peak_limit:
        return f"the HDR maximum {peak:g} is not below {peak_limit:g}"
    if (mean := luminance(hdr).mean().item()) < 0.01:
        return f"the mean HDR luminance {mean:.2g} is below 0.01"
    if (mean := 255 * grey(ldr).mean().item()) < 40:
        return f"the mean LDR grey {mean:.1f} is below 40 of 255"
    return None


def luminance(linear: Tensor) -> Tensor:
    """Return the BT.709 luminance, H x W, of 3 x H x W linear light."""
    return torch.einsum("c,chw->hw", linear.new_tensor(_BT709), linear)


def grey(codes: Tensor) -> Tensor:
    """Return the BT.601 luma, H x W, of 3 x H x W code values."""
    return torch.einsum("c,chw->hw", codes.new_tensor(_BT601), codes)
