"""An encoder and a U-Net decoder that see the whole photo at once and predict log2 gain: what ships for hybrid_ae.

It keeps the idea of the slides (an encoder, a light decoder with skips, a log-domain target) and answers their open
questions: bilinear upsampling instead of pixel shuffle leaves no mosaic, a pooled description of the whole photo
modulates every level of the decoder so that the picture is globally consistent, the target is the gain over the photo
itself instead of a per-image normalisation, and each colour channel has a gain of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.nn.gain import upsample_gain
from headroom.nn.padding import pad_to_multiple

_COARSER = 3
"""By how much the second look at a photo is coarser than the first."""


@dataclass(frozen=True, slots=True)
class GainNetworkSettings:
    """Numbers of the network, by default of the one that ships.

    Attributes:
        channels: Width of each level; level i works at 1 / 2^(i + 1) of the input.
        depths: Residual blocks on each level of the encoder.
        context: Width of the description of the whole photo.
    """

    channels: tuple[int, ...] = (32, 48, 80, 128, 192)
    depths: tuple[int, ...] = (2, 2, 2, 2, 2)
    context: int = 192


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a skip that starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        change: Tensor = self.conv2(F.silu(self.conv1(F.silu(self.norm(x)))))
        return x + change


class DecoderLevel(nn.Module):
    """Upsample, join the encoder's skip and shift and scale every channel by the context."""

    def __init__(self, channels_in: int, channels: int, context: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels_in + channels, channels, 1)
        self.modulation = nn.Linear(context, 2 * channels)
        self.block = ResidualBlock(channels)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, skip: Tensor, context: Tensor) -> Tensor:
        """Map N x C_in x H x W to N x C x 2H x 2W."""
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        x = self.reduce(torch.cat((x, skip), dim=1))
        scale, shift = self.modulation(context)[:, :, None, None].chunk(2, dim=1)
        joined: Tensor = self.block(x * (1 + scale) + shift)
        return joined


class GainNetwork(nn.Module):
    """Predict the log2 gain of each channel from a photo and the share of each cell that is clipped."""

    def __init__(self, settings: GainNetworkSettings) -> None:
        super().__init__()
        channels, depths, context = settings.channels, settings.depths, settings.context
        self.stem = nn.Conv2d(6, channels[0], 3, stride=2, padding=1)
        self.encoder = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(c) for _ in range(depth))) for c, depth in zip(channels, depths, strict=True)
        )
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(channels))
        self.bottleneck_norm = nn.GroupNorm(8, channels[-1])
        self.context = nn.Sequential(
            nn.Linear(2 * channels[-1], context), nn.SiLU(), nn.Linear(context, context), nn.SiLU()
        )
        self.decoder = nn.ModuleList(
            DecoderLevel(below, here, context) for here, below in reversed(list(pairwise(channels)))
        )
        self.head_norm = nn.GroupNorm(8, channels[0])
        self.head = nn.Conv2d(channels[0], 3, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        self.head.bias = nn.Parameter(torch.ones(3))

    def forward(self, encoded: Tensor, clipped: Tensor) -> Tensor:
        """Give N x 3 x H x W log2 gain >= 0.

        Args:
            encoded: N x 3 x H x W code values in [0, 1]; H and W multiples of 2^levels.
            clipped: N x 3 x H x W share of each cell that is clipped, in [0, 1].
        """
        x = self.stem(torch.cat((encoded - 0.5, clipped), dim=1))  # N x C0 x H/2 x W/2
        skips = []
        for level, blocks in enumerate(self.encoder):
            x = blocks(x)
            if level < len(self.down):
                skips.append(x)
                x = self.down[level](x)
        x = self.bottleneck_norm(x)
        context = self.context(torch.cat((x.mean((2, 3)), x.amax((2, 3))), dim=1))
        for join in self.decoder:
            x = join(x, skips.pop(), context)
        gain = F.softplus(self.head(F.silu(self.head_norm(x))))
        return F.interpolate(gain, scale_factor=2.0, mode="bilinear", align_corners=False)


def expected_gain(network: GainNetwork, encoded: Tensor, clipped: Tensor) -> Tensor:
    """Give the mean over N photos and their mirror images, each at two scales; see `GainNetwork.forward`."""
    gain = two_scale_gain(network, encoded, clipped)
    mirrored = two_scale_gain(network, encoded.flip(3), clipped.flip(3))
    return (gain + mirrored.flip(3)) / 2


def two_scale_gain(network: GainNetwork, encoded: Tensor, clipped: Tensor) -> Tensor:
    """Give the mean of what photos say as they are and three times as coarse; see `GainNetwork.forward`.

    What the network misses in one differs from what it misses in the other, and the mean errs least; hybrid_ae's card
    has the figures.
    """
    height, width = encoded.shape[2:]
    multiple = _COARSER * 2 ** len(network.encoder)
    small, share = (F.avg_pool2d(pad_to_multiple(x, multiple), _COARSER) for x in (encoded, clipped))
    padded = (_COARSER * small.shape[2], _COARSER * small.shape[3])
    coarse = upsample_gain(network(small, share), share, padded)[:, :, :height, :width]
    fine: Tensor = network(encoded, clipped)
    return (fine + coarse) / 2
