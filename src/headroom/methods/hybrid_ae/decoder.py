"""The published decoder: upsampling blocks, and the network that joins them to the frozen encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self, cast

import torch
from torch import Tensor, nn

from headroom.nn.mobilenet_v3 import MobileNetV3Features

Upsample = Literal["pixelshuffle", "convtranspose", "bilinear"]
Norm = Literal["instance", "none"]


def upsampler(kind: Upsample, in_channels: int, out_channels: int) -> nn.Module:
    """Build a layer that doubles the resolution."""
    if kind == "pixelshuffle":
        return nn.Sequential(pixel_shuffle_convolution(in_channels, out_channels, kernel=3), nn.PixelShuffle(2))
    if kind == "convtranspose":
        return nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
    change = [] if in_channels == out_channels else [nn.Conv2d(in_channels, out_channels, 1)]
    return nn.Sequential(*change, nn.Upsample(scale_factor=2, mode="bilinear"))


def pixel_shuffle_convolution(in_channels: int, out_channels: int, *, kernel: int) -> nn.Conv2d:
    """Build the convolution before `PixelShuffle(2)` so that both begin as one that repeats pixels.

    Without it the four phases start apart, which is the mosaic that the authors report (ICNR, Aitken et al. 2017).
    """
    convolution = nn.Conv2d(in_channels, 4 * out_channels, kernel, padding=kernel // 2)
    for values in (convolution.weight, cast(Tensor, convolution.bias)):
        values.data = values.data[::4].repeat_interleave(4, dim=0)
    return convolution


class ConvBlock(nn.Module):
    """A 3 x 3 convolution, a normalisation without parameters, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, *, norm: Norm) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=norm == "none")
        self.norm = nn.InstanceNorm2d(out_channels) if norm == "instance" else nn.Identity()
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return N x out_channels x H x W."""
        return cast(Tensor, self.activation(self.norm(self.conv(x))))


class UpBlock(nn.Module):
    """Double the resolution, concatenate the skip, convolve."""

    def __init__(
        self,
        in_channels: int,
        upsampled_channels: int,
        skip_channels: int,
        out_channels: int,
        *,
        upsample: Upsample,
        norm: Norm,
        convolutions: int,
    ) -> None:
        super().__init__()
        self.up = upsampler(upsample, in_channels, upsampled_channels)
        self.conv1 = ConvBlock(upsampled_channels + skip_channels, out_channels, norm=norm)
        self.conv2 = ConvBlock(out_channels, out_channels, norm=norm) if convolutions == 2 else nn.Identity()

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Return N x channels x 2H x 2W."""
        x = self.up(x)
        if skip is not None:
            x = torch.cat((x, skip), dim=1)
        return cast(Tensor, self.conv2(self.conv1(x)))


class HybridAutoencoder(nn.Module):
    """ImageNet-normalised N x 3 x H x W to min-max normalised log HDR in [-1, 1], of the same size.

    The encoder never changes: its weights take no gradient and it stays in evaluation mode, or its BatchNorm statistics
    would follow the training pictures (they do in the released code).
    """

    def __init__(
        self,
        encoder: MobileNetV3Features,
        bottleneck: nn.Module,
        up_blocks: Sequence[UpBlock],
        skips: Sequence[int | None],
        *,
        decoded_channels: int,
    ) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.bottleneck = bottleneck
        self.up0, self.up1, self.up2, self.up3, self.up4 = up_blocks
        self.final_conv = nn.Conv2d(decoded_channels, 3, 1)
        self.skips = tuple(skips)
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all but the encoder."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return N x 3 x H x W in [-1, 1]; H and W are multiples of 32."""
        features = self.encoder.feature_maps(x)
        skip0, skip1, skip2, skip3, skip4 = (None if index is None else features[index] for index in self.skips)
        x = self.bottleneck(features[-1])  # N x C x H/32 x W/32
        x = self.up0(x, skip0)
        x = self.up1(x, skip1)
        x = self.up2(x, skip2)
        x = self.up3(x, skip3)
        x = self.up4(x, skip4)  # N x C x H x W
        return torch.tanh(self.final_conv(x))
