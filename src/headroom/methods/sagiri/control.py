"""The control branch: a copy of the denoiser's encoder that tells the denoiser what a picture shows.

Source: Zhang et al. 2023, "Adding Conditional Control to Text-to-Image Diffusion Models", section 3.1, and Sagiri,
section 3.2. What Sagiri calls a concatenation is an addition in its released code, which this follows.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class ControlTensors(NamedTuple):
    """What is added to a denoiser's features.

    Attributes:
        skips: One for each output of the encoder, finest first; added before the decoder joins them.
        middle: For the output of the middle block.
    """

    skips: tuple[Tensor, ...]
    middle: Tensor

    def times(self, strength: float) -> ControlTensors:
        """Weigh all of them."""
        return ControlTensors(tuple(skip * strength for skip in self.skips), self.middle * strength)


class ControlBranch(nn.Module):
    """Encoder and middle of a denoiser, whose outputs pass 1 x 1 convolutions that start at zero.

    The first convolution sees a hint beside the noisy latents; its weights for the hint start at zero too. So a new
    branch changes nothing. Its names are those of diffusers' `ControlNetModel`.

    Args:
        unet: diffusers' `UNet2DConditionModel`, whose weights the branch starts from; it is copied.
        hint_channels: Channels of the hint.
    """

    def __init__(self, unet: nn.Module, hint_channels: int) -> None:
        super().__init__()
        parts: Any = unet
        self.time_proj = parts.time_proj
        self.time_embedding = copy.deepcopy(parts.time_embedding)
        self.conv_in = _widened(parts.conv_in, hint_channels)
        self.down_blocks = copy.deepcopy(parts.down_blocks)
        self.mid_block = copy.deepcopy(parts.mid_block)
        widths = [parts.conv_in.out_channels, *_skip_channels(parts.down_blocks)]
        self.controlnet_down_blocks = nn.ModuleList(map(_zero_convolution, widths))
        self.controlnet_mid_block = _zero_convolution(widths[-1])
        self.requires_grad_(requires_grad=True)

    def forward(self, noisy: Tensor, hint: Tensor, timestep: Tensor, context: Tensor) -> ControlTensors:
        """Read noisy latents beside the hint.

        Args:
            noisy: N x C x h x w latents.
            hint: N x hint_channels x h x w.
            timestep: N, of the schedule's 1000 steps.
            context: N x L x D, what the denoiser attends to.
        """
        embedding = self.time_embedding(self.time_proj(timestep).to(noisy.dtype))
        x = self.conv_in(torch.cat((noisy, hint), 1))
        skips = [x]
        for block in self.down_blocks:
            if getattr(block, "has_cross_attention", False):
                x, finer = block(x, embedding, encoder_hidden_states=context)
            else:
                x, finer = block(x, embedding)
            skips += finer
        x = self.mid_block(x, embedding, encoder_hidden_states=context)
        tensors = (conv(skip) for conv, skip in zip(self.controlnet_down_blocks, skips, strict=True))
        return ControlTensors(tuple(tensors), self.controlnet_mid_block(x))


def _widened(convolution: nn.Conv2d, more: int) -> nn.Conv2d:
    """Copy a convolution and let it take `more` further channels, which it does not heed yet."""
    wide = copy.deepcopy(convolution)
    wide.in_channels += more
    shape = (wide.out_channels, more, *wide.kernel_size)
    wide.weight = nn.Parameter(torch.cat((wide.weight.detach(), wide.weight.new_zeros(shape)), 1))
    return wide


def _skip_channels(blocks: nn.ModuleList) -> Iterator[int]:
    """Give the width of each output of an encoder's blocks, in order."""
    for block in blocks:
        yield from (layer.out_channels for layer in (*block.resnets, *(block.downsamplers or ())))  # type: ignore[misc]


def _zero_convolution(channels: int) -> nn.Conv2d:
    convolution = nn.Conv2d(channels, channels, 1)
    nn.init.zeros_(convolution.weight)
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    return convolution
