"""What a pixel's neighbours hold."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def most_of_neighbours(x: Tensor) -> Tensor:
    """Give the maximum of windows of 3 x 3 pixels of N x C x H x W; many times as fast as torch's pooling on a CPU."""
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = torch.maximum(torch.maximum(x[..., :-2], x[..., 1:-1]), x[..., 2:])
    return torch.maximum(torch.maximum(x[..., :-2, :], x[..., 1:-1, :]), x[..., 2:, :])
