"""What both regressors are: an encoder and a decoder with skips, and a head that says where they err."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.gmodiff.gain import decode_gain


class Regression(NamedTuple):
    """A regressed gain map.

    Attributes:
        gain: N x 3 x H x W gain over the reference; see `encode_gain`.
        base: N x 3 x H x W code values of the reference.
        unreliable: N x 1 x H x W logits of the chance that the light of `gain` is wrong.
        features: N x C x h x w, the smallest of what the regressor saw.
    """

    gain: Tensor
    base: Tensor
    unreliable: Tensor
    features: Tensor

    @property
    def light(self) -> Tensor:
        """N x 3 x H x W linear light in the units of `MergeInput`, 0 to 1."""
        return decode_gain(self.gain.float(), self.base).clamp(0, 1)

    @property
    def doubt(self) -> Tensor:
        """N x 1 x H x W chance that the regressed light is wrong, 0 to 1."""
        return torch.sigmoid(self.unreliable.float())


class Encoded(NamedTuple):
    """What an encoder makes of features.

    Attributes:
        bottom: N x C x h x w at the smallest size.
        skips: Features at the larger sizes, the largest first.
    """

    bottom: Tensor
    skips: list[Tensor]


class Regressor(nn.Module):
    """Base of both regressors; its layers have the names of the released checkpoint.

    Args:
        channels: Width at each size, the largest size first; one more than the others are long.
        factors: How many times smaller each next size is.
        blocks_down: Blocks of the encoder at each size.
        blocks_up: Blocks of the decoder at each size, the smallest size first.
        mask_channels: Width of the head that finds what is unreliable.
        block: Makes a block from its number of channels.

    Attributes:
        features_channels: Channels of `Regression.features`.
        features_factor: How many times smaller than the frames these are.
    """

    def __init__(
        self,
        channels: Sequence[int],
        factors: Sequence[int],
        blocks_down: Sequence[int],
        blocks_up: Sequence[int],
        mask_channels: int,
        block: Callable[[int], nn.Module],
    ) -> None:
        super().__init__()
        self.features_channels, self.features_factor = channels[-1], math.prod(factors)
        steps = list(zip(channels[:-1], channels[1:], factors, strict=True))  # (larger, smaller, factor)
        self.encoders = nn.ModuleList(_row(block, c, n) for c, n in zip(channels[:-1], blocks_down, strict=True))
        self.downs = nn.ModuleList(nn.Sequential(nn.Conv2d(c, d, k, stride=k)) for c, d, k in steps)
        self.middle_blks = _row(block, channels[-1], 1)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(d, c * k * k, 1, bias=False), nn.PixelShuffle(k)) for c, d, k in reversed(steps)
        )
        self.decoders = nn.ModuleList(_row(block, c, n) for c, n in zip(channels[-2::-1], blocks_up, strict=True))
        self.encoder_adapt_convs = nn.ModuleList(nn.Conv2d(c, mask_channels, 1) for c in channels[:-1])
        self.seg_conv_layers = nn.Sequential(
            nn.Conv2d(mask_channels * len(factors), 2 * mask_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * mask_channels, mask_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(mask_channels, 1, 1),
        )

    def forward(self, inputs: MergeInput) -> Regression:
        """Regress the gain maps of N brackets."""
        raise NotImplementedError

    def learn(self, *, mask: bool) -> None:
        """Let the mask head learn, and nothing else, or all but the mask head."""
        self.requires_grad_(not mask)
        self.encoder_adapt_convs.requires_grad_(mask)
        self.seg_conv_layers.requires_grad_(mask)

    def encode(self, x: Tensor) -> Encoded:
        """Take features to the smallest size."""
        skips = []
        for blocks, down in zip(self.encoders, self.downs, strict=True):
            x = blocks(x)
            skips.append(x)
            x = down(x)
        return Encoded(self.middle_blks(x), skips)

    def decode(self, encoded: Encoded) -> Tensor:
        """Take features back to the largest size."""
        x = encoded.bottom
        for up, blocks, skip in zip(self.ups, self.decoders, reversed(encoded.skips), strict=True):
            x = blocks(up(x) + skip)
        return x

    def doubt(self, skips: Sequence[Tensor]) -> Tensor:
        """Give the logits of what is unreliable at the largest size, N x 1 x H x W."""
        size = skips[0].shape[-2:]
        adapted = (adapt(skip) for adapt, skip in zip(self.encoder_adapt_convs, skips, strict=True))
        enlarged = [F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in adapted]
        logits: Tensor = self.seg_conv_layers(torch.cat(enlarged, dim=1))
        return logits


def _row(block: Callable[[int], nn.Module], channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(block(channels) for _ in range(count)))
