"""The block without activation functions of which DaReg is made (NAFNet, Chen et al. 2022)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_EPSILON = 1e-6


class LayerNorm2d(nn.Module):
    """Normalise the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        channels_last = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, _EPSILON)
        return channels_last.permute(0, 3, 1, 2)


class NAFBlock(nn.Module):
    """Gated depthwise convolution with channel attention, then gated mixing of channels, both on scaled skips."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        doubled = 2 * channels
        self.norm1 = LayerNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, doubled, 1)
        self.conv2 = nn.Conv2d(doubled, doubled, 3, padding=1, groups=doubled)
        self.sca = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1))
        self.conv3 = nn.Conv2d(channels, channels, 1)
        self.norm2 = LayerNorm2d(channels)
        self.conv4 = nn.Conv2d(channels, doubled, 1)
        self.conv5 = nn.Conv2d(channels, channels, 1)
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        gated = _gate(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.beta * self.conv3(gated * self.sca(gated))
        mixed: Tensor = self.conv5(_gate(self.conv4(self.norm2(x))))
        return x + self.gamma * mixed


def _gate(x: Tensor) -> Tensor:
    one, other = x.chunk(2, dim=1)
    return one * other
