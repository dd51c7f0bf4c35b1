"""Pictures of any size for networks that halve them several times."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(tensor: Tensor, multiple: int, minimum_px: int = 1) -> Tensor:
    """Repeat the last row and column until both sides are multiples of `multiple` and at least `minimum_px`."""
    below, right = (-(-max(side, minimum_px) // multiple) * multiple - side for side in tensor.shape[2:])
    return F.pad(tensor, (0, right, 0, below), mode="replicate") if below or right else tensor
