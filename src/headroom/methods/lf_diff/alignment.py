"""The attention that lets through what agrees with the reference.

Source: Yan et al. 2019, "Attention-guided Network for Ghost-free High Dynamic Range Imaging" (AHDRNet), section 3.1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.nn.unshuffle import UnshuffleConv2d


class Attention(nn.Module):
    """Weigh a frame's features between 0 and 1 by how well they agree with those of the reference."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.compare = nn.Conv2d(2 * channels, 2 * channels, kernel, padding=kernel // 2)
        self.weigh = nn.Conv2d(2 * channels, channels, kernel, padding=kernel // 2)

    def forward(self, frame: Tensor, reference: Tensor) -> Tensor:
        """Return the weighed N x C x H x W features of `frame`."""
        both = torch.cat((frame, reference), dim=1)
        return frame * torch.sigmoid(self.weigh(F.leaky_relu(self.compare(both))))


class AlignmentModule(nn.Module):
    """Join three frames into one feature map that is aligned to the middle one.

    Args:
        in_channels: Channels of each frame.
        channels: Channels of the result.
        kernel: Side of the attention's convolutions; AHDRNet has 3.
        factor: How many times smaller than the frames the result is; AHDRNet keeps their size.
    """

    def __init__(self, in_channels: int, channels: int, kernel: int = 3, factor: int = 1) -> None:
        super().__init__()
        self.encode = nn.ModuleList(UnshuffleConv2d(in_channels, channels, factor) for _ in range(3))
        self.attend_short = Attention(channels, kernel)
        self.attend_long = Attention(channels, kernel)
        self.join = nn.Conv2d(3 * channels, channels, 3, padding=1)

    def forward(self, short: Tensor, reference: Tensor, long: Tensor) -> Tensor:
        """Map three times N x C_in x H x W to N x C x H/factor x W/factor."""
        frames = (short, reference, long)
        short, reference, long = (F.leaky_relu(conv(x)) for conv, x in zip(self.encode, frames, strict=True))
        short, long = self.attend_short(short, reference), self.attend_long(long, reference)
        joined: Tensor = self.join(torch.cat((short, reference, long), dim=1))
        return joined
