"""Convolutions that see blocks of pixels as channels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

_SIDE = 3


class UnshuffleConv2d(nn.Conv2d):
    """A 3 x 3 convolution of `F.pixel_unshuffle(x, factor)`, and that one's parameters, which moves no pixels.

    It is the convolution of `factor` times the side and stride, which takes half the time of both on a CPU.

    Args:
        in_channels: Channels of x, before they are unshuffled.
        out_channels: Channels of the result.
        factor: Side of a block; both sides of x are multiples of it.
    """

    def __init__(self, in_channels: int, out_channels: int, factor: int) -> None:
        super().__init__(in_channels * factor**2, out_channels, _SIDE, padding=1)
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to N x C_out x H/factor x W/factor."""
        side = _SIDE * self.factor
        blocks = self.weight.reshape(len(self.weight), -1, self.factor, self.factor, _SIDE, _SIDE)
        weight = blocks.permute(0, 1, 4, 2, 5, 3).reshape(len(self.weight), -1, side, side)
        return F.conv2d(x, weight, self.bias, stride=self.factor, padding=self.factor)
