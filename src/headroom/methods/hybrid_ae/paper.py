"""The published network: a frozen MobileNetV3-Large encoder, a U-Net decoder and a Tanh over log HDR.

Source: Demirci and Dere 2025, "Single LDR image to HDR translation". The slides describe PixelShuffle, InstanceNorm and
a learned bottleneck in one small network; the two released networks have either the first and the last (`MODEL_A`) or
the second and the small size (`MODEL_B`). `PAPER` follows the slides on the small one's channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headroom.methods.contract import ExpandInput, Progress
from headroom.methods.hybrid_ae.decoder import HybridAutoencoder, Norm, UpBlock, Upsample
from headroom.methods.hybrid_ae.inverse import log2_gain
from headroom.methods.hybrid_ae.preprocessing import normalise_ldr
from headroom.nn.mobilenet_v3 import FEATURE_CHANNELS, MobileNetV3Features

SIZE_MULTIPLE = 32
"""Sides of the input must be multiples of this."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One doubling of the decoder's resolution.

    Attributes:
        skip: Encoder stage whose output is concatenated after upsampling, or None.
        upsample: How the resolution is doubled.
        upsampled: Channels after upsampling.
        channels: Channels after the convolutions.
        convolutions: 3 x 3 convolutions after the concatenation, 1 or 2.
    """

    skip: int | None
    upsample: Upsample
    upsampled: int
    channels: int
    convolutions: int = 2


@dataclass(frozen=True, slots=True)
class PaperSettings:
    """Numbers of one network.

    Attributes:
        stages: From 1/32 to full resolution; all but the last have a skip.
        norm: Normalisation after each 3 x 3 convolution; without one, these convolutions have a bias.
        bottleneck_channels: Width of the two 1 x 1 convolutions on the encoder's output; 0 for none.
    """

    stages: tuple[Stage, Stage, Stage, Stage, Stage]
    norm: Norm
    bottleneck_channels: int


def _slim_stages(upsample: Upsample) -> tuple[Stage, Stage, Stage, Stage, Stage]:
    return (
        Stage(7, upsample, 160, 160),
        Stage(4, upsample, 80, 80),
        Stage(2, upsample, 40, 40),
        Stage(0, upsample, 24, 24),
        Stage(None, upsample, 16, 16),
    )


# The encoder's 960 channels are a 1 x 1 expansion of 160, so a bottleneck of 160 drops little.
PAPER = PaperSettings(_slim_stages("pixelshuffle"), norm="instance", bottleneck_channels=160)
MODEL_B = PaperSettings(_slim_stages("convtranspose"), norm="instance", bottleneck_channels=0)
MODEL_A = PaperSettings(
    stages=(
        Stage(12, "pixelshuffle", 1472, 480),
        Stage(6, "pixelshuffle", 480, 160),
        Stage(3, "pixelshuffle", 160, 64),
        Stage(1, "pixelshuffle", 64, 32),
        Stage(None, "bilinear", 32, 16, convolutions=1),
    ),
    norm="none",
    bottleneck_channels=1472,
)


def build_paper(settings: PaperSettings) -> HybridAutoencoder:
    """Build the network of `settings`; its encoder is random until `load_imagenet_encoder` or `load_into`."""
    encoded = FEATURE_CHANNELS[-1]
    channels = (settings.bottleneck_channels or encoded, *(stage.channels for stage in settings.stages))
    up_blocks = [
        UpBlock(
            in_channels,
            stage.upsampled,
            0 if stage.skip is None else FEATURE_CHANNELS[stage.skip],
            stage.channels,
            upsample=stage.upsample,
            norm=settings.norm,
            convolutions=stage.convolutions,
        )
        for in_channels, stage in zip(channels, settings.stages, strict=False)
    ]
    return HybridAutoencoder(
        MobileNetV3Features(),
        _bottleneck(encoded, settings.bottleneck_channels),
        up_blocks,
        [stage.skip for stage in settings.stages],
        decoded_channels=channels[-1],
    )


def _bottleneck(in_channels: int, width: int) -> nn.Module:
    if not width:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(in_channels, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU())


def run_paper(network: nn.Module, inputs: ExpandInput, _generator: torch.Generator, progress: Progress) -> Tensor:
    """Return the N x 3 x H x W log2 gain over `inputs.linear` that the network's picture asks for.

    The picture has no scale of its own; see `inverse.log2_gain` for how it gets one. Nothing here is random.
    """
    predicted = network(normalise_ldr(inputs.encoded))
    gain = log2_gain(predicted.float(), inputs.linear, inputs.clipped)
    progress(1.0)
    return gain
