"""The last layers of the compact refiner: what latents say changes the regressed map, and only where that may err."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.nn.residual import residual_blocks
from headroom.nn.unshuffle import UnshuffleConv2d

_SEEN = 22
"""Channels of three frames, of two maps, of the way between them, of the bound and of the doubt."""
_BLOCKS = 2
_DOUBT = (1.0, 4.0)
"""What the logits of doubt are multiplied by and what is added to them at first: one chance in fifty opens half."""
_STEEP = 2.0
"""What the change is multiplied by before its bound, so that it learns faster than other layers."""


class Residual(nn.Module):
    """Find the change of a gain map by decoded features: towards another map, and beyond it.

    At first it goes as far as it is told to.

    Args:
        channels: Of the features.
        factor: How many times smaller than the map they are.
        width: Of what is between.
    """

    def __init__(self, channels: int, factor: int, width: int = 64) -> None:
        super().__init__()
        self.factor = factor
        self.of_features = nn.Conv2d(channels, width, 3, padding=1)
        self.of_pixels = UnshuffleConv2d(_SEEN, width, factor)
        self.between = residual_blocks(width, _BLOCKS)
        self.change = nn.Conv2d(width, 6 * factor**2, 3, padding=1)
        self.doubt = nn.Parameter(torch.tensor(_DOUBT))
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)  # type: ignore[arg-type]

    def forward(
        self,
        features: Tensor,
        frames: Tensor,
        gain: Tensor,
        expected: Tensor,
        share: Tensor,
        doubt: Tensor,
        bound: Tensor,
    ) -> Tensor:
        """Give the change, N x 3 x H x W.

        Args:
            features: N x channels x H / factor x W / factor.
            frames: N x 3 frames x 3 x H x W code values.
            gain: N x 3 x H x W map to change.
            expected: N x 3 x H x W another map, of the reference alone.
            share: N x 3 x H x W share of the way from one to the other to go at first.
            doubt: N x 1 x H x W logits of the chance that `gain` is wrong.
            bound: N x 3 x H x W largest change in each of the two ways.
        """
        seen = torch.cat((frames.flatten(1, 2), gain, expected, share, bound, torch.sigmoid(doubt)), dim=1)
        x = F.silu(self.of_features(features) + self.of_pixels(seen))
        x = self.change(F.silu(self.between(x)))
        towards, beyond = torch.tanh(_STEEP * F.pixel_shuffle(x, self.factor).float()).chunk(2, dim=1)
        way = torch.minimum(torch.maximum(expected - gain, -bound), bound)
        return self.gate(doubt) * ((share + towards) * way + beyond * bound)

    def gate(self, doubt: Tensor) -> Tensor:
        """Say how far the map may be changed, 0 to 1."""
        factor, more = self.doubt.unbind()
        return torch.sigmoid(factor * doubt + more)
