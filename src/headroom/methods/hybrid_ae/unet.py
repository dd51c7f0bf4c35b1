"""The plain U-Net that the authors compared their network with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.hybrid_ae.decoder import pixel_shuffle_convolution

UNetUpsample = Literal["pixelshuffle", "nearest"]


@dataclass(frozen=True, slots=True)
class UNetSettings:
    """Numbers of the U-Net.

    Attributes:
        base_channels: Channels at full resolution; each of four halvings doubles them.
        upsample: How the decoder doubles the resolution.
    """

    base_channels: int = 16
    upsample: UNetUpsample = "pixelshuffle"


UNET = UNetSettings()


class ConvPair(nn.Module):
    """Convolve twice."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = _convolutions(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return N x out_channels x H x W."""
        return cast(Tensor, self.conv(x))


class UpConv(nn.Module):
    """Double the resolution, concatenate the skip of half as many channels, convolve twice."""

    def __init__(self, in_channels: int, upsample: UNetUpsample) -> None:
        super().__init__()
        out_channels = in_channels // 2
        if upsample == "pixelshuffle":
            convolution = pixel_shuffle_convolution(in_channels, out_channels, kernel=1)
            self.upsample = nn.Sequential(convolution, nn.PixelShuffle(2))
        else:
            self.upsample = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(in_channels, out_channels, 1))
        self.conv = _convolutions(in_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return N x in_channels/2 x 2H x 2W."""
        x = torch.cat((self.upsample(x), skip), dim=1)
        return cast(Tensor, self.conv(x))


class UNet(nn.Module):
    """N x 3 x H x W to N x 3 x H x W in [-1, 1]; H and W are multiples of 16."""

    def __init__(self, base_channels: int, upsample: UNetUpsample) -> None:
        super().__init__()
        c = base_channels
        self.enc1 = ConvPair(3, c)
        self.enc2 = ConvPair(c, 2 * c)
        self.enc3 = ConvPair(2 * c, 4 * c)
        self.enc4 = ConvPair(4 * c, 8 * c)
        self.bottleneck = ConvPair(8 * c, 16 * c)
        self.dec1 = UpConv(16 * c, upsample)
        self.dec2 = UpConv(8 * c, upsample)
        self.dec3 = UpConv(4 * c, upsample)
        self.dec4 = UpConv(2 * c, upsample)
        self.out_conv = nn.Conv2d(c, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return min-max normalised log HDR in [-1, 1]; the Tanh is the slides', the released U-Net has none."""
        full = self.enc1(x)  # N x C x H x W
        half = self.enc2(F.max_pool2d(full, 2))
        quarter = self.enc3(F.max_pool2d(half, 2))
        eighth = self.enc4(F.max_pool2d(quarter, 2))
        x = self.bottleneck(F.max_pool2d(eighth, 2))  # N x 16C x H/16 x W/16
        x = self.dec1(x, eighth)
        x = self.dec2(x, quarter)
        x = self.dec3(x, half)
        x = self.dec4(x, full)
        return torch.tanh(self.out_conv(x))


def build_unet(settings: UNetSettings) -> UNet:
    """Build the U-Net of `settings`."""
    return UNet(settings.base_channels, settings.upsample)


def _convolutions(in_channels: int, out_channels: int) -> nn.Sequential:
    """Build twice: a 3 x 3 convolution, InstanceNorm, ReLU.

    The biases do nothing before InstanceNorm, but the released checkpoints hold them.
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.InstanceNorm2d(out_channels),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, 3, padding=1),
        nn.InstanceNorm2d(out_channels),
        nn.ReLU(),
    )
