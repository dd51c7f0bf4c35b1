"""The sRGB curve of tensors; `headroom.colour.transfer` has it, and the others, of images."""

from __future__ import annotations

import torch
from torch import Tensor


def srgb_light(codes: Tensor) -> Tensor:
    """Turn code values in [0, 1] into linear light of the same shape (IEC 61966-2-1)."""
    return torch.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
