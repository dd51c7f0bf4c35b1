"""Swin blocks in residual groups, as SwinIR stacks them.

Source: Liang et al. 2021, "SwinIR: Image Restoration Using Swin Transformer", section 3.2. Key names are those of its
released code.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from headroom.methods.sagiri.window_attention import WindowAttention, from_windows, to_windows


class SwinBlock(nn.Module):
    """Attention inside windows and a two-layer network at each cell, each after a norm and around a skip.

    Args:
        channels: Channels of the features.
        heads: Heads of the attention.
        side: Side of a window in cells.
        expansion: Hidden over outer channels of the two-layer network.
        shifted: Whether the windows are shifted by half their side.
        drop_path: Share of training examples that skip a branch.
    """

    def __init__(
        self, channels: int, heads: int, side: int, expansion: float, *, shifted: bool, drop_path: float
    ) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.side = side
        self.shift = side // 2 if shifted else 0
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attn = WindowAttention(channels, heads, side)
        layers = {"fc1": nn.Linear(channels, hidden), "act": nn.GELU(), "fc2": nn.Linear(hidden, channels)}
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map N x H x W x C to the same shape; `mask` is `shift_mask(H, W, side)`."""
        x = x + self.drop_path(self.attend(self.norm1(x), mask))
        return x + cast(Tensor, self.drop_path(self.mlp(self.norm2(x))))

    def attend(self, x: Tensor, mask: Tensor) -> Tensor:
        """Shift, cut, attend, put together, shift back."""
        _, h, w, _ = x.shape
        windows = to_windows(x.roll((-self.shift, -self.shift), dims=(1, 2)), self.side)
        attended = self.attn(windows, mask if self.shift else None)
        return from_windows(attended, self.side, h, w).roll((self.shift, self.shift), dims=(1, 2))


class SwinBlocks(nn.Module):
    """Swin blocks in a row, every other one shifted."""

    def __init__(self, blocks: Sequence[SwinBlock]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map N x H x W x C to the same shape."""
        for block in self.blocks:
            x = block(x, mask)
        return x


class ResidualSwinGroup(nn.Module):
    """Swin blocks and a convolution around a skip (SwinIR's RSTB)."""

    def __init__(self, channels: int, blocks: Sequence[SwinBlock]) -> None:
        super().__init__()
        self.residual_group = SwinBlocks(blocks)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map N x H x W x C to the same shape."""
        attended = self.residual_group(x, mask)
        return x + channels_last(self.conv(channels_first(attended)))


class DropPath(nn.Module):
    """Stochastic depth (Huang et al. 2016): in training, drop the branch of some examples and scale up the others."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Return N x ... with some of the N set to 0 in training, and as it is otherwise."""
        if not self.training or not self.share:
            return x
        kept = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= self.share
        return x * kept / (1 - self.share)


def channels_last(x: Tensor) -> Tensor:
    """View N x C x H x W as N x H x W x C, which linear layers and norms take."""
    return x.permute(0, 2, 3, 1)


def channels_first(x: Tensor) -> Tensor:
    """View N x H x W x C as N x C x H x W, which convolutions take."""
    return x.permute(0, 3, 1, 2)
