"""DHRNet: blocks that treat low and high frequencies apart and take up the prior (LF-Diff, section 4.1, eq. 7 to 10).

The text leaves open how many residual blocks a module has, whether it has a skip (here it has, as in the group's
HL-HDR) and how the picture is limited to [0, 1] (a sigmoid, as in AHDRNet).
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.lf_diff.alignment import AlignmentModule
from headroom.methods.lf_diff.transposed_attention import TransformerBlock
from headroom.nn.residual import residual_blocks

_HEADS, _EXPANSION = 6, 2.66  # LF-Diff, section 5.1
_SQUEEZE = 16


def split_frequencies(x: Tensor, kernel: int) -> tuple[Tensor, Tensor]:
    """Split N x C x H x W into its mean over cells, N x C x H/k x W/k, and the rest at full size (eq. 7)."""
    low = F.avg_pool2d(x, kernel)
    return low, x - enlarge(low, kernel)


def enlarge(low: Tensor, factor: int) -> Tensor:
    """Interpolate N x C x h x w bilinearly, corners on corners as in the group's other networks."""
    return F.interpolate(low, scale_factor=float(factor), mode="bilinear", align_corners=True)


class ChannelAttention(nn.Module):
    """Scale each channel by a number from 0 to 1 that depends on the channels' means (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // _SQUEEZE, 1)
        self.excite = nn.Conv2d(channels // _SQUEEZE, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled N x C x H x W."""
        scale = torch.sigmoid(self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))))
        return x * scale


class FrequencyModule(nn.Module):
    """FRM; with `prior_channels` it is PIM, whose low frequencies attend to the prior (eq. 7 to 9).

    Args:
        channels: Channels of the features.
        kernel: Side of a cell of the low frequencies: 2 in FRM, in PIM 4 as in the prior.
        blocks_before: Residual blocks before the split.
        blocks_high: Residual blocks of the high frequencies.
        prior_channels: Channels of the prior, or 0.
    """

    def __init__(
        self, channels: int, kernel: int, blocks_before: int, blocks_high: int, prior_channels: int = 0
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.before = residual_blocks(channels, blocks_before)
        self.high = residual_blocks(channels, blocks_high)
        self.low = TransformerBlock(channels, _HEADS, _EXPANSION, prior_channels)
        self.join = nn.Conv2d(2 * channels, channels, 1)
        self.attend = ChannelAttention(channels)

    def forward(self, x: Tensor, *prior: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        low, high = split_frequencies(self.before(x), self.kernel)
        low = enlarge(self.low(low, *prior), self.kernel)
        return x + cast(Tensor, self.attend(self.join(torch.cat((self.high(high), low), dim=1))))


class ReconstructionBlock(nn.Module):
    """PIM and three FRM."""

    def __init__(self, channels: int, prior_channels: int, blocks_before: int, blocks_high: int) -> None:
        super().__init__()
        self.integrate = FrequencyModule(channels, 4, blocks_before, blocks_high, prior_channels)
        self.refine = nn.Sequential(*(FrequencyModule(channels, 2, blocks_before, blocks_high) for _ in range(3)))

    def forward(self, x: Tensor, prior: Tensor) -> Tensor:
        """Map N x C x H x W and N x Z x H/4 x W/4 to N x C x H x W."""
        return cast(Tensor, self.refine(self.integrate(x, prior)))


class DHRNet(nn.Module):
    """Three aligned frames and a prior to the picture.

    Args:
        channels: Width, 60 in the paper.
        prior_channels: Channels of the prior, 3 in the paper.
        blocks_before: See `FrequencyModule`.
        blocks_high: See `FrequencyModule`.
    """

    def __init__(self, channels: int, prior_channels: int, blocks_before: int, blocks_high: int) -> None:
        super().__init__()
        self.alignment = AlignmentModule(6, channels)
        self.blocks = nn.ModuleList(
            ReconstructionBlock(channels, prior_channels, blocks_before, blocks_high) for _ in range(3)
        )
        self.tail = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, short: Tensor, reference: Tensor, long: Tensor, prior: Tensor) -> Tensor:
        """Map three times N x 6 x H x W to N x 3 x H x W light, 0 to 1."""
        x = self.alignment(short, reference, long)
        for block in self.blocks:
            x = block(x, prior)
        return torch.sigmoid(self.tail(x))
