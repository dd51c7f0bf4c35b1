"""The gain map: how much light there is over the reference's own picture, log-compressed (GMODiff eq. 3.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MU = 100.0
OFFSET = 1 / 64


def encode_gain(light: Tensor, base: Tensor) -> Tensor:
    """Give the gain of light >= 0 over a picture; 1 where the two, as numbers, differ by `OFFSET` alone.

    Args:
        light: Linear light. In the units of `MergeInput` the gain stays within 0 to 1, because light is then at most
            the code that the reference gives it; for other units see `safe_unit`.
        base: The reference's code values in [0, 1], of a shape that broadcasts with `light`.
    """
    return torch.log1p(MU * (light / (base + OFFSET))) / math.log1p(MU)


def decode_gain(gain: Tensor, base: Tensor) -> Tensor:
    """Give the light of a gain over a picture; the inverse of `encode_gain`."""
    return (base + OFFSET) * (torch.expm1(gain * math.log1p(MU)) / MU)


def safe_unit(light: Tensor, base: Tensor) -> Tensor:
    """Give what to divide light of any scale by, N x 1 x 1 x 1, so that its gain over `base` stays within 0 to 1.

    It is 1 where that is so already. Whoever stores the gain has to store it too.
    """
    return (light / (base + OFFSET)).amax((1, 2, 3), keepdim=True).clamp(min=1)
