"""The attention by which both regressors join three frames (GMODiff's DaReg, from AHDRNet, Yan et al. 2019)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ExposureFusion(nn.Module):
    """Weigh the features of the short and the long frame by their agreement with the reference, and join all three.

    Args:
        channels: Channels of each frame's features and of the result.
        kernel: Side of the attention's convolutions.
    """

    def __init__(self, channels: int, kernel: int = 3) -> None:
        super().__init__()
        both, padding = 2 * channels, kernel // 2
        self.att11 = nn.Conv2d(both, both, kernel, padding=padding)
        self.att12 = nn.Conv2d(both, channels, kernel, padding=padding)
        self.att31 = nn.Conv2d(both, both, kernel, padding=padding)
        self.att32 = nn.Conv2d(both, channels, kernel, padding=padding)
        self.conv2 = nn.Conv2d(3 * channels, channels, 3, padding=1)

    def forward(self, short: Tensor, reference: Tensor, long: Tensor) -> Tensor:
        """Map three times N x C x H x W to one."""
        of_short = torch.sigmoid(self.att12(F.leaky_relu(self.att11(torch.cat((short, reference), dim=1)))))
        of_long = torch.sigmoid(self.att32(F.leaky_relu(self.att31(torch.cat((long, reference), dim=1)))))
        joined: Tensor = self.conv2(torch.cat((short * of_short, reference, long * of_long), dim=1))
        return joined
