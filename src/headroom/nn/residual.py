"""The residual block of the networks that merge."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        change: Tensor = self.conv2(F.leaky_relu(self.conv1(x), 0.1))
        return x + change


def residual_blocks(channels: int, count: int) -> nn.Sequential:
    """Make some of them in a row."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))
