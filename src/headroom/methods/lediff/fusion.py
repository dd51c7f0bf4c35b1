"""Exposure fusion in latent space (LEDiff, section 3): what is clipped in one exposure is not in another."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Mean(nn.Module):
    """The fusion that has learned nothing."""

    def forward(self, exposures: Tensor) -> Tensor:
        """Fuse N x E x C x h x w latents of E exposures: N x C x h x w."""
        return exposures.mean(1)


class LatentFusion(nn.Module):
    """Average latents of several exposures, each value weighted by a softmax over the exposures.

    The logits are one depth-wise convolution of each exposure's own latents, the same for all. So their order does not
    matter, nor does the bias; with the weights at 0, where they start, the result is the mean. The names are the
    released ones.

    Args:
        channels: Of the latents.
        kernel: Side of the convolution; that of the released module is 1, which leaves one weight a channel.
    """

    def __init__(self, channels: int = 4, kernel: int = 1) -> None:
        super().__init__()
        self.weight_conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        nn.init.zeros_(self.weight_conv.weight)
        nn.init.constant_(self.weight_conv.bias, 1 / 3)  # type: ignore[arg-type]

    def forward(self, exposures: Tensor) -> Tensor:
        """Fuse N x E x C x h x w latents of E exposures: N x C x h x w."""
        logits = self.weight_conv(exposures.flatten(0, 1)).view_as(exposures)
        return (torch.softmax(logits, 1) * exposures).sum(1)
