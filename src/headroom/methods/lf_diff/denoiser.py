"""The denoiser of the paper's prior: the U-Net of denoising diffusion at a width of 32, 1,625,187 parameters.

Source: Ho et al. 2020, "Denoising Diffusion Probabilistic Models", appendix B. LF-Diff names another U-Net; this one
has exactly the parameters that its table 3 gives the denoiser, and is that of the work whose settings it follows.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_GROUPS = 32


def step_embedding(step: Tensor, width: int) -> Tensor:
    """Give N x width sines and cosines of N step numbers."""
    frequencies = torch.exp(torch.arange(width // 2, device=step.device) * (-math.log(10000) / (width // 2 - 1)))
    angles = step[:, None] * frequencies
    return torch.cat((angles.sin(), angles.cos()), dim=1)


class ResNetBlock(nn.Module):
    """Two normalised convolutions around a skip, the step's embedding between them."""

    def __init__(self, in_channels: int, channels: int, time_channels: int) -> None:
        super().__init__()
        self.norm1 = _norm(in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.temb_proj = nn.Linear(time_channels, channels)
        self.norm2 = _norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, channels, 1) if in_channels != channels else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Map N x C_in x H x W and N x T to N x C x H x W."""
        y = self.conv1(F.silu(self.norm1(x))) + self.temb_proj(F.silu(time))[:, :, None, None]
        return cast(Tensor, self.skip(x) + self.conv2(F.silu(self.norm2(y))))


class PixelAttention(nn.Module):
    """Self-attention between all pixels, around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x H x W to the same shape."""
        y = self.norm(x)
        query, key, value = (part(y).flatten(2).transpose(1, 2) for part in (self.q, self.k, self.v))  # N x HW x C
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(x.shape)
        return cast(Tensor, x + self.proj_out(mixed))


class Step(nn.Module):
    """A residual block, and attention where its level has it."""

    def __init__(self, in_channels: int, channels: int, time_channels: int, *, attention: bool) -> None:
        super().__init__()
        self.block = ResNetBlock(in_channels, channels, time_channels)
        self.attn = PixelAttention(channels) if attention else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Map N x C_in x H x W and N x T to N x C x H x W."""
        return cast(Tensor, self.attn(self.block(x, time)))


class Shrink(nn.Module):
    """Halve the size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor, _time: Tensor) -> Tensor:
        """Map N x C x H x W to N x C x H/2 x W/2; only the far borders are padded."""
        return cast(Tensor, self.conv(F.pad(x, (0, 1, 0, 1))))


class Grow(nn.Module):
    """Double the size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, _time: Tensor) -> Tensor:
        """Map N x C x H x W to N x C x 2H x 2W."""
        return cast(Tensor, self.conv(F.interpolate(x, scale_factor=2.0)))


class DenoisingUNet(nn.Module):
    """Predict the noise in a prior.

    Args:
        in_channels: Channels of prior and condition together.
        out_channels: Channels of the prior.
        channels: Width at the prior's own size.
        multipliers: Width of each level over `channels`; each level has half the size of the one before, and the last
            one has attention.
        depth: Residual blocks of a level on the way down; there is one more on the way up.
    """

    def __init__(
        self, in_channels: int, out_channels: int, channels: int, multipliers: tuple[int, ...], depth: int
    ) -> None:
        super().__init__()
        self.channels = channels
        time = 4 * channels
        levels = [(channels * multiplier, i) for i, multiplier in enumerate(multipliers)]
        here, last = channels, len(levels) - 1
        self.time = nn.Sequential(nn.Linear(channels, time), nn.SiLU(), nn.Linear(time, time))
        self.conv_in = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        skips = [channels]
        for width, i in levels:
            for _ in range(depth):
                self.down.append(Step(here, width, time, attention=i == last))
                here = width
                skips.append(here)
            if i < last:
                self.down.append(Shrink(here))
                skips.append(here)
        self.mid = nn.ModuleList([Step(here, here, time, attention=True), Step(here, here, time, attention=False)])
        for width, i in reversed(levels):
            for _ in range(depth + 1):
                self.up.append(Step(here + skips.pop(), width, time, attention=i == last))
                here = width
            if i:
                self.up.append(Grow(here))
        self.norm_out = _norm(here)
        self.conv_out = nn.Conv2d(here, out_channels, 3, padding=1)

    def forward(self, prior: Tensor, condition: Tensor, step: Tensor) -> Tensor:
        """Return N x Z x h x w noise.

        Args:
            prior: N x Z x h x w, noised; h and w multiples of 2 ^ (levels - 1).
            condition: N x D x h x w, what is known of the scene.
            step: N step numbers.
        """
        time = self.time(step_embedding(step, self.channels))
        x = self.conv_in(torch.cat((prior, condition), dim=1))
        skips = [x]
        for part in self.down:
            x = part(x, time)
            skips.append(x)
        for part in self.mid:
            x = part(x, time)
        for part in self.up:
            x = part(x if isinstance(part, Grow) else torch.cat((x, skips.pop()), dim=1), time)
        return cast(Tensor, self.conv_out(F.silu(self.norm_out(x))))


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(_GROUPS, channels, eps=1e-6)
