"""The prior's autoencoder with skips: what its encoder saw of the regressed gain map helps its decoder.

Source: the released GMODiff, whose names these are. Its paper calls it a degradation-aware decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Latents(NamedTuple):
    """What an encoder makes of a picture.

    Attributes:
        mode: N x C x h x w, the autoencoder's own latents.
        skips: What went into each of its blocks, the largest first.
    """

    mode: Tensor
    skips: list[Tensor]


class GatedSkip(nn.Module):
    """Bring an encoder's features to a decoder, each channel as far as the tokens let it through; nothing at first.

    The released code starts at 1e-5 instead of at 0.

    Args:
        channels: Of the encoder's features.
        wanted: Channels that the decoder expects.
        width: Channels of a token.
    """

    def __init__(self, channels: int, wanted: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, wanted, 1, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, wanted), nn.ReLU(), nn.Linear(wanted, wanted))
        nn.init.zeros_(self.conv1.weight)

    def forward(self, features: Tensor, tokens: Tensor) -> Tensor:
        """Map N x channels x h x w to N x wanted x h x w, by N x L x width tokens."""
        gate = torch.sigmoid(self.mlp(tokens.mean(1)))
        gated: Tensor = self.conv1(features) * gate[..., None, None]
        return gated


def skips_of(autoencoder: Any, width: int) -> nn.ModuleList:  # noqa: ANN401 - diffusers has no types
    """Make the skips of an autoencoder, the smallest features' first."""
    widths = [autoencoder.encoder.conv_in.out_channels, *autoencoder.config.block_out_channels[:-1]]
    wanted = [autoencoder.decoder.conv_in.out_channels, *reversed(autoencoder.config.block_out_channels[1:])]
    return nn.ModuleList(GatedSkip(*pair, width) for pair in zip(reversed(widths), wanted, strict=True))


def encode(coder: Any, pictures: Tensor) -> Latents:  # noqa: ANN401
    """Encode pictures as an autoencoder sees them, in [-1, 1].

    Args:
        coder: Has an `encoder` and a `quant_conv`, as an autoencoder has.
        pictures: N x C x H x W.
    """
    encoder, skips = coder.encoder, []
    x = encoder.conv_in(pictures)
    for block in encoder.down_blocks:
        skips.append(x)
        x = block(x)
    x = encoder.conv_act(encoder.conv_norm_out(encoder.mid_block(x)))
    mode: Tensor = coder.quant_conv(encoder.conv_out(x)).chunk(2, dim=1)[0]
    return Latents(mode, skips)


def decode(autoencoder: Any, latents: Tensor, skips: Sequence[Tensor]) -> Tensor:  # noqa: ANN401
    """Decode an autoencoder's own latents, up to the features that its last convolution makes a picture of.

    Args:
        autoencoder: Decodes.
        latents: N x C x h x w.
        skips: Added to what goes into each block, the smallest first.
    """
    decoder = autoencoder.decoder
    x = decoder.mid_block(decoder.conv_in(autoencoder.post_quant_conv(latents)))
    for block, skip in zip(decoder.up_blocks, skips, strict=True):
        x = block(x + skip)
    features: Tensor = decoder.conv_act(decoder.conv_norm_out(x))
    return features
