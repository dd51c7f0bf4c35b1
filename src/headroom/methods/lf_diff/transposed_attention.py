"""Attention between channels, whose cost grows with the picture's area alone.

Self-attention and the network after it are those of Zamir et al. 2022, "Restormer: Efficient Transformer for
High-Resolution Image Restoration", section 3; cross-attention with the prior is LF-Diff eq. 9. All of them normalise
queries and keys along the pixels, which eq. 9 does not show: without it, larger pictures would have sharper attention.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Mix each head's channels by how alike they are over all pixels."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.qkv_dwconv = nn.Conv2d(3 * channels, 3 * channels, 3, padding=1, groups=3 * channels, bias=False)
        self.project_out = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        n, c, h, w = x.shape
        of_heads = self.qkv_dwconv(self.qkv(x)).view(n, 3, self.heads, c // self.heads, h * w)
        query, key, value = of_heads.unbind(1)  # each N x heads x C / heads x HW
        query, key = F.normalize(query, dim=-1), F.normalize(key, dim=-1)
        attention = (query @ key.transpose(-2, -1) * self.temperature).softmax(-1)
        mixed: Tensor = self.project_out((attention @ value).view(n, c, h, w))
        return mixed


class CrossAttention(nn.Module):
    """Give each channel the mixture of the prior's maps that is most like it (LF-Diff eq. 9, without its skip)."""

    def __init__(self, channels: int, prior_channels: int) -> None:
        super().__init__()
        self.query = _pointwise_and_depthwise(channels)
        self.key = _pointwise_and_depthwise(prior_channels)
        self.value = _pointwise_and_depthwise(prior_channels)
        self.temperature = nn.Parameter(torch.ones(()))
        self.project_out = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor, prior: Tensor) -> Tensor:
        """Map N x C x H x W features and N x Z x H x W prior to N x C x H x W."""
        query = F.normalize(self.query(x).flatten(2), dim=-1)  # N x C x HW
        key = F.normalize(self.key(prior).flatten(2), dim=-1)  # N x Z x HW
        attention = (key @ query.transpose(1, 2) / self.temperature).softmax(1)  # N x Z x C, over the prior's maps
        mixed = attention.transpose(1, 2) @ self.value(prior).flatten(2)
        return cast(Tensor, self.project_out(mixed.view_as(x)))


class GatedFeedForward(nn.Module):
    """A two-layer network at each pixel, half of whose hidden channels gate the others."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.project_in = nn.Conv2d(channels, 2 * hidden, 1, bias=False)
        self.dwconv = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden, bias=False)
        self.project_out = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        gate, gated = self.dwconv(self.project_in(x)).chunk(2, dim=1)
        return cast(Tensor, self.project_out(F.gelu(gate) * gated))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation of each pixel's channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class TransformerBlock(nn.Module):
    """Attention and a feed-forward network, each around a skip.

    Args:
        channels: Channels of the features.
        heads: Heads of self-attention.
        expansion: Hidden over outer channels of the feed-forward network.
        prior_channels: 0 for self-attention, else the channels of the prior that is attended to.
    """

    def __init__(self, channels: int, heads: int, expansion: float, prior_channels: int = 0) -> None:
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(channels), ChannelNorm(channels)
        self.attn = CrossAttention(channels, prior_channels) if prior_channels else SelfAttention(channels, heads)
        self.ffn = GatedFeedForward(channels, expansion)

    def forward(self, x: Tensor, *prior: Tensor) -> Tensor:
        """Map N x C x H x W, and a prior where the block has channels for one, to N x C x H x W."""
        x = x + self.attn(self.norm1(x), *prior)
        return x + cast(Tensor, self.ffn(self.norm2(x)))


def _pointwise_and_depthwise(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
    )
